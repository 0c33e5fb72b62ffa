import { Cluster, Redis } from 'ioredis'
import { createCluster, createSentinel } from 'redis'
import t, { type Test } from 'tap'
import { storeSuite } from '../../lib/store-suite.js'
import type { RedisClient } from '../../lib/stores/redis/redis-client.js'
import { RedisStore } from '../../lib/stores/redis/redis-store.js'
import { connectIoRedis, singleClients } from '../fixtures/redis-clients.js'
import { startCluster } from '../fixtures/redis-cluster.js'
import { startRedis, type RedisServer } from '../fixtures/redis.js'
import { tapTest } from '../fixtures/tap-test.js'
import { FakeClock } from '../fixtures/clock.js'
import { skipFileWithout } from '../fixtures/needs.js'

skipFileWithout('redis')

function proveWith (t: Test, client: RedisClient): void {
  const clock = new FakeClock()
  storeSuite({ ...clock, owners: true, test: tapTest(t), createStore: () => new RedisStore({ client, clock }) })
}

t.test('a RedisStore keeps the contract', async (t) => {
  const server = await startRedis(t)
  for (const [name, connect] of Object.entries(singleClients)) {
    await t.test(`with ${name}`, async (t) => proveWith(t, await connect(t, server)))
  }
})

t.test('a RedisStore keeps the contract in real time, and with corrupt records', async (t) => {
  const server = await startRedis(t)
  const client = await connectIoRedis(t, server)
  storeSuite({
    owners: true,
    test: tapTest(t),
    createStore: () => new RedisStore({ client }),
    damage: [
      async function anotherType (_store, id) { await client.set(`keep:${id}`, 'no hash') },
      async function aMissingField (_store, id) { await client.hdel(`keep:${id}`, 'c') },
      async function noFieldButKeys (_store, id) { await client.hdel(`keep:${id}`, 'c', 'e', 'v', 'a') },
      async function aDeadlineThatIsNoNumber (_store, id) { await client.hset(`keep:${id}`, 'e', 'soon') },
      async function aGenerationThatIsNoNumber (_store, id) { await client.hset(`keep:${id}`, 'g', 'first') },
      async function anEmptyVersion (_store, id) { await client.hset(`keep:${id}`, 'v', '') },
      async function aVersionThatIsNoNumber (_store, id) { await client.hset(`keep:${id}`, 'v', '1.5') },
      async function aVersionBeyondNumbers (_store, id) { await client.hset(`keep:${id}`, 'v', '9'.repeat(20)) },
      async function aDeadlineInHex (_store, id) { await client.hset(`keep:${id}`, 'e', '0x' + 'f'.repeat(12)) },
      async function aDeadlineBeyondDates (_store, id) { await client.hset(`keep:${id}`, 'e', '9'.repeat(16)) },
      async function anAbsoluteDeadlineWithALineBreak (_store, id) { await client.hset(`keep:${id}`, 'a', `${Date.now() + 1e6}\n`) },
      async function aLifetimeOfNoTime (_store, id) { await client.hset(`keep:${id}`, 'l', '0 1 1') },
      async function earlierVerifiersThatAreAnObject (_store, id) { await client.hset(`keep:${id}`, 'p', '{"0":1}') },
      async function aMarkBesideARecord (_store, id) { await client.hset(`keep:${id}`, 'x', 'now') },
      async function aLifetimeOfNoNumbers (_store, id) { await client.hset(`keep:${id}`, 'l', 'long longer 1') },
      async function anEmptyLifetime (_store, id) { await client.hset(`keep:${id}`, 'l', '') },
      async function noVerifier (_store, id) { await client.hdel(`keep:${id}`, 'k') },
      async function noEarlierVerifiers (_store, id) { await client.hdel(`keep:${id}`, 'p') },
      async function earlierVerifiersThatAreNoJson (_store, id) { await client.hset(`keep:${id}`, 'p', '[[') },
      async function earlierVerifiersOfAnotherShape (_store, id) { await client.hset(`keep:${id}`, 'p', '[["v","soon",true]]') },
      async function aNegativeGeneration (_store, id) { await client.hset(`keep:${id}`, 'g', '-1') },
      async function noGeneration (_store, id) { await client.hdel(`keep:${id}`, 'g') },
      async function aMarkWithoutATime (_store, id) {
        await client.del(`keep:${id}`)
        await client.hset(`keep:${id}`, 'x', 'yesterday')
      }
    ]
  })
})

t.test('a RedisStore keeps the contract in a Cluster of three', async (t) => {
  const { servers } = await startCluster(t)
  await t.test('with node-redis', async (t) => {
    const client = createCluster({ rootNodes: servers.map(({ url }) => ({ url })) })
    await client.connect()
    t.teardown(() => client.destroy())
    proveWith(t, client)
  })
  await t.test('with ioredis', async (t) => {
    const client = new Cluster(servers.map(({ port }) => ({ port, host: '127.0.0.1' })))
    t.teardown(() => client.disconnect())
    proveWith(t, client)
  })
})

t.test('a RedisStore keeps the contract behind a Sentinel', async (t) => {
  const primary = await startRedis(t)
  const sentinel = await startSentinel(t, primary)
  await t.test('with node-redis', async (t) => {
    const client = createSentinel({ name: 'keep', sentinelRootNodes: [{ host: '127.0.0.1', port: sentinel.port }] })
    await client.connect()
    t.teardown(() => client.destroy())
    proveWith(t, client)
  })
  await t.test('with ioredis', async (t) => {
    const client = new Redis({ name: 'keep', sentinels: [{ host: '127.0.0.1', port: sentinel.port }] })
    t.teardown(() => client.disconnect())
    proveWith(t, client)
  })
})

async function startSentinel (t: Test, primary: RedisServer): Promise<RedisServer> {
  const sentinel = await startRedis(t, '--sentinel')
  const client = await connectIoRedis(t, sentinel)
  await client.call('SENTINEL', 'MONITOR', 'keep', '127.0.0.1', String(primary.port), '1')
  return sentinel
}
