// What counts as a record, whatever a store answers.
import t from 'tap'
import { isEnded, isRecord } from '../../lib/record/record.js'
import { goodRecord } from '../fixtures/good-record.js'

t.test('what cannot be looked at is no record, but a full stack says nothing about it', async (t) => {
  const throwing = (error: unknown) => Object.defineProperty({ ...goodRecord() }, 'verifier', { get () { throw error } })
  t.equal(isRecord(throwing(new Error('no'))), false)
  t.equal(isRecord(throwing(undefined)), false)
  t.equal(isRecord(throwing(new RangeError('Invalid array length'))), false)
  t.throws(() => isRecord(throwing(new RangeError('Maximum call stack size exceeded'))), RangeError)
  t.equal(isEnded({ get endedAt () { throw new Error('no') } }), false)
})

t.test('each field has its kind, and its bounds', async (t) => {
  const good = goodRecord()
  t.equal(isRecord(good), true)
  const numbers = ['createdAt', 'expiresAt', 'absoluteExpiresAt', 'version', 'generation'] as const
  for (const name of numbers) {
    for (const value of [-1, 0.5, NaN, Infinity, '0', null, undefined, 2 ** 53]) t.equal(isRecord({ ...good, [name]: value }), false, `${name}: ${String(value)}`)
    t.equal(isRecord({ ...good, [name]: 0 }), true, `${name}: 0`)
  }
  for (const name of numbers.slice(0, 3)) t.same([8.64e15, 8.64e15 + 1].map((value) => isRecord({ ...good, [name]: value })), [true, false], name)
  for (const name of numbers.slice(3)) t.equal(isRecord({ ...good, [name]: Number.MAX_SAFE_INTEGER }), true, name)

  const lifetime = { idle: 1, absolute: 1, persistent: false }
  const earlier = { verifier: '', until: 0, opens: true }
  const accepted = [{ owner: 'a' }, { lifetime }, { earlier: [earlier, earlier] }, { values: { __proto__: null } }, { verifier: '' }]
  const refused = [
    { owner: 1 }, { owner: undefined }, { verifier: null }, { shown: 0 }, { earlier: null }, { earlier: { length: 0 } }, { earlier: [null] }, { earlier: [{ ...earlier, until: -1 }] },
    { earlier: [{ ...earlier, verifier: 1 }] }, { earlier: [{ ...earlier, opens: 1 }] }, { lifetime: undefined }, { lifetime: 1 }, { lifetime: { ...lifetime, idle: 0 } }, { lifetime: { ...lifetime, absolute: 0 } },
    { lifetime: { ...lifetime, persistent: 1 } }, { lifetime: { ...lifetime, idle: 400 * 24 * 60 * 60 * 1000 + 1 } }, { values: null }, { values: [] }, { values: { a: 1 } }, { values: 'a' }
  ]
  for (const parts of accepted) t.equal(isRecord({ ...good, ...parts }), true, JSON.stringify(parts))
  for (const parts of refused) t.equal(isRecord({ ...good, ...parts }), false, JSON.stringify(parts))
  for (const answer of [null, undefined, 1, 'a', [], {}]) t.equal(isRecord(answer), false)
})

t.test('a mark says when the session ended', async (t) => {
  t.same([{ endedAt: 0 }, { endedAt: 8.64e15 }].map(isEnded), [true, true])
  t.same([{ endedAt: -1 }, { endedAt: '0' }, {}, null, undefined, 0].map(isEnded), [false, false, false, false, false, false])
})
