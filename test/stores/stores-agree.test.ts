// Every store gives the same answers as the default one, whatever is done in whatever order.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { MemoryStore } from '../../index.js'
import { fromExpressStore } from '../../lib/stores/express/express-store.js'
import { RedisStore } from '../../lib/stores/redis/redis-store.js'
import type { Clock } from '../../types/options.js'
import type { EarlierVerifier, EndedSession, SessionChanges, SessionLifetime, SessionRecord, SessionRenewal, SessionStore } from '../../types/store.js'
import { fuzzRuns } from '../fixtures/fuzz-runs.js'
import { liveObjectStore } from '../fixtures/live-object-store.js'
import { needs } from '../fixtures/needs.js'
import { connectIoRedis } from '../fixtures/redis-clients.js'
import { startRedis } from '../fixtures/redis.js'
import { startPostgres } from '../fixtures/postgres.js'
import { postgresStore } from '../fixtures/postgres-clients.js'
import { sqliteStore } from '../fixtures/sqlite.js'

type Step =
  | { call: 'create', record: SessionRecord }
  | { call: 'update', changes: SessionChanges }
  | { call: 'touch', renewal: SessionRenewal }
  | { call: 'destroy', ifGeneration: number | undefined, ifVersion: number | undefined }
  | { call: 'wait', ms: number }

const START = Date.UTC(2026, 0, 1)

const time = fc.integer({ min: 0, max: 40 }).map((minutes) => START + minutes * 60_000)
const key = fc.constantFrom('a', 'b', '__proto__', '', '\ud800', 'ключ')
const encoded = fc.constantFrom('1', '"x"', '"ключ"', '"\\u0000"', `"${'y'.repeat(50)}"`)
const verifier = fc.constantFrom('created in step 0', 'v1', 'v2')
const values = fc.dictionary(key, encoded, { maxKeys: 3 })
const lifetime: fc.Arbitrary<SessionLifetime | null> = fc.option(fc.record({ idle: fc.constantFrom(60_000, 600_000), absolute: fc.constant(3_600_000), persistent: fc.boolean() }))
const earlier: fc.Arbitrary<EarlierVerifier[]> = fc.array(fc.record({ verifier, until: time, opens: fc.boolean() }), { maxLength: 2 })
const owner = fc.constantFrom(null, '', 'ada', '\udfff')
const small = fc.integer({ min: 0, max: 3 })
const renewal = fc.record({
  renewTo: time, atMost: time, tolerance: fc.constantFrom(0, 60_000), ifLifetime: lifetime, ifAbsoluteExpiresAt: time, ifOwner: owner
}, { requiredKeys: ['renewTo', 'atMost', 'tolerance', 'ifLifetime', 'ifAbsoluteExpiresAt'] }) as fc.Arbitrary<SessionRenewal>
const record = fc.record({
  values, createdAt: time, expiresAt: time, absoluteExpiresAt: time, version: small, owner, about: owner, lifetime, verifier, earlier, generation: small, shown: fc.boolean()
})
const changes = fc.record({
  clear: fc.boolean(),
  set: values,
  remove: fc.array(key, { maxLength: 2 }),
  ifGeneration: small,
  ifVerifier: verifier,
  ifLifetime: lifetime,
  ifValue: fc.record({ key, encoded: fc.option(encoded) }),
  maxSize: fc.constantFrom(5, 60, 1000),
  renewal,
  createdAt: time,
  expiresAt: time,
  absoluteExpiresAt: time,
  lifetime,
  owner,
  about: owner,
  verifier,
  earlier,
  generation: small,
  shown: fc.boolean()
}, { requiredKeys: ['clear', 'set', 'remove'] }) as fc.Arbitrary<SessionChanges>

const steps: fc.Arbitrary<Step[]> = fc.array(fc.oneof(
  { weight: 2, arbitrary: record.map((record): Step => ({ call: 'create', record })) },
  { weight: 6, arbitrary: changes.map((changes): Step => ({ call: 'update', changes })) },
  { weight: 2, arbitrary: renewal.map((renewal): Step => ({ call: 'touch', renewal })) },
  { weight: 1, arbitrary: fc.record({ ifGeneration: fc.option(small, { nil: undefined }), ifVersion: fc.option(small, { nil: undefined }) }).map((condition): Step => ({ call: 'destroy', ...condition })) },
  { weight: 1, arbitrary: fc.constantFrom(1000, 30_000, 60_000, 600_000).map((ms): Step => ({ call: 'wait', ms })) }
), { minLength: 1, maxLength: 12 })

class TestClock implements Clock {
  #now = START
  now = (): number => this.#now
  set = (now: number): void => { this.#now = now }
}

async function take (store: SessionStore, id: string, step: Step, index: number): Promise<unknown> {
  switch (step.call) {
    // two creations with one verifier are one that a client repeated
    case 'create': return store.create(id, { ...step.record, verifier: `created in step ${index}` })
    case 'update': return store.update(id, step.changes)
    case 'touch': return store.touch(id, step.renewal)
    case 'destroy': return store.destroy(id, { ...(step.ifGeneration !== undefined && { ifGeneration: step.ifGeneration }), ...(step.ifVersion !== undefined && { ifVersion: step.ifVersion }) })
    case 'wait': return null
  }
}

function plain (found: SessionRecord | EndedSession | null): unknown {
  if (found === null || 'endedAt' in found) return found
  return { ...found, values: Object.entries(found.values).sort(), lifetime: found.lifetime && { ...found.lifetime }, earlier: found.earlier.map((each) => ({ ...each })) }
}

/** Throws at the first step where the stores differ. */
async function compare (store: SessionStore, clock: TestClock, id: string, schedule: readonly Step[]): Promise<void> {
  clock.set(START)
  const reference = new MemoryStore({ clock, sweepInterval: '1d' })
  for (const [index, step] of schedule.entries()) {
    if (step.call === 'wait') clock.set(clock.now() + step.ms)
    const expected = { answer: await take(reference, id, step, index), record: plain(reference.read(id)) }
    const found = { answer: await take(store, id, step, index), record: plain(await store.read(id)) }
    assert.deepEqual(found, expected, `step ${index}: ${JSON.stringify(step)}`)
  }
  reference.close()
}

let ids = 0

async function agrees (store: SessionStore, clock: TestClock, runs: number): Promise<void> {
  await fc.assert(fc.asyncProperty(steps, (schedule) => compare(store, clock, `agree-${++ids}`.padEnd(24, '-'), schedule)), { numRuns: fuzzRuns(runs) })
}

t.test('a store made for express-session', async () => {
  const clock = new TestClock()
  await agrees(fromExpressStore(liveObjectStore(), { clock }), clock, 300)
})

t.test('Redis', async (t) => {
  if (needs(t, 'redis') === null) return
  const clock = new TestClock()
  const client = await connectIoRedis(t, await startRedis(t))
  await agrees(new RedisStore({ client, clock }), clock, 300)
})

t.test('SQLite', async () => {
  const clock = new TestClock()
  await agrees(sqliteStore({ clock }), clock, 300)
})

t.test('PostgreSQL', async (t) => {
  if (needs(t, 'postgres') === null) return
  const clock = new TestClock()
  await agrees(await postgresStore(t, await startPostgres(t), { clock }), clock, 300)
})
