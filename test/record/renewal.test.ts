// What a renewal makes of a deadline.
import t from 'tap'
import { applyRenewal } from '../../lib/record/apply-changes.js'
import { renewedExpiresAt } from '../../lib/record/renewal.js'
import { saveKit } from '../fixtures/save-kit.js'

const renewal = { renewTo: 100, atMost: 110, tolerance: 10, ifLifetime: null, ifAbsoluteExpiresAt: 1000 }
const lifetime = { idle: 1, absolute: 2, persistent: false }

t.test('it only raises, except a deadline that lies beyond the tolerance', async (t) => {
  const record = (expiresAt: number) => saveKit().record({ expiresAt, absoluteExpiresAt: 1000 })
  t.same([99, 100, 101, 110, 120, 121].map((at) => renewedExpiresAt(record(at), renewal)), [100, 100, 101, 110, 120, 110])
})

t.test('it applies to the lifetime and the absolute deadline it was computed for', async (t) => {
  const record = saveKit().record({ expiresAt: 50, absoluteExpiresAt: 1000, lifetime })
  t.equal(renewedExpiresAt(record, renewal), null)
  t.equal(renewedExpiresAt({ ...record, lifetime: null }, { ...renewal, ifLifetime: lifetime }), null)
  t.equal(renewedExpiresAt(record, { ...renewal, ifLifetime: { ...lifetime } }), 100)
  for (const other of [{ idle: 9 }, { absolute: 9 }, { persistent: true }]) {
    t.equal(renewedExpiresAt(record, { ...renewal, ifLifetime: { ...lifetime, ...other } }), null)
  }
  t.equal(renewedExpiresAt({ ...record, absoluteExpiresAt: 999 }, { ...renewal, ifLifetime: lifetime }), null)
  t.equal(applyRenewal(record, renewal), null)
  t.same(applyRenewal(record, { ...renewal, ifLifetime: lifetime }), { ...record, expiresAt: 100 })
})
