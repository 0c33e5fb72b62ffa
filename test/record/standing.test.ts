// How a token stands to a record, before and after rotations and step-ups.
import t from 'tap'
import { earlierAfterFirstUse, earlierAfterRotation, earlierAfterStepUp, standingOf } from '../../lib/record/standing.js'
import { MINUTE } from '../fixtures/clock.js'

const now = 1_000_000_000
const token = (verifier: string, others: string[] = []) => ({ verifier, others })
const entry = (verifier: string, until: number, opens = true) => ({ verifier, until, opens })

t.test('an earlier token opens until its time, is late for a minute, then outdated', async (t) => {
  const record = { verifier: 'new', earlier: [entry('old', now), entry('shut', now, false)] }
  t.same([standingOf(record, token('new'), now), standingOf(record, token('other'), now)], ['current', 'unknown'])
  t.same([now - 1, now, now + MINUTE - 1, now + MINUTE].map((at) => standingOf(record, token('old'), at)), ['earlier', 'late', 'late', 'outdated'])
  t.same([now - 1, now, now + MINUTE - 1, now + MINUTE].map((at) => standingOf(record, token('shut'), at)), ['late', 'late', 'late', 'outdated'])
  t.equal(standingOf({ verifier: 'new', earlier: [entry('new', 0)] }, token('new'), now), 'current')
  t.equal(standingOf({ verifier: 'new', earlier: [entry('old', now), entry('old', now + 1)] }, token('old'), now), 'late', 'the newest entry counts')
})

t.test('a rotation lets the old token open for ten minutes', async (t) => {
  t.same(earlierAfterRotation({ verifier: 'v', earlier: [] }, now), [entry('v', now + 10 * MINUTE)])
})

t.test('four that are still in time stop a rotation, and outdated ones make room', async (t) => {
  const inTime = ['a', 'b', 'c', 'd'].map((verifier) => entry(verifier, now - MINUTE + 1))
  t.equal(earlierAfterRotation({ verifier: 'v', earlier: inTime }, now), null)
  const outdated = entry('x', now - MINUTE)
  const rotated = earlierAfterRotation({ verifier: 'v', earlier: [outdated, ...inTime.slice(0, 3)] }, now)
  t.same(rotated?.map(({ verifier }) => verifier), ['v', 'a', 'b', 'c'])
  t.same(earlierAfterRotation({ verifier: 'v', earlier: [outdated] }, now)?.map(({ verifier }) => verifier), ['v', 'x'])
})

t.test('a step-up closes all at once, prolongs none, and keeps sixteen', async (t) => {
  const earlier = [entry('open', now + 1), entry('over', now - 5)]
  t.same(earlierAfterStepUp({ verifier: 'v', earlier }, now), [entry('v', now, false), entry('open', now, false), entry('over', now - 5, false)])
  const many = Array.from({ length: 16 }, (_, i) => entry(`k${i}`, now))
  const after = earlierAfterStepUp({ verifier: 'v', earlier: many }, now)
  t.same([after.length, after[0]?.verifier, after[15]?.verifier], [16, 'v', 'k14'])
})

t.test('the first use leaves a minute to what opens, and prolongs nothing', async (t) => {
  const earlier = [entry('long', now + 9 * MINUTE), entry('short', now + 1), entry('shut', now + 9 * MINUTE, false)]
  t.same(earlierAfterFirstUse({ verifier: 'v', earlier }, now), [entry('long', now + MINUTE), entry('short', now + 1), entry('shut', now + 9 * MINUTE, false)])
})
