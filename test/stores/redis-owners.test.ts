// What the contract does not say of lists of owners, and Redis does: keys, deadlines, costs, a full server, the check at the start.
import t, { type Test } from 'tap'
import { RedisStore } from '../../lib/stores/redis/redis-store.js'
import { connectIoRedis } from '../fixtures/redis-clients.js'
import { startRedis } from '../fixtures/redis.js'
import { skipFileWithout } from '../fixtures/needs.js'

skipFileWithout('redis')

const HOUR = 3_600_000

async function setUp (t: Test, ...options: string[]) {
  const server = await startRedis(t, ...options)
  const client = await connectIoRedis(t, server)
  const store = new RedisStore({ client })
  return { server, client, store, owners: store.owners }
}

t.test('a list is one key, which lives as long as its longest session and no shorter', async (t) => {
  const { client, owners } = await setUp(t)
  const ttl = async () => Math.round(await client.pttl('keep:o:ada') / HOUR)
  await owners.add('ada', 'one', { expiresAt: Date.now() + HOUR })
  t.same(await client.keys('*'), ['keep:o:ada'])
  t.equal(await ttl(), 1)
  await owners.add('ada', 'two', { expiresAt: Date.now() + 3 * HOUR })
  t.equal(await ttl(), 3)
  await owners.add('ada', 'three', { expiresAt: Date.now() + 2 * HOUR })
  t.equal(await ttl(), 3)
  await owners.renew('ada', 'one', Date.now() + 5 * HOUR)
  t.equal(await ttl(), 5)
  await owners.mark('ada', [])
  t.equal(await ttl(), 5, 'a mark waits for somebody to finish')
  await owners.remove('ada', ['one', 'two', 'three'])
  t.same(await client.keys('*'), [])
})

t.test('a list of sessions that expire cleans itself, with the next step or by its deadline', async (t) => {
  const { client, owners } = await setUp(t)
  const soon = Date.now() + 200
  for (let index = 0; index < 1000; index++) await owners.add('ada', `session ${index}`, { expiresAt: soon })
  await owners.add('bob', 'only', { expiresAt: soon })
  await owners.add('ada', 'last', { expiresAt: Date.now() + HOUR })
  await new Promise((resolve) => { setTimeout(resolve, 300) })
  t.equal(await client.exists('keep:o:bob'), 0)
  await owners.renew('ada', 'last', Date.now() + HOUR)
  t.equal(await client.zcard('keep:o:ada'), 1)
})

t.test('each step is one command, and ten thousand sessions are removed in ten', async (t) => {
  const { client, owners } = await setUp(t)
  const sent: string[] = []
  const call = client.call.bind(client) as (...args: unknown[]) => Promise<unknown>
  const counted = new RedisStore({ client: { call: (command: string, ...args: string[]) => { sent.push(command); return call(command, ...args) } } }).owners
  await owners.mark('nobody', [])
  await owners.add('ada', 'warm', { expiresAt: Date.now() + HOUR })
  await owners.renew('ada', 'warm', Date.now() + HOUR)
  await counted.add('ada', 'one', { expiresAt: Date.now() + HOUR, limit: 5 })
  await counted.renew('ada', 'one', Date.now() + HOUR)
  await counted.list('ada')
  await counted.mark('ada', [])
  await counted.remove('ada', ['one', 'warm'])
  t.same(sent, ['EVALSHA', 'EVALSHA', 'ZRANGEBYSCORE', 'EVALSHA', 'ZREM'])
  sent.length = 0
  const ids = Array.from({ length: 10_000 }, (_, index) => `session ${index}`)
  await Promise.all(ids.map((id) => owners.add('ada', id, { expiresAt: Date.now() + HOUR })))
  await counted.remove('ada', await counted.mark('ada', []))
  t.same(sent, ['EVALSHA', ...Array.from({ length: 10 }, () => 'ZREM')])
})

t.test('on a full server, which takes no new session, those that are there are still listed, renewed, marked and removed', async (t) => {
  const { client, owners } = await setUp(t, '--maxmemory-policy', 'noeviction')
  await owners.add('ada', 'one', { expiresAt: Date.now() + HOUR })
  await owners.add('ada', 'two', { expiresAt: Date.now() + HOUR })
  await owners.add('bob', 'only', { expiresAt: Date.now() + HOUR })
  await owners.renew('ada', 'one', Date.now())
  await owners.mark('nobody', [])
  await client.config('SET', 'maxmemory', '1')
  await t.rejects(client.set('full', '1'), { message: /OOM/ })
  t.equal(await owners.renew('ada', 'one', Date.now() + 2 * HOUR), true)
  t.equal(Math.round(await client.pttl('keep:o:ada') / HOUR), 2)
  t.same([...await owners.mark('ada', ['one'])], ['two'])
  t.same([...await owners.mark('bob', [])], ['only'])
  t.equal((await owners.add('ada', 'one', { expiresAt: Date.now() + HOUR, limit: 1 })).result, 'done')
  await owners.remove('ada', ['two'])
  t.same(await owners.list('ada'), ['one'])
})

t.test('a server that refuses a command for lists is told at their start, and the probe leaves nothing behind', async (t) => {
  const { server, client, owners } = await setUp(t)
  await owners.open?.()
  t.same(await client.keys('*'), [])
  for (const command of ['evalsha', 'zrem', 'zrangebyscore', 'zadd', 'zscore', 'zcount', 'zremrangebyscore', 'pttl', 'pexpire']) {
    await client.call('ACL', 'SETUSER', 'app', 'reset', 'on', '>pw', '~keep:*', '+@all', `-${command}`)
    const app = await connectIoRedis(t, server, { username: 'app', password: 'pw' })
    await t.rejects(async () => { await new RedisStore({ client: app }).owners.open?.() }, { code: 'FST_KEEP_UNFIT_STORE', message: new RegExp(`refused a command.*${command}`, 'i') }, command)
  }
})

t.test('a server that is away does not stop the start', async (t) => {
  const { server, owners } = await setUp(t)
  await server.kill()
  const away = new RedisStore({ client: { call: async () => { throw new Error('connect ECONNREFUSED') } } })
  await away.owners.open?.()
  t.pass()
  await server.start()
  t.same(await owners.list('ada'), [])
})
