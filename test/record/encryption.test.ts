// What is sealed opens in its own place, by its own key, and nowhere else.
import fc from 'fast-check'
import t from 'tap'
import { encode } from '../../lib/record/codec.js'
import { Encryption, isSealed, missingKeyOf, sealingKeyOf } from '../../lib/record/encryption.js'
import { createToken, isVerifierOf, plainVerifierOf, tokenOf } from '../../lib/record/token.js'
import { testKey } from '../fixtures/encryption-keys.js'
import { fuzzRuns } from '../fixtures/fuzz-runs.js'

const [one, two] = [testKey('one'), testKey('two')]
const id = 'a'.repeat(24)
const other = 'b'.repeat(24)

const key = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '__proto__', 'about', '"about"', '\ud800', '\udfff', 'user'))
const value = fc.jsonValue()

t.test('what was sealed opens again, for any key and any value', async () => {
  const encryption = new Encryption([one], '')
  fc.assert(fc.property(key, value, (name, given) => {
    const encoded = encode(name, given)
    const sealed = encryption.seal(id, name, encoded)
    return isSealed(sealed) && sealingKeyOf(sealed) === 'one' && encryption.open(id, name, sealed) === encoded && encryption.isNewest(sealed)
  }), { numRuns: fuzzRuns(500) })
})

t.test('it takes 28 bytes more, in base64, and the name of the key', async (t) => {
  const encryption = new Encryption([one], '')
  for (const length of [0, 1, 272, 10_000]) {
    t.equal(encryption.seal(id, 'a', 'x'.repeat(length)).length, '$one$'.length + Math.ceil((length + 28) * 4 / 3))
  }
})

t.test('it opens under no other name, session, registration or key', async () => {
  const encryption = new Encryption([one, two], '')
  fc.assert(fc.property(key, key, (name, otherName) => {
    const sealed = encryption.seal(id, name, '"secret"')
    const places = [
      ...(name === otherName ? [] : [encryption.open(id, otherName, sealed)]),
      encryption.open(other, name, sealed),
      encryption.openAbout(id, sealed),
      new Encryption([one], '["admin"]').open(id, name, sealed),
      new Encryption([{ id: 'one', key: two.key }], '').open(id, name, sealed),
      encryption.open(id, name, sealed.replace('$one$', '$two$')),
      new Encryption([two], '').open(id, name, sealed),
      new Encryption([two, 'plain'], '').open(id, name, sealed)
    ]
    return places.every(isSealed)
  }), { numRuns: fuzzRuns(300) })
})

t.test('a description opens as no value, and a value as no description', async (t) => {
  const encryption = new Encryption([one], '')
  const about = encryption.sealAbout(id, '{"agent":"x"}')
  t.equal(encryption.openAbout(id, about), '{"agent":"x"}')
  for (const name of ['about', '"about"', '']) {
    t.ok(isSealed(encryption.open(id, name, about)))
    t.ok(isSealed(encryption.openAbout(id, encryption.seal(id, name, '{}'))))
  }
})

t.test('nothing opens with a byte changed, left out or put in, wherever that is', async (t) => {
  const encryption = new Encryption([one, 'plain'], '')
  const sealed = encryption.seal(id, 'user', '{"name":"Ada"}')
  const opened = (text: string) => encryption.open(id, 'user', text)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  for (let index = 0; index < sealed.length; index++) {
    for (const letter of [...alphabet, '$', '=', '+', '/', ' ', '\n', '\0', 'é', '\ud800']) {
      if (letter === sealed[index]) continue
      const changed = sealed.slice(0, index) + letter + sealed.slice(index + 1)
      // without its sign it is a plain text, which no decoder reads as a value
      if (index > 0 && opened(changed) !== changed) t.fail(`${index}: ${letter}`)
    }
    const spoilt = [sealed.slice(0, index), sealed.slice(index), sealed.slice(0, index) + sealed.slice(index + 1), `${sealed.slice(0, index)}A${sealed.slice(index)}`, `${sealed.slice(0, index)} ${sealed.slice(index)}`]
    for (const text of spoilt) if (text !== sealed && opened(text) !== text) t.fail(`${index}: ${text}`)
  }
  for (const text of [`${sealed}=`, `${sealed} `, sealed + sealed, '$', '$$', '$one$', '$one', '$plain$', '$plain$1', '$$$', `$one$${'A'.repeat(38)}`]) t.equal(opened(text), text)
  t.equal(opened(sealed), '{"name":"Ada"}')
})

t.test('flips and cuts of every value of every length are found', async () => {
  const encryption = new Encryption([one], 'a namespace')
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (text, at, mask) => {
    const encoded = JSON.stringify(text)
    const sealed = encryption.seal(id, 'k', encoded)
    const bytes = Buffer.from(sealed.slice(5), 'base64url')
    const flipped = Buffer.from(bytes)
    flipped[at % bytes.length]! ^= mask
    const cut = bytes.subarray(0, at % bytes.length)
    return [flipped, cut, bytes.subarray(1), Buffer.concat([bytes, Buffer.of(mask)])].every((each) => isSealed(encryption.open(id, 'k', `$one$${each.toString('base64url')}`))) && encryption.open(id, 'k', sealed) === encoded
  }), { numRuns: fuzzRuns(1000) })
})

t.test('no nonce comes twice, and equal values look different', async (t) => {
  const encryption = new Encryption([one], '')
  const sealed = Array.from({ length: 20_000 }, () => encryption.seal(id, 'a', '1'))
  t.equal(new Set(sealed).size, sealed.length)
  t.equal(new Set(sealed.map((text) => Buffer.from(text.slice(5), 'base64url').subarray(0, 12).toString('hex'))).size, sealed.length)
})

t.test('values of several sessions open in any order', async (t) => {
  const encryption = new Encryption([one, two], '')
  const ids = Array.from({ length: 50 }, (_, index) => String(index).padStart(24, 'x'))
  const sealed = ids.map((each) => encryption.seal(each, 'a', `"${each}"`))
  for (const index of [3, 1, 49, 1, 0, 3]) t.equal(encryption.open(ids[index] as string, 'a', sealed[index] as string), `"${ids[index]}"`)
})

t.test('the first key seals and all of them open, \'plain\' what was stored without', async (t) => {
  const first = new Encryption([one, two], '').seal(id, 'a', '1')
  const second = new Encryption([two, one], '').seal(id, 'a', '2')
  for (const keys of [[one, two], [two, one], [two, one, 'plain'], ['plain', one, two]] as const) {
    const encryption = new Encryption(keys, '')
    t.same([encryption.open(id, 'a', first), encryption.open(id, 'a', second)], ['1', '2'])
    t.equal(isSealed(encryption.open(id, 'a', '3')), !keys.includes('plain' as never))
    t.equal(encryption.isNewest(second), keys[0] === two)
  }
  t.equal(new Encryption(['plain', one], '').seal(id, 'a', '1'), '1')
  t.equal(sealingKeyOf(new Encryption([one], '').open(id, 'a', '3')), 'plain', 'what is stored in the open, where that is not in the list, reads as sealed')
})

t.test('a verifier is of every key, and opens for nobody without one', async (t) => {
  const both = new Encryption([two, one], '')
  const token = createToken('ns', new Encryption([one], 'ns'))
  const again = tokenOf('ns', token.value, both)
  t.ok(isVerifierOf(again, token.verifier))
  t.ok(isVerifierOf(again, again.verifier))
  t.not(again.verifier, token.verifier)
  for (const text of [plainVerifierOf(`ns${token.value}`), '', token.verifier.replace('one$', 'two$'), token.verifier.replace('one$', '')]) t.notOk(isVerifierOf(again, text), text)
  t.notOk(isVerifierOf(tokenOf('ns', token.value), token.verifier))
  t.ok(isVerifierOf(tokenOf('ns', token.value, new Encryption([two, 'plain'], '')), plainVerifierOf(`ns${token.value}`)))
})

t.test('a verifier names the key that is missing', async (t) => {
  const encryption = new Encryption([one, 'plain'], '')
  t.same(['one$x', 'two$x', 'x', '$x', 'a b$x'].map((verifier) => missingKeyOf(verifier, encryption)), [null, 'two', null, '', ''])
  t.same(['one$x', 'x', '$'].map((verifier) => missingKeyOf(verifier, null)), ['one', null, ''])
  t.equal(missingKeyOf('x', new Encryption([one], '')), 'plain')
})

t.test('nothing about the keys can be seen on it', async (t) => {
  const { inspect } = await import('node:util')
  const encryption = new Encryption([one], '')
  encryption.seal(id, 'a', '1')
  const shown = inspect(encryption, { depth: 10, showHidden: true }) + JSON.stringify(encryption)
  for (const form of ['hex', 'base64'] as const) t.notOk(shown.includes(one.key.toString(form)))
  t.notMatch(shown, /Buffer|Uint8Array|KeyObject/)
})
