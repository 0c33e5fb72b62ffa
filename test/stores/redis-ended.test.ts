// A session that ends in one process fires the signal in another, whichever client they use.
import { setTimeout as delay } from 'node:timers/promises'
import { Cluster } from 'ioredis'
import { createCluster, createSentinel } from 'redis'
import t, { type Test } from 'tap'
import type { RedisClient } from '../../lib/stores/redis/redis-client.js'
import { RedisStore } from '../../lib/stores/redis/redis-store.js'
import type { EndReason } from '../../types/store.js'
import { goodRecord } from '../fixtures/good-record.js'
import { skipFileWithout } from '../fixtures/needs.js'
import { connectIoRedis, singleClients } from '../fixtures/redis-clients.js'
import { startCluster } from '../fixtures/redis-cluster.js'
import { startRedis } from '../fixtures/redis.js'
import { newId } from '../../lib/store-suite/context.js'

skipFileWithout('redis')

const DEADLINE = 5000

interface Heard { readonly told: Array<[id: string, reason: EndReason | null]>, readonly stop: AbortController }

async function listen (t: Test, store: RedisStore): Promise<Heard> {
  const heard: Heard = { told: [], stop: new AbortController() }
  t.teardown(() => heard.stop.abort())
  await store.onEnded((id, reason) => { heard.told.push([id, reason]) }, heard.stop.signal)
  return heard
}

async function hears ({ told }: Heard, id: string): Promise<EndReason | null | undefined> {
  for (const until = Date.now() + DEADLINE; Date.now() < until; await delay(5)) {
    const found = told.find(([each]) => each === id)
    if (found !== undefined) return found[1]
  }
  return undefined
}

async function begin (store: RedisStore): Promise<string> {
  const id = newId()
  await store.create(id, goodRecord())
  return id
}

/** Ends a session in one store, and asks what the other one heard. */
async function tellAndHear (t: Test, teller: RedisStore, heard: Heard): Promise<void> {
  for (const reason of ['logout', 'revoked', 'limit', 'replaced', 'invalid'] as const) {
    const id = await begin(teller)
    await teller.destroy(id, { reason })
    t.equal(await hears(heard, id), reason)
  }
  const [silent, last] = [await begin(teller), await begin(teller)]
  await teller.destroy(silent, { ifGeneration: 7, reason: 'logout' })
  await teller.destroy(last)
  t.equal(await hears(heard, last), null, 'no reason was given')
  t.notOk(heard.told.some(([id]) => id === silent), 'what did not end is not told')
  heard.stop.abort()
  const count = heard.told.length
  await teller.destroy(await begin(teller))
  await delay(30)
  t.equal(heard.told.length, count, 'nothing after the stop')
}

t.test('one process hears of what another ended', async (t) => {
  const server = await startRedis(t)
  const teller = new RedisStore({ client: await connectIoRedis(t, server) })
  for (const [name, connect] of Object.entries(singleClients)) {
    await t.test(`with ${name}`, async (t) => {
      await tellAndHear(t, teller, await listen(t, new RedisStore({ client: await connect(t, server) })))
    })
    await t.test(`of ${name}`, async (t) => {
      await tellAndHear(t, new RedisStore({ client: await connect(t, server) }), await listen(t, teller))
    })
  }
  const left = await connectIoRedis(t, server)
  for (const until = Date.now() + DEADLINE; Date.now() < until && (await left.call('PUBSUB', 'NUMSUB', 'keep:ended') as [string, number])[1] > 0;) await delay(20)
  t.same(await left.call('PUBSUB', 'NUMSUB', 'keep:ended'), ['keep:ended', 0], 'every connection is closed')
})

t.test('another prefix hears nothing, nor does anybody of what we did not send', async (t) => {
  const server = await startRedis(t)
  const client = await connectIoRedis(t, server)
  const heard = await listen(t, new RedisStore({ client }))
  const other = new RedisStore({ client, prefix: 'other:' })
  await other.destroy(await begin(other), { reason: 'logout' })
  for (const strange of ['', ' ', 'x logout', '*'.repeat(24), `${newId()}${newId()} logout`]) await client.publish('keep:ended', strange)
  const id = newId()
  await client.publish('keep:ended', `${id} because`)
  t.equal(await hears(heard, id), null)
  t.equal(heard.told.length, 1)
})

t.test('it hears again after the server was away, and ends no process', async (t) => {
  for (const name of ['node-redis with RESP3', 'ioredis with RESP2']) {
    await t.test(`with ${name}`, async (t) => {
      const server = await startRedis(t)
      const client = await singleClients[name]!(t, server)
      const store = new RedisStore({ client })
      const heard = await listen(t, store)
      await server.kill()
      await delay(100)
      await server.start()
      const watcher = await connectIoRedis(t, server)
      for (const until = Date.now() + DEADLINE; Date.now() < until && (await watcher.call('PUBSUB', 'NUMSUB', 'keep:ended') as [string, number])[1] === 0;) await delay(20)
      const id = newId()
      await watcher.publish('keep:ended', `${id} logout`)
      t.equal(await hears(heard, id), 'logout')
    })
  }
})

t.test('who may not publish ends sessions all the same, and who may not subscribe is told', async (t) => {
  const server = await startRedis(t)
  const admin = await connectIoRedis(t, server)
  await admin.call('ACL', 'SETUSER', 'app', 'reset', 'on', '>pw', '~keep:*', '+@all')
  const client = await connectIoRedis(t, server, { username: 'app', password: 'pw' })
  const store = new RedisStore({ client })
  const id = await begin(store)
  t.equal(await store.destroy(id, { reason: 'logout' }), 'done')
  t.match(await store.read(id), { endedAt: Number })
  await t.rejects(store.onEnded(() => {}, new AbortController().signal), { message: /NOPERM/ })
})

t.test('a client that cannot be duplicated says so', async (t) => {
  const store = new RedisStore({ client: { call: async () => 'OK' } })
  await t.rejects(store.onEnded(() => {}, new AbortController().signal), { message: /duplicate/ })
})

t.test('a listener that waits for a server that is away can be stopped', async (t) => {
  for (const name of ['node-redis with RESP3', 'ioredis with RESP2']) {
    const server = await startRedis(t)
    const client = await singleClients[name]!(t, server)
    await server.kill()
    const stop = new AbortController()
    new RedisStore({ client }).onEnded(() => {}, stop.signal).catch(() => {})
    await delay(100)
    stop.abort()
    await delay(100)
    await server.start()
    const watcher = await connectIoRedis(t, server)
    await delay(300)
    t.same(await watcher.call('PUBSUB', 'NUMSUB', 'keep:ended'), ['keep:ended', 0], name)
  }
})

t.test('in a Cluster of three, from every server to every other', async (t) => {
  const { servers } = await startCluster(t)
  const connect: Record<string, () => Promise<RedisClient>> = {
    'node-redis': async () => {
      const client = createCluster({ rootNodes: servers.map(({ url }) => ({ url })) })
      await client.connect()
      t.teardown(() => client.destroy())
      return client
    },
    ioredis: async () => {
      const client = new Cluster(servers.map(({ port }) => ({ port, host: '127.0.0.1' })))
      t.teardown(() => client.disconnect())
      return client
    }
  }
  for (const [name, open] of Object.entries(connect)) {
    await t.test(`with ${name}`, async (t) => {
      const [teller, listener] = [new RedisStore({ client: await open() }), new RedisStore({ client: await open() })]
      const heard = await listen(t, listener)
      for (let index = 0; index < 20; index++) {
        const id = await begin(teller)
        await teller.destroy(id, { reason: 'logout' })
        t.equal(await hears(heard, id), 'logout')
      }
    })
    await t.test(`revokeAll() finds the sessions of every server, with ${name}`, async (t) => {
      const store = new RedisStore({ client: await open(), prefix: `${name}*[x]?\\:` })
      const ids = await Promise.all(Array.from({ length: 100 }, () => begin(store)))
      const found: string[] = []
      for await (const slice of store.ids()) found.push(...slice)
      t.same(found.sort(), ids.sort())
    })
  }
})

t.test('behind a Sentinel', async (t) => {
  const primary = await startRedis(t)
  const sentinel = await startRedis(t, '--sentinel')
  await (await connectIoRedis(t, sentinel)).call('SENTINEL', 'MONITOR', 'keep', '127.0.0.1', String(primary.port), '1')
  const client = createSentinel({ name: 'keep', sentinelRootNodes: [{ host: '127.0.0.1', port: sentinel.port }] })
  await client.connect()
  t.teardown(() => client.destroy())
  const store = new RedisStore({ client })
  await tellAndHear(t, store, await listen(t, store))
})

t.test('every client lists all ids, with those of no session left out', async (t) => {
  const server = await startRedis(t)
  for (const [name, connect] of Object.entries(singleClients)) {
    const client = await connect(t, server)
    const [store, other] = [new RedisStore({ client, prefix: `${name}:` }), new RedisStore({ client, prefix: `${name}:other:` })]
    const ids = await Promise.all(Array.from({ length: 30 }, () => begin(store)))
    await begin(other)
    await store.owners.add('ada', 'one', { expiresAt: Date.now() + 10_000 })
    const found = new Set<string>()
    for await (const slice of store.ids()) for (const id of slice) found.add(id)
    t.same([...found].sort(), ids.sort(), name)
  }
})
