// The split token: what the cookie holds, and what the store knows of it.
import { createHash } from 'node:crypto'
import t from 'tap'
import { createToken, isId, isSameVerifier, isToken, renewToken, tokenOf } from '../../lib/record/token.js'

const VALUE = 'abcdefghijklmnopqrstuvwxABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ab'

t.test('the id is the first 24 characters, and the verifier a hash of namespace, id and secret', async (t) => {
  t.equal(tokenOf('', VALUE).id, 'abcdefghijklmnopqrstuvwx')
  t.equal(tokenOf('', VALUE).value, VALUE)
  t.equal(tokenOf('', VALUE).verifier, 'B0zSVO3uLgvZVEdwTrJsTR1H7DffZyUKv1uvAhDCYSM')
  t.equal(tokenOf('admin:', VALUE).verifier, createHash('sha256').update('admin:' + VALUE).digest('base64url'))
})

t.test('every token is another one, and a renewed one keeps the id alone', async (t) => {
  const tokens = Array.from({ length: 1000 }, () => createToken(''))
  t.equal(new Set(tokens.map(({ id }) => id)).size, 1000)
  t.equal(new Set(tokens.map(({ value }) => value.slice(24))).size, 1000)
  for (const { id, value } of tokens) t.ok(isToken(value) && isId(id) && value.startsWith(id))
  const [first] = tokens as [typeof tokens[number]]
  const renewed = renewToken('', first.id)
  t.equal(renewed.id, first.id)
  t.not(renewed.value, first.value)
  t.not(renewed.verifier, first.verifier)
})

t.test('what has another length, or another letter, is no token and no id', async (t) => {
  t.equal(isToken(VALUE), true)
  for (const value of ['', VALUE.slice(1), VALUE + 'a', `${VALUE}\n`, VALUE.slice(1) + '=', VALUE.slice(1) + '+', 'é' + VALUE.slice(1)]) t.equal(isToken(value), false, value)
  t.equal(isId(VALUE.slice(0, 24)), true)
  for (const value of ['', VALUE.slice(0, 23), VALUE.slice(0, 25), 'é' + VALUE.slice(1, 24), 1, null, undefined, [VALUE.slice(0, 24)]]) t.equal(isId(value), false, String(value))
})

t.test('verifiers are the same only letter by letter', async (t) => {
  t.equal(isSameVerifier('abc', 'abc'), true)
  for (const other of ['', 'ab', 'abcd', 'abd', 'Abc', 'abé', 'abĉ']) t.equal(isSameVerifier('abc', other), false, other)
})
