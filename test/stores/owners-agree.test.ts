// The lists of owners in every store give the same answers as those in memory, whatever is done in whatever order.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { MemoryStore } from '../../index.js'
import { RedisStore } from '../../lib/stores/redis/redis-store.js'
import type { OwnerEntry, SessionOwners } from '../../types/owners.js'
import { fuzzRuns } from '../fixtures/fuzz-runs.js'
import { needs } from '../fixtures/needs.js'
import { connectIoRedis } from '../fixtures/redis-clients.js'
import { startRedis } from '../fixtures/redis.js'
import { startPostgres } from '../fixtures/postgres.js'
import { postgresStore } from '../fixtures/postgres-clients.js'
import { sqliteStore } from '../fixtures/sqlite.js'

type Step =
  | { call: 'add', id: string, minutes: number, entry: Omit<OwnerEntry, 'expiresAt'> }
  | { call: 'renew', id: string, minutes: number }
  | { call: 'mark', except: string[] }
  | { call: 'remove', ids: string[] }
  | { call: 'list' }
  | { call: 'wait', minutes: number }

const MINUTE = 60_000
const START = Date.UTC(2026, 0, 1)

const ids = ['a', 'b', 'c', 'd', 'e', 'f']
const id = fc.constantFrom(...ids)
const minutes = fc.integer({ min: 1, max: 40 })
const entry = fc.record({ limit: fc.integer({ min: 1, max: 4 }), onLimit: fc.constantFrom('end-oldest', 'refuse'), replaces: id, isSuccessor: fc.boolean() }, { requiredKeys: [] }) as fc.Arbitrary<Omit<OwnerEntry, 'expiresAt'>>
const steps: fc.Arbitrary<Step[]> = fc.array(fc.oneof(
  { weight: 8, arbitrary: fc.record({ call: fc.constant('add' as const), id, minutes, entry }) },
  { weight: 3, arbitrary: fc.record({ call: fc.constant('renew' as const), id, minutes }) },
  { weight: 2, arbitrary: fc.record({ call: fc.constant('mark' as const), except: fc.subarray(ids) }) },
  { weight: 2, arbitrary: fc.record({ call: fc.constant('remove' as const), ids: fc.subarray(ids) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ call: 'list' }) },
  { weight: 2, arbitrary: fc.record({ call: fc.constant('wait' as const), minutes: fc.integer({ min: 1, max: 15 }) }) }
), { minLength: 1, maxLength: 25 })

let now = START
const clock = { now: () => now }

/** Of those that expire at the same time either may be marked, so each id has milliseconds of its own. */
function deadline (id: string, minutes: number): number {
  return now + minutes * MINUTE + ids.indexOf(id)
}

async function take (owners: SessionOwners, owner: string, step: Step): Promise<unknown> {
  switch (step.call) {
    case 'add': {
      const { result, marked } = await owners.add(owner, step.id, { ...step.entry, expiresAt: deadline(step.id, step.minutes) })
      return { result, marked: [...marked].sort() }
    }
    case 'renew': return owners.renew(owner, step.id, deadline(step.id, step.minutes))
    case 'mark': return [...await owners.mark(owner, step.except)].sort()
    case 'remove': return owners.remove(owner, step.ids)
    case 'list': return [...await owners.list(owner)].sort()
    case 'wait': return null
  }
}

async function agree (owners: SessionOwners): Promise<void> {
  let count = 0
  await fc.assert(fc.asyncProperty(steps, async (schedule) => {
    now = START
    const owner = `owner ${++count}`
    const reference = new MemoryStore({ clock })
    for (const [index, step] of schedule.entries()) {
      if (step.call === 'wait') now += step.minutes * MINUTE
      const expected = [await take(reference.owners, owner, step), await take(reference.owners, owner, { call: 'list' })]
      assert.deepEqual([await take(owners, owner, step), await take(owners, owner, { call: 'list' })], expected, `step ${index}: ${JSON.stringify(step)}`)
    }
  }), { numRuns: fuzzRuns(300) })
}

t.test('SQLite', () => agree(sqliteStore({ clock }).owners))

t.test('Redis', async (t) => {
  if (needs(t, 'redis') === null) return
  const client = await connectIoRedis(t, await startRedis(t))
  await agree(new RedisStore({ client, clock }).owners)
})

t.test('PostgreSQL', async (t) => {
  if (needs(t, 'postgres') === null) return
  await agree((await postgresStore(t, await startPostgres(t), { clock })).owners)
})
