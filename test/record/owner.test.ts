// Whose session it is, by the value under the owner's key.
import t from 'tap'
import { encode } from '../../lib/record/codec.js'
import { ownerNamed, ownerOf } from '../../lib/record/owner.js'

t.test('a number and its text name one owner, in each namespace another', (t) => {
  const name = ownerOf('', encode('user', 42))
  t.equal(name, ownerOf('', encode('user', '42')))
  t.equal(name, ownerOf('', encode('user', 42n)))
  t.equal(name, ownerNamed('', 42))
  t.not(name, ownerOf('other', encode('user', 42)))
  t.not(name, ownerOf('', encode('user', 43)))
  t.end()
})

t.test('what names nobody is no owner, and what cannot be decoded neither', (t) => {
  for (const value of ['', null, 1.5, true, {}]) t.equal(ownerOf('', encode('user', value)), null, String(value))
  for (const encoded of [null, '', '{', '~', '~{']) t.equal(ownerOf('', encoded), null, String(encoded))
  t.end()
})

t.test('a full stack is no lack of an owner', (t) => {
  const errors: unknown[] = []
  const atTheEnd = (): unknown => {
    try { return atTheEnd() } catch (error) {
      errors.push(error)
      return ownerOf('', '{"a":[1,{"b":2}]}')
    }
  }
  atTheEnd()
  t.ok(errors.length > 1)
  t.same(errors.filter((error) => !/Maximum call stack size exceeded/.test((error as Error).message)), [])
  t.end()
})
