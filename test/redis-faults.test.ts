// What becomes of requests when the server fails: nothing is let through, nothing
// hangs, nothing that was confirmed is lost.
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import t, { type Test } from 'tap'
import type { RedisClient } from '../lib/stores/redis/redis-client.js'
import { RedisStore } from '../lib/stores/redis/redis-store.js'
import { connectIoRedis, connectNodeRedis } from './fixtures/redis-clients.js'
import { moveSlotOf, startCluster, type RedisCluster } from './fixtures/redis-cluster.js'
import { startRedis, type RedisServer } from './fixtures/redis.js'
import { startShop } from './fixtures/shop.js'
import { login, lostOf, storeUntil, type Visitor } from './fixtures/visitors.js'
import { skipFileWithout } from './fixtures/needs.js'

skipFileWithout('redis')

const TIMEOUT = 300
// A request asks the store twice, and this machine may be busy.
const LONGEST = 2 * TIMEOUT + 1000
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always']

const clients: Record<string, (t: Test, server: RedisServer) => Promise<RedisClient>> = {
  'node-redis': connectNodeRedis,
  ioredis: connectIoRedis
}

async function open (t: Test, client: RedisClient): Promise<{ strict: FastifyInstance, lenient: FastifyInstance }> {
  const strict = await startShop({ store: new RedisStore({ client }), storeTimeout: TIMEOUT })
  const lenient = await startShop({ store: new RedisStore({ client }), storeTimeout: TIMEOUT, onStoreError: 'anonymous' })
  t.teardown(() => Promise.all([strict.close(), lenient.close()]))
  return { strict, lenient }
}

/** What holds while the store cannot be reached. */
async function answersWithoutStore (t: Test, { strict, lenient }: { strict: FastifyInstance, lenient: FastifyInstance }, { cookies }: Visitor): Promise<void> {
  const begin = performance.now()
  const ask = (app: FastifyInstance, method: 'GET' | 'POST', url: string, jar = cookies) => app.inject({ method, url, cookies: jar })
  const [guarded, changed, guardedAnonymous, peeked, changedAnonymous, open, openAnonymous] = await Promise.all([
    ask(strict, 'GET', '/me'), ask(strict, 'POST', '/set/late/1'),
    ask(lenient, 'GET', '/me'), ask(lenient, 'GET', '/peek'), ask(lenient, 'POST', '/set/late/1'),
    ask(strict, 'GET', '/public', {}), ask(lenient, 'GET', '/public')
  ])
  t.equal(guarded.statusCode, 503)
  t.match(guarded.json(), { code: /^FST_KEEP_STORE/, message: /^The session store/ })
  t.equal(changed.statusCode, 503)
  t.equal(guardedAnonymous.statusCode, 401, 'the guard lets nobody through')
  t.same(peeked.json(), { user: null })
  t.equal(changedAnonymous.statusCode, 503)
  t.equal(open.statusCode, 200)
  t.equal(openAnonymous.statusCode, 200)
  for (const response of [guarded, changed, guardedAnonymous, peeked, changedAnonymous]) {
    t.notMatch(response.body, /redis|127\.0\.0\.1|ECONN|socket/i, 'the client is told nothing of the store')
    t.notOk(response.headers['set-cookie'])
  }
  const took = performance.now() - begin
  t.ok(took < LONGEST, `answered in ${Math.round(took)} ms`)
}

async function answersAgain (app: FastifyInstance, { cookies }: Visitor): Promise<void> {
  while ((await app.inject({ url: '/me', cookies })).statusCode === 503) await delay(20)
}

for (const [name, connect] of Object.entries(clients)) {
  t.test(`a server that is killed under load and started again, with ${name}`, async (t) => {
    const server = await startRedis(t, ...DURABLE)
    const apps = await open(t, await connect(t, server))
    const visitors = await Promise.all(Array.from({ length: 20 }, () => login(apps.strict)))
    const stop = new AbortController()
    const load = storeUntil(apps.strict, visitors, stop.signal)
    while (visitors.some(({ confirmed }) => Object.keys(confirmed).length < 6)) await delay(20)
    await server.kill()
    await answersWithoutStore(t, apps, visitors[0]!)
    await server.start()
    await answersAgain(apps.strict, visitors[0]!)
    await delay(200)
    stop.abort()
    const { statuses, slowest } = await load
    t.same(Object.keys(statuses).sort(), ['200', '503'], JSON.stringify(statuses))
    t.ok(slowest < LONGEST, `the slowest took ${Math.round(slowest)} ms`)
    t.same(await lostOf(apps.strict, visitors), [])
  })

  t.test(`a server that hangs for longer than storeTimeout, with ${name}`, async (t) => {
    const server = await startRedis(t)
    const apps = await open(t, await connect(t, server))
    const visitors = await Promise.all(Array.from({ length: 5 }, () => login(apps.strict)))
    const stop = new AbortController()
    const load = storeUntil(apps.strict, visitors, stop.signal)
    await delay(100)
    server.freeze()
    await answersWithoutStore(t, apps, visitors[0]!)
    const timedOut = await apps.strict.inject({ url: '/me', cookies: visitors[0]!.cookies })
    t.match(timedOut.json(), { statusCode: 503, code: 'FST_KEEP_STORE_TIMEOUT' })
    server.thaw()
    await answersAgain(apps.strict, visitors[0]!)
    await delay(100)
    stop.abort()
    const { slowest } = await load
    t.ok(slowest < LONGEST, `the slowest took ${Math.round(slowest)} ms`)
    t.same(await lostOf(apps.strict, visitors), [])
  })

  t.test(`a server that is away at the start and comes later, with ${name}`, async (t) => {
    const server = await startRedis(t)
    const client = await connect(t, server)
    await server.kill()
    const begin = performance.now()
    const apps = await open(t, client)
    t.ok(performance.now() - begin < 2 * LONGEST, 'the app starts all the same')
    await answersWithoutStore(t, apps, { cookies: { sid: 'A'.repeat(64) }, confirmed: {} })
    await server.start()
    while ((await apps.strict.inject({ method: 'POST', url: '/login' })).statusCode !== 200) await delay(20)
    const visitor = await login(apps.strict)
    t.equal((await apps.strict.inject({ url: '/me', cookies: visitor.cookies })).statusCode, 200)
  })

  t.test(`a server that is full, and one that forgot its scripts, with ${name}`, async (t) => {
    const server = await startRedis(t, '--maxmemory-policy', 'noeviction')
    const admin = await connectIoRedis(t, server)
    const { strict, lenient } = await open(t, await connect(t, server))
    const visitor = await login(strict)
    const { cookies } = visitor
    const ask = (app: FastifyInstance, method: 'GET' | 'POST', url: string) => app.inject({ method, url, cookies })
    await admin.config('SET', 'maxmemory', '1')
    for (const app of [strict, lenient]) {
      t.equal((await ask(app, 'POST', '/set/more/1')).statusCode, 503)
      t.equal((await ask(app, 'POST', '/login')).statusCode, 503)
      const me = await ask(app, 'GET', '/me')
      t.same(me.json(), { user: 42 }, 'reading goes on, and nothing was half done')
    }
    await admin.script('FLUSH')
    t.equal((await ask(strict, 'POST', '/logout')).statusCode, 200, 'one can still log out')
    t.equal((await ask(strict, 'GET', '/me')).statusCode, 401)
    await admin.config('SET', 'maxmemory', '0')
    t.equal((await strict.inject({ method: 'POST', url: '/login' })).statusCode, 200)
    t.equal(await admin.dbsize(), 2, 'the new session and the mark of the ended one: the refused logins left nothing behind')
  })

  t.test(`a client whose connections are cut again and again, with ${name}`, async (t) => {
    const server = await startRedis(t)
    const admin = await connectIoRedis(t, server)
    const { strict } = await open(t, await connect(t, server))
    const visitors = await Promise.all(Array.from({ length: 10 }, () => login(strict)))
    const stop = new AbortController()
    const load = storeUntil(strict, visitors, stop.signal)
    for (let cut = 0; cut < 10; cut++) {
      await delay(40)
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    }
    await answersAgain(strict, visitors[0]!)
    stop.abort()
    const { statuses, slowest } = await load
    t.same(Object.keys(statuses).filter((status) => status !== '503'), ['200'], JSON.stringify(statuses))
    t.ok(slowest < LONGEST)
    t.same(await lostOf(strict, visitors), [])
  })
}

t.test('slots of a Cluster move while their sessions are written', async (t) => {
  const cluster = await startCluster(t)
  for (const [name, connect] of Object.entries(clusterClients)) {
    await t.test(`with ${name}`, async (t) => {
      const app = await startShop({ store: new RedisStore({ client: await connect(t, cluster) }) })
      t.teardown(() => app.close())
      const visitors = await Promise.all(Array.from({ length: 12 }, () => login(app)))
      const stop = new AbortController()
      const load = storeUntil(app, visitors, stop.signal)
      for (const [node, source] of cluster.nodes.entries()) {
        for (const key of (await source.keys('keep:*')).slice(0, 2)) await moveSlotOf(cluster, key, node, (node + 1) % 3)
      }
      await delay(100)
      stop.abort()
      const { statuses } = await load
      t.same(Object.keys(statuses), ['200'], JSON.stringify(statuses))
      t.same(await lostOf(app, visitors), [])
    })
  }
})

const clusterClients: Record<string, (t: Test, cluster: RedisCluster) => Promise<RedisClient>> = {
  'node-redis': async (t, { servers }) => {
    const client = createCluster({ rootNodes: servers.map(({ url }) => ({ url })) })
    await client.connect()
    t.teardown(() => client.destroy())
    return client
  },
  ioredis: async (t, { servers }) => {
    const client = new Cluster(servers.map(({ port }) => ({ port, host: '127.0.0.1' })))
    t.teardown(() => client.disconnect())
    return client
  }
}
