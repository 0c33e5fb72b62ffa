// A fixed budget and a fixed seed in the suite. `npm run test:model -- --minutes 30` looks longer and elsewhere; what it
// prints on failure, `--seed` and `--path`, shows the same story again; `--only 'write lost'`
// looks for one kind of fault.
import t, { type Test } from 'tap'
import { fromPg } from '../../lib/stores/postgres/postgres-store.js'
import type { EncryptionKey } from '../../types/options.js'
import { testKey } from '../fixtures/encryption-keys.js'
import { connectIoRedis } from '../fixtures/redis-clients.js'
import { connectPg, postgresStore } from '../fixtures/postgres-clients.js'
import { startPostgres } from '../fixtures/postgres.js'
import { startRedis } from '../fixtures/redis.js'
import { Kit, type StoreKind } from './kit.js'
import { expressKind, memoryKind, postgresKind, redisKind, sqliteKind } from './kinds.js'
import { explore } from './run.js'

const { MODEL_MINUTES, MODEL_SEED, MODEL_PATH, MODEL_STORE, MODEL_ONLY } = process.env
const KINDS = 6
const SECONDS = MODEL_MINUTES === undefined ? 15 : Number(MODEL_MINUTES) * 60
const seeds = MODEL_SEED !== undefined ? [Number(MODEL_SEED)] : MODEL_MINUTES !== undefined ? [Math.floor(Math.random() * 2 ** 31)] : [1]

const crashes: unknown[] = []
process.on('unhandledRejection', (error) => { crashes.push(error) })

async function holds (t: Test, kind: StoreKind, keys: readonly EncryptionKey[] = []): Promise<void> {
  const kit = await Kit.make(kind, keys)
  t.teardown(() => kit.close())
  for (const seed of seeds) {
    const milliseconds = SECONDS * 1000 / (MODEL_STORE === undefined ? KINDS : 1) / seeds.length
    const { runs, failure } = await explore(kit, {
      milliseconds,
      seed,
      ...(MODEL_PATH !== undefined && { path: MODEL_PATH }),
      ...(MODEL_ONLY !== undefined && { counts: ({ kind }) => kind === MODEL_ONLY })
    })
    if (failure !== null) t.comment(failure)
    t.ok(failure === null, `${runs} schedules from seed ${seed}`)
  }
  t.same(crashes, [], 'and no promise is rejected without a handler')
}

const wanted = (name: string) => MODEL_STORE !== undefined && MODEL_STORE !== name && 'another store was asked for'

t.test('every promise holds in every order of events', async (t) => {
  await t.test('in memory', { skip: wanted('memory') }, (t) => holds(t, memoryKind))
  await t.test('in memory, encrypted under two keys', { skip: wanted('encrypted') }, (t) => holds(t, memoryKind, [testKey('one'), testKey('two')]))
  await t.test('in a store made for express-session', { skip: wanted('express') }, (t) => holds(t, expressKind))
  await t.test('in SQLite', { skip: wanted('sqlite') }, (t) => holds(t, sqliteKind))
  await t.test('in PostgreSQL', { skip: wanted('postgres') || (process.env.KEEP_POSTGRES === undefined && 'no PostgreSQL here') }, async (t) => {
    const url = await startPostgres(t)
    await postgresStore(t, url)
    await holds(t, postgresKind(fromPg(connectPg(t, url))))
  })
  await t.test('in Redis', { skip: wanted('redis') || (process.env.KEEP_REDIS === undefined && 'no Redis here') }, async (t) => {
    await holds(t, redisKind(await connectIoRedis(t, await startRedis(t))))
  })
})
