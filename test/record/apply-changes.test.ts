// What changes make of a record, and under which conditions.
import t from 'tap'
import { applyChanges, applyRenewal, copiedRecord, sizeOf, storedValue } from '../../lib/record/apply-changes.js'
import { goodRecord } from '../fixtures/good-record.js'
import type { SessionChanges, SessionRecord } from '../../types/store.js'

const NOTHING = { clear: false, set: {}, remove: [] } as const
const lifetime = { idle: 10, absolute: 100, persistent: false }
const record = goodRecord({ values: { a: '1', b: '2' }, version: 7, generation: 3, lifetime, verifier: 'now', owner: 'me' })

function applied (changes: Partial<SessionChanges>, to: SessionRecord = record): SessionRecord | 'conflict' | 'too-large' {
  return applyChanges(to, { ...NOTHING, ...changes })
}

t.test('changes that name nothing but a condition leave all but the version', async (t) => {
  t.same(applied({}), { ...record, version: 8 })
  t.same(applied({ ifGeneration: 3, ifVerifier: 'now', ifLifetime: { ...lifetime }, ifValue: { key: 'a', encoded: '1' } }), { ...record, version: 8 })
})

t.test('every condition alone refuses the changes', async (t) => {
  const refused: ReadonlyArray<Partial<SessionChanges>> = [
    { ifGeneration: 2 }, { ifGeneration: 4 }, { ifVerifier: 'before' }, { ifLifetime: null },
    { ifLifetime: { ...lifetime, idle: 11 } }, { ifLifetime: { ...lifetime, absolute: 101 } }, { ifLifetime: { ...lifetime, persistent: true } },
    { ifValue: { key: 'a', encoded: '2' } }, { ifValue: { key: 'a', encoded: null } }, { ifValue: { key: 'c', encoded: '1' } }, { ifValue: { key: 'constructor', encoded: '1' } }
  ]
  for (const conditions of refused) t.equal(applied({ set: { c: '3' }, ...conditions }), 'conflict', JSON.stringify(conditions))
  t.equal(applied({ ifLifetime: lifetime }, { ...record, lifetime: null }), 'conflict')
  t.same(applied({ ifLifetime: null }, { ...record, lifetime: null }), { ...record, lifetime: null, version: 8 })
  t.same(applied({ ifValue: { key: 'constructor', encoded: null } }), { ...record, version: 8 })
})

t.test('a step that put its verifier in place before does not count again, and its values do', async (t) => {
  const repeated = { verifier: 'now', ifVerifier: 'before', ifGeneration: 2, ifLifetime: null, generation: 9, shown: false, earlier: [{ verifier: 'x', until: 1, opens: true }] }
  t.same(applied({ ...repeated, set: { c: '3' } }), { ...record, values: { a: '1', b: '2', c: '3' }, version: 8 })
  t.equal(applied({ ...repeated, ifValue: { key: 'a', encoded: '2' } }), 'conflict')
  t.same(applied({ ...repeated, verifier: 'next', ifVerifier: 'now', ifGeneration: 3, ifLifetime: lifetime }), {
    ...record, verifier: 'next', generation: 9, shown: false, earlier: repeated.earlier, version: 8
  })
})

t.test('what is given replaces what was, and nothing else does', async (t) => {
  const parts = { createdAt: 5, expiresAt: 6, absoluteExpiresAt: 7, lifetime: null, verifier: 'next', earlier: [], generation: 4, shown: false, owner: null, about: 'x' }
  for (const [name, value] of Object.entries(parts)) t.same(applied({ [name]: value }), { ...record, [name]: value, version: 8 }, name)
})

t.test('keys are cleared, then set, then removed', async (t) => {
  const valuesOf = (changes: Partial<SessionChanges>) => (applied(changes) as SessionRecord).values
  t.same(valuesOf({ set: { b: '3', c: '4' } }), { a: '1', b: '3', c: '4' })
  t.same(valuesOf({ clear: true, set: { c: '4' } }), { c: '4' })
  t.same(valuesOf({ remove: ['a', 'none'] }), { b: '2' })
  t.same(valuesOf({ remove: ['a', 'b'] }), {})
  const own = valuesOf({ set: JSON.parse('{"__proto__":"5"}') })
  t.equal(storedValue(own, '__proto__'), '5')
  t.equal(storedValue(own, 'toString'), null)
  t.same(record.values, { a: '1', b: '2' }, 'the record itself is left as it was')
})

t.test('the size holds for what results, in bytes, to the byte', async (t) => {
  const big = { ...record, values: { k: 'é'.repeat(10) } }
  t.equal(sizeOf(big.values), 21)
  t.same(applied({ set: { a: '12' }, maxSize: 4 }), 'too-large', 'a: 1 + 2, b: 1 + 1')
  t.same((applied({ set: { a: '12' }, maxSize: 5 }) as SessionRecord).values, { a: '12', b: '2' })
  t.same(applied({ set: { a: '€' }, maxSize: 5 }), 'too-large')
  t.same((applied({ set: { a: '€' }, maxSize: 6 }) as SessionRecord).values, { a: '€', b: '2' })
  t.same((applied({ set: { k: 'é'.repeat(9) }, maxSize: 1 }, big) as SessionRecord).values, { k: 'é'.repeat(9) }, 'smaller than before')
  t.same((applied({ set: { k: 'x'.repeat(20) }, maxSize: 1 }, big) as SessionRecord).version, 8, 'as large as before')
  t.equal(applied({ set: { k: 'x'.repeat(21) }, maxSize: 1 }, big), 'too-large')
})

t.test('a renewal inside of changes raises the deadline under its own condition, and never fails the rest', async (t) => {
  const renewal = { renewTo: 50, atMost: 60, tolerance: 5, ifAbsoluteExpiresAt: 100, ifLifetime: lifetime }
  const short = { ...record, expiresAt: 40, absoluteExpiresAt: 100 }
  t.equal((applied({ renewal }, short) as SessionRecord).expiresAt, 50)
  t.equal((applied({ renewal: { ...renewal, ifAbsoluteExpiresAt: 99 } }, short) as SessionRecord).expiresAt, 40)
  t.equal((applied({ renewal, expiresAt: 45 }, short) as SessionRecord).expiresAt, 45)
  t.same(applyRenewal(short, renewal), { ...short, expiresAt: 50 })
  t.equal(applyRenewal(short, { ...renewal, ifOwner: 'you' }), null)
  t.same(applyRenewal(short, { ...renewal, ifOwner: 'me' }), { ...short, expiresAt: 50 })
})

t.test('what comes out shares nothing with what went in', async (t) => {
  const earlier = [{ verifier: 'x', until: 1, opens: true }]
  const source = { ...record, earlier }
  for (const copy of [copiedRecord(source), applied({}, source) as SessionRecord, applied({ earlier, lifetime }, record) as SessionRecord]) {
    t.not(copy.lifetime, lifetime)
    t.not(copy.earlier[0], earlier[0])
    t.same(copy.earlier, earlier)
    t.same(copy.lifetime, lifetime)
  }
  t.not(copiedRecord(record).values, record.values)
  t.same(copiedRecord(source), source)
})
