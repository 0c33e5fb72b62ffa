// `app.sessions.revokeAll()` without an owner: every session of the store.
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import session, { type SessionOptions } from '../index.js'
import { fromExpressStore } from '../lib/stores/express/express-store.js'
import { RedisStore } from '../lib/stores/redis/redis-store.js'
import type { SessionStore } from '../types/store.js'
import { goodRecord } from './fixtures/good-record.js'
import { liveObjectStore } from './fixtures/live-object-store.js'
import { connectIoRedis } from './fixtures/redis-clients.js'
import { startRedis } from './fixtures/redis.js'
import { startPostgres } from './fixtures/postgres.js'
import { postgresStore } from './fixtures/postgres-clients.js'
import { sqliteStore } from './fixtures/sqlite.js'
import { memoryStore, wrapped } from './fixtures/stores.js'
import { findProgram } from './needs.js'
import { newId } from '../lib/store-suite/context.js'

async function start (t: Test, options: SessionOptions): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(session, options)
  app.get('/', async ({ session }) => session.data())
  return app
}

const slow = (): SessionStore => {
  const good = memoryStore()
  return { ...wrapped(good, () => new Promise((resolve) => { setTimeout(resolve, 1) })), ids: () => good.ids() }
}

const stores: Record<string, (t: Test) => Promise<SessionStore>> = {
  'a store that answers at once': async () => memoryStore(),
  'a slow store': async () => slow(),
  SQLite: async () => sqliteStore(),
  ...(findProgram('redis') !== null && {
    Redis: async (t: Test) => new RedisStore({ client: await connectIoRedis(t, await startRedis(t), { keyPrefix: 'mine:' }) })
  }),
  ...(findProgram('postgres') !== null && {
    PostgreSQL: async (t: Test) => postgresStore(t, await startPostgres(t))
  })
}

for (const [kind, makeStore] of Object.entries(stores)) {
  t.test(`on ${kind}, every session ends, visitors and users alike, and none stays listed`, async (t) => {
    const store = await makeStore(t)
    const app = await start(t, { store, ownerKey: 'user' })
    const issued = await Promise.all(Array.from({ length: 300 }, (_, index) => app.sessions.issue(index % 3 === 0 ? { cart: 1 } : { user: `user ${index % 7}` })))
    t.equal(await app.sessions.revokeAll(), 300)
    for (const { cookies } of issued.slice(0, 20)) t.same((await app.inject({ url: '/', cookies })).json(), {})
    for (let index = 0; index < 7; index++) t.same([...await store.owners!.list(`user ${index}`)], [])
    t.equal(await app.sessions.revokeAll(), 0)
  })
}

t.test('no owner is no owner that is undefined', async (t) => {
  const app = await start(t, { ownerKey: 'user' })
  await app.sessions.issue({ user: 'ada' })
  for (const mistake of [undefined, null, '', NaN]) await t.rejects(app.sessions.revokeAll(mistake as never), { code: 'FST_KEEP_INVALID_OWNER' })
  t.equal((await app.sessions.list('ada')).length, 1)
})

t.test('a store that cannot list its sessions says so', async (t) => {
  const app = await start(t, { store: fromExpressStore(liveObjectStore()) })
  await t.rejects(app.sessions.revokeAll(), { code: 'FST_KEEP_NOT_LISTED', message: /revokeAll\(\).*empty the store/ })
})

t.test('a store that throws, answers late, or with what is no list, is a typed error', async (t) => {
  const flaws: Array<() => unknown> = [
    () => { throw new Error('secret') },
    () => 7,
    () => [7],
    () => [['fine'], 'no list'],
    async function * () { throw new Error('secret') },
    () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) })
  ]
  for (const ids of flaws) {
    const app = await start(t, { store: Object.assign(memoryStore(), { ids }) as SessionStore, storeTimeout: '1s' })
    await t.rejects(app.sessions.revokeAll(), { statusCode: 503, code: /^FST_KEEP_STORE/ })
  }
})

t.test('who logs in all the time does not keep it from returning', async (t) => {
  const store = memoryStore()
  const good = store.ids.bind(store)
  store.ids = function * () {
    store.create(newId(), goodRecord())
    yield * good()
  }
  const app = await start(t, { store })
  t.ok(await app.sessions.revokeAll() > 0)
})

t.test('other work goes on in between', async (t) => {
  const app = await start(t, {})
  for (let index = 0; index < 5000; index++) await app.sessions.issue({ cart: index })
  let turns = 0
  const count = setInterval(() => { turns++ }, 0)
  t.equal(await app.sessions.revokeAll(), 5000)
  clearInterval(count)
  t.ok(turns > 10, `${turns} turns`)
})

t.test('nor does a list of ten thousand keep it waiting', async (t) => {
  const app = await start(t, { ownerKey: 'user' })
  for (let index = 0; index < 10_000; index++) await app.sessions.issue({ user: 'ada' })
  let turns = 0
  const count = setInterval(() => { turns++ }, 0)
  t.equal((await app.sessions.list('ada')).length, 10_000)
  t.ok(turns > 2, `${turns} turns while it was listed`)
  t.equal(await app.sessions.revokeAll('ada'), 10_000)
  clearInterval(count)
})
