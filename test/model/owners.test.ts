// Lists of owners, against everything that can come in between: nothing that existed before `revokeAll` began is alive after it
// returned, nothing lives unlisted, no limit is passed, and what a dead process left undone is finished by the next one.
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { fromPg, PostgresStore } from '../../lib/stores/postgres/postgres-store.js'
import { RedisStore } from '../../lib/stores/redis/redis-store.js'
import { SqliteStore } from '../../lib/stores/sqlite/sqlite-store.js'
import type { SessionStore } from '../../types/store.js'
import { FakeClock } from '../fixtures/clock.js'
import { fuzzRuns } from '../fixtures/fuzz-runs.js'
import { connectIoRedis } from '../fixtures/redis-clients.js'
import { startRedis } from '../fixtures/redis.js'
import { startPostgres } from '../fixtures/postgres.js'
import { connectPg, postgresStore } from '../fixtures/postgres-clients.js'
import { openLibsql, sqlitePath } from '../fixtures/sqlite.js'
import { memoryStore } from '../fixtures/stores.js'
import { findProgram } from '../needs.js'
import { actors, type ActorName, type Limit } from './owner-actors.js'
import { runSchedule, type Schedule } from './owner-schedule.js'

const NO_LIMIT: Limit = { limit: null, onLimit: 'end-oldest' }

/** Every schedule of these actors; each is found by the choices that led to it. */
async function everySchedule (schedule: Schedule): Promise<{ count: number, wrong: string[] }> {
  const wrong: string[] = []
  let count = 0
  for (let path: number[] | null = []; path !== null; count++) {
    const taken: Array<{ choice: number, of: number }> = []
    const clock = new FakeClock()
    const found = await runSchedule(memoryStore(clock), clock, schedule, (of) => {
      const choice = path?.[taken.length] ?? 0
      taken.push({ choice, of })
      return choice
    })
    if (found !== null) wrong.push(found)
    while (taken.length > 0 && taken.at(-1)!.choice + 1 >= taken.at(-1)!.of) taken.pop()
    const last = taken.at(-1)
    path = last === undefined ? null : [...taken.slice(0, -1).map(({ choice }) => choice), last.choice + 1]
  }
  return { count, wrong }
}

// `npm run test:model` has time for all of them
const isLong = process.env.MODEL_MINUTES !== undefined
const MORTAL: readonly ActorName[] = isLong ? Object.keys(actors) as ActorName[] : ['login']

t.test('every schedule of each with revokeAll, where one of the two may die at any step', async (t) => {
  for (const name of Object.keys(actors) as ActorName[]) {
    const { count, wrong } = await everySchedule({ actors: [name, 'revokeAll'], limit: NO_LIMIT, deaths: MORTAL.includes(name) ? 1 : 0 })
    t.same(wrong.slice(0, 3), [], `${name} and revokeAll: ${count} schedules`)
  }
})

t.test('every schedule of a login at its limit with another', async (t) => {
  for (const onLimit of ['end-oldest', 'refuse'] as const) {
    for (const other of ['login', 'loginOfVisitor', 'logout', 'keepAll', 'revoke', 'becomeAda'] as const) {
      for (const limit of isLong ? [1, 2, 3] : [onLimit === 'refuse' ? 3 : 2]) {
        const { count, wrong } = await everySchedule({ actors: ['login', other], limit: { limit, onLimit }, deaths: 0 })
        t.same(wrong.slice(0, 3), [], `login and ${other}, ${onLimit}, at ${limit}: ${count} schedules`)
      }
    }
  }
})

const schedules = fc.record({
  actors: fc.array(fc.constantFrom(...Object.keys(actors) as ActorName[]), { minLength: 2, maxLength: 5 }),
  limit: fc.record({ limit: fc.constantFrom(null, 1, 2, 3), onLimit: fc.constantFrom('end-oldest' as const, 'refuse' as const) }),
  deaths: fc.constantFrom(0, 1, 2)
})

async function holds (t: Test, makeStore: (clock: FakeClock) => Promise<SessionStore>, runs: number): Promise<void> {
  const property = fc.asyncProperty(schedules, fc.array(fc.nat(), { minLength: 60, maxLength: 60 }), async (schedule, choices) => {
    const clock = new FakeClock()
    let next = 0
    const wrong = await runSchedule(await makeStore(clock), clock, schedule, (of) => (choices[next++ % choices.length] as number) % of)
    if (wrong !== null) throw new Error(wrong)
  })
  const { failed, counterexample, errorInstance } = await fc.check(property, { numRuns: fuzzRuns(runs), ...(!isLong && { seed: 1 }) })
  t.notOk(failed, `${JSON.stringify(counterexample?.[0])} ${String((errorInstance as Error | undefined)?.message)}`)
}

t.test('random schedules of up to five, in memory', async (t) => holds(t, async (clock) => memoryStore(clock), 2000))

t.test('random schedules of up to five, in SQLite', async (t) => {
  const database = openLibsql(sqlitePath())
  await new SqliteStore({ database, durability: 'normal' }).open()
  await holds(t, async (clock) => {
    database.exec('DELETE FROM session; DELETE FROM owned')
    return new SqliteStore({ database, durability: 'normal', clock })
  }, 300)
})

t.test('random schedules of up to five, in Redis', { skip: findProgram('redis') === null && 'no Redis here' }, async (t) => {
  const client = await connectIoRedis(t, await startRedis(t))
  await holds(t, async (clock) => {
    await client.flushall()
    return new RedisStore({ client, clock })
  }, 300)
})

t.test('random schedules of up to five, in PostgreSQL', { skip: findProgram('postgres') === null && 'no PostgreSQL here' }, async (t) => {
  const url = await startPostgres(t)
  const pool = connectPg(t, url)
  await postgresStore(t, url)
  await holds(t, async (clock) => {
    await pool.query('DELETE FROM fastify_sessions; DELETE FROM fastify_sessions_owners')
    return new PostgresStore({ ...fromPg(pool), sweepInterval: '1d', clock })
  }, 150)
})
