// What the contract does not say, and Redis does: keys, costs, the check at the start, repeated commands.
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import t, { type Test } from 'tap'
import session from '../../index.js'
import { toEntries } from '../../lib/stores/redis/redis-client.js'
import { RedisStore } from '../../lib/stores/redis/redis-store.js'
import type { RedisClient } from '../../lib/stores/redis/redis-client.js'
import type { SessionChanges, SessionRecord, SessionRenewal } from '../../types/store.js'
import { cuttingProxy } from '../fixtures/cutting-proxy.js'
import { goodRecord } from '../fixtures/good-record.js'
import { connectIoRedis, connectNodeRedis, singleClients } from '../fixtures/redis-clients.js'
import { startRedis } from '../fixtures/redis.js'
import { skipFileWithout } from '../fixtures/needs.js'

skipFileWithout('redis')

const HOUR = 3_600_000

function record (values: Record<string, string> = { user: '42' }): SessionRecord {
  const now = Date.now()
  return goodRecord({ values, createdAt: now, expiresAt: now + HOUR, absoluteExpiresAt: now + 24 * HOUR })
}

const setting = (set: Record<string, string>): SessionChanges => ({ clear: false, set, remove: [] })

const counting = (from: number): SessionChanges => ({ ...setting({ count: String(from + 1) }), ifValue: { key: 'count', encoded: String(from) } })

async function found (store: RedisStore, id: string): Promise<SessionRecord> {
  return await store.read(id) as SessionRecord
}

/** To an hour from now times so many. */
async function renewalOf (store: RedisStore, id: string, hours: number): Promise<SessionRenewal> {
  const renewTo = Date.now() + hours * HOUR
  const { absoluteExpiresAt } = await found(store, id)
  return { renewTo, atMost: renewTo, tolerance: HOUR / 10, ifLifetime: null, ifAbsoluteExpiresAt: absoluteExpiresAt }
}

async function start (store: RedisStore, options: object = {}) {
  const app = Fastify()
  await app.register(session, { store, ...options })
  return app
}

async function refuses (t: Test, run: () => unknown, code: string, message: RegExp): Promise<void> {
  await t.rejects(async () => { await run() }, { code, message })
}

t.test('the constructor names an option that cannot work', async (t) => {
  const invalid = 'FST_KEEP_INVALID_OPTION'
  for (const client of [undefined, null, {}, 'redis://localhost', new Map()]) {
    await refuses(t, () => new RedisStore({ client: client as unknown as Redis }), invalid, /option client is .*createClient/)
  }
  const client = { call: async () => null }
  await refuses(t, () => new RedisStore({ client, prefix: 7 as unknown as string }), invalid, /option prefix is 7/)
})

t.test('a client that nobody connected stops the start', async (t) => {
  const client = createClient({ url: 'redis://127.0.0.1:1' })
  await refuses(t, () => start(new RedisStore({ client })), 'FST_KEEP_INVALID_OPTION', /client\.connect\(\)/)
})

t.test('a server that is too old stops the start', async (t) => {
  for (const version of ['2.8.24', '5.0.14', '6.0.16']) {
    const client = { call: async () => `# Server\r\nredis_version:${version}\r\nredis_mode:standalone\r\n` }
    await refuses(t, () => start(new RedisStore({ client })), 'FST_KEEP_UNFIT_STORE', new RegExp(`Redis ${version}; use Redis 6.2`))
  }
})

t.test('a server that refuses a command or the login stops the start, and INFO alone is not needed', async (t) => {
  const server = await startRedis(t)
  const admin = await connectIoRedis(t, server)
  const all = ['hgetall', 'evalsha', 'eval', 'del', 'exists', 'hget', 'hmget', 'hkeys', 'hset', 'hdel', 'hincrby', 'pexpire']
  // from here on the server knows the scripts
  await (await start(new RedisStore({ client: admin }))).close()
  for (const command of all) {
    await admin.call('ACL', 'SETUSER', 'app', 'reset', 'on', '>pw', '~keep:*', '+@all', `-${command}`)
    const client = await connectIoRedis(t, server, { username: 'app', password: 'pw' })
    await refuses(t, () => start(new RedisStore({ client })), 'FST_KEEP_UNFIT_STORE', new RegExp(`refused a command.*${command}`, 'i'))
  }
  await admin.call('ACL', 'SETUSER', 'app', 'reset', 'on', '>pw', '~other:*', '+@all')
  const elsewhere = await connectIoRedis(t, server, { username: 'app', password: 'pw' })
  await refuses(t, () => start(new RedisStore({ client: elsewhere })), 'FST_KEEP_UNFIT_STORE', /store's prefix/)
  const app = await start(new RedisStore({ client: elsewhere, prefix: 'other:' }))
  await app.close()

  await admin.call('ACL', 'SETUSER', 'app', 'reset', 'on', '>pw', '~keep:*', ...all.map((command) => `+${command}`))
  const bare = await connectIoRedis(t, server, { username: 'app', password: 'pw', enableReadyCheck: false, disableClientInfo: true })
  await (await start(new RedisStore({ client: bare }))).close()

  await admin.call('ACL', 'SETUSER', 'default', 'resetpass', '>secret')
  const stranger = await connectIoRedis(t, server)
  await refuses(t, () => start(new RedisStore({ client: stranger })), 'FST_KEEP_UNFIT_STORE', /refused the login/)
})

t.test('the check at the start leaves nothing behind', async (t) => {
  const server = await startRedis(t)
  const client = await connectIoRedis(t, server)
  const app = await start(new RedisStore({ client }))
  t.same(await client.keys('*'), [])
  await app.close()
  t.equal(await client.ping(), 'PONG', "the user's client stays connected")
  t.equal(client.listenerCount('error'), 1, "the user's own listener")
})

t.test('every key has a deadline, from its first write on', async (t) => {
  const server = await startRedis(t)
  const client = await connectIoRedis(t, server)
  const store = new RedisStore({ client })
  const near = async (id: string, ms: number) => {
    const ttl = await client.pttl(`keep:${id}`)
    t.ok(ttl > ms - 5000 && ttl <= ms, `${id} has ${ttl} of ${ms}`)
  }
  await store.create('a', record())
  await near('a', HOUR)
  await store.update('a', setting({ b: '1' }))
  await near('a', HOUR)
  await store.update('a', { clear: true, set: {}, remove: [], expiresAt: Date.now() + 2 * HOUR })
  await near('a', 2 * HOUR)
  await store.touch('a', await renewalOf(store, 'a', 3))
  await near('a', 3 * HOUR)
  await store.update('a', { ...setting({}), renewal: await renewalOf(store, 'a', 4) })
  await near('a', 4 * HOUR)
  const lowered = Date.now() + HOUR
  await store.touch('a', { ...await renewalOf(store, 'a', 1), renewTo: lowered, atMost: lowered, tolerance: 0 })
  await near('a', HOUR)
  t.equal(await store.update('missing', setting({ b: '1' })), 'missing')
  for (const key of await client.keys('*')) t.ok(await client.pttl(key) > 0, key)
})

t.test('what is left of an ended session holds no values and lives for a minute', async (t) => {
  const server = await startRedis(t)
  const client = await connectIoRedis(t, server)
  const store = new RedisStore({ client })
  await store.create('a', { ...record({ secret: '1', count: '0' }), owner: 'ada' })
  await store.update('a', counting(0))
  t.equal(await store.destroy('a'), 'done')
  t.same((await client.hkeys('keep:a')).sort(), ['n', 'x'])
  const ttl = await client.pttl('keep:a')
  t.ok(ttl > 50_000 && ttl <= 60_000, String(ttl))
  t.equal(await store.destroy('a'), 'missing')
  t.same((await client.hkeys('keep:a')).sort(), ['n', 'x'], 'a second logout leaves the mark')
  t.equal(await store.create('a', record()), true, 'a mark does not take an id')
  t.notOk(await client.hexists('keep:a', 'x'))
})

t.test('destroy removes what is no record', async (t) => {
  const server = await startRedis(t)
  const client = await connectIoRedis(t, server)
  const store = new RedisStore({ client })
  await client.set('keep:a', 'no hash')
  await client.hset('keep:b', 'e', 'soon')
  for (const id of ['a', 'b']) t.equal(await store.destroy(id), 'missing')
  t.same(await client.keys('*'), [])
})

t.test('a deadline in the past never leaves a key without one', async (t) => {
  const server = await startRedis(t)
  const client = await connectIoRedis(t, server)
  const store = new RedisStore({ client })
  const over = Date.now() - 1000
  await store.create('a', record())
  await store.touch('a', { ...await renewalOf(store, 'a', 1), renewTo: over, atMost: over, tolerance: 0 })
  await store.create('b', record())
  await store.update('b', { ...setting({ c: '1' }), expiresAt: over })
  await store.create('c', { ...record(), expiresAt: over })
  for (const key of await client.keys('*')) t.not(await client.pttl(key), -1, key)
})

t.test('two apps on one server do not meet', async (t) => {
  const server = await startRedis(t)
  const client = await connectIoRedis(t, server)
  const [shop, blog] = [new RedisStore({ client, prefix: 'shop:' }), new RedisStore({ client, prefix: 'blog:' })]
  await shop.create('id', record())
  t.equal(await blog.read('id'), null)
  t.equal(await blog.update('id', setting({ a: '1' })), 'missing')
  t.equal(await blog.create('id', record()), true)
  await blog.destroy('id')
  t.ok(await shop.read('id'))
})

t.test('a request that reads is one command, one that changes two', async (t) => {
  const server = await startRedis(t)
  const client = await connectIoRedis(t, server)
  const admin = await connectIoRedis(t, server)
  const app = await start(new RedisStore({ client }))
  t.teardown(() => app.close())
  app.get('/read', (request) => ({ user: request.session.get('user') }))
  app.get('/nothing', () => 'nothing')
  app.get('/change', (request) => { request.session.set('at', Math.random()); return 'changed' })
  app.get('/count', (request) => request.session.update('count', (count) => Number(count ?? 0) + 1))
  app.get('/rotate', (request) => { request.session.rotate(); return 'rotated' })
  app.get('/logout', (request) => { request.session.destroy(); return 'bye' })
  const monitor = await admin.monitor()
  t.teardown(() => monitor.disconnect())
  const seen: string[] = []
  monitor.on('monitor', (_time: string, args: string[], source: string) => { if (source !== 'lua') seen.push(args[0]!.toLowerCase()) })
  let cookies = (await app.sessions.issue({ user: 1 })).cookies

  const commands = async (url: string, jar: Record<string, string>) => {
    await admin.ping('before')
    seen.length = 0
    const response = await app.inject({ url, cookies: jar })
    t.equal(response.statusCode, 200)
    const renewed = response.cookies.find(({ name }) => name === 'sid')
    if (renewed !== undefined) cookies = { sid: renewed.value }
    await client.echo('after')
    while (seen.at(-1) !== 'echo') await new Promise(setImmediate)
    return seen.filter((command) => command !== 'ping' && command !== 'echo')
  }
  t.same(await commands('/read', {}), [])
  t.same(await commands('/nothing', cookies), ['hgetall'])
  t.same(await commands('/read', cookies), ['hgetall'])
  await commands('/change', cookies)
  t.same(await commands('/change', cookies), ['hgetall', 'evalsha'])
  t.same(await commands('/count', cookies), ['hgetall', 'evalsha'])
  t.same(await commands('/rotate', cookies), ['hgetall', 'evalsha'], 'one key, one step')
  t.same(await commands('/read', cookies), ['hgetall', 'evalsha'], 'the first use of the new token')
  t.same(await commands('/read', cookies), ['hgetall'])
  t.same(await commands('/logout', cookies), ['hgetall', 'evalsha'])
})

t.test('scripts are loaded again when the server forgot them', async (t) => {
  const server = await startRedis(t)
  for (const client of [await connectIoRedis(t, server), await connectNodeRedis(t, server)]) {
    const store = new RedisStore({ client, prefix: `${Math.random()}:` })
    await store.create('a', record())
    for (const step of [
      () => store.create('b', record()),
      () => store.update('a', setting({ b: '1' })),
      async () => store.touch('a', await renewalOf(store, 'a', 2)),
      () => store.destroy('a', { ifVersion: 1 })
    ]) {
      await (await connectIoRedis(t, server)).script('FLUSH')
      t.match(String(await step()), /^(true|done)$/)
    }
    t.match(await store.read('a'), { endedAt: Number })
  }
})

t.test('a command that a client sends twice, because the reply was lost, counts once', async (t) => {
  const server = await startRedis(t)
  const proxy = await cuttingProxy(t, server.port)
  const client = new Redis(proxy.port, '127.0.0.1', { retryStrategy: () => 5 })
  t.teardown(() => client.disconnect())
  const store = new RedisStore({ client })
  await store.open() // the scripts are loaded from here on
  const twice = async <T>(step: () => Promise<T>): Promise<T> => {
    proxy.cutNextReply()
    return step()
  }
  t.equal(await twice(() => store.create('a', record({ count: '0' }))), true)
  t.equal(await store.create('a', { ...record(), verifier: 'another' }), false, 'another record is no repetition')
  t.equal(await twice(() => store.update('a', counting(0))), 'done')
  t.equal((await found(store, 'a')).version, 1)
  t.equal(await store.update('a', counting(0)), 'conflict', 'another command is no repetition')

  const { verifier } = await found(store, 'a')
  const rotation: SessionChanges = { ...setting({}), ifVerifier: verifier, verifier: 'second', earlier: [{ verifier, until: Date.now() + HOUR, opens: true }], shown: false }
  t.equal(await twice(() => store.update('a', rotation)), 'done')
  t.match(await found(store, 'a'), { verifier: 'second', shown: false, earlier: [{ verifier, opens: true }] })
  t.equal((await found(store, 'a')).earlier.length, 1)
  t.equal(await store.update('a', { ...rotation, verifier: 'third' }), 'conflict')

  t.equal(await twice(() => store.destroy('a', { ifGeneration: 1 })), 'conflict')
  t.equal(await twice(() => store.destroy('a', { ifGeneration: 0 })), 'done')
  t.equal(await store.destroy('a', { ifGeneration: 0 }), 'missing', 'another command is no repetition')
  t.equal(proxy.cuts, 5)
})

/** A client of which a test can send the last command once more. */
function repeating (client: Redis): { client: RedisClient, last: () => string[] } {
  let last: string[] = []
  return {
    client: { call: (command: string, ...args: string[]) => { last = [command, ...args]; return client.call(command, ...args) } },
    last: () => last
  }
}

t.test('a command that arrives again late is told the same, after fifteen others and after the end', async (t) => {
  const server = await startRedis(t)
  const client = await connectIoRedis(t, server)
  const { client: recording, last } = repeating(client)
  const store = new RedisStore({ client: recording })
  const again = ([command, ...args]: string[]) => client.call(command!, ...args)
  await store.open()
  await store.create('a', record({ count: '0' }))
  await store.update('a', counting(0))
  const first = last()
  for (let count = 1; count <= 15; count++) {
    t.equal(await store.update('a', counting(count)), 'done')
    t.equal(await again(first), 'done', `after ${count}`)
  }
  t.match(await found(store, 'a'), { values: { count: '16' }, version: 16 })
  t.equal((await client.hget('keep:a', 'n'))?.split(' ').length, 16, 'no more than sixteen are kept')
  await store.update('a', counting(16))
  t.equal(await again(first), 'conflict', 'its condition holds where the nonce is forgotten')
  t.equal((await found(store, 'a')).values.count, '17')

  const recent = last()
  const before = await store.update('a', counting(17)) && last()
  t.equal(await store.destroy('a'), 'done')
  const ended = last()
  t.equal(await again(before), 'done', 'an update, after the session has ended')
  t.equal(await again(ended), 'done', 'the end itself')
  t.ok(recent.length > 0)
  t.match(await store.read('a'), { endedAt: Number })
  t.notOk(await client.hexists('keep:a', ':count'), 'nothing comes back')
})

t.test('a record that never counted carries no nonces', async (t) => {
  const server = await startRedis(t)
  const client = await connectIoRedis(t, server)
  const store = new RedisStore({ client })
  await store.create('a', record())
  await store.update('a', setting({ b: '1' }))
  t.notOk(await client.hexists('keep:a', 'n'))
})

t.test('a forgotten error listener does not end the process', async (t) => {
  const server = await startRedis(t)
  const client = createClient({ url: server.url, socket: { reconnectStrategy: 20 } })
  await client.connect()
  t.teardown(() => client.destroy())
  const store = new RedisStore({ client })
  await server.kill()
  await server.start()
  while (!client.isReady) await new Promise(setImmediate)
  t.equal(await store.create('a', record()), true)
})

t.test('node-redis drops what it could not send for two seconds', async (t) => {
  const server = await startRedis(t)
  const client = await connectNodeRedis(t, server)
  const store = new RedisStore({ client })
  await server.kill()
  await t.rejects(store.create('late', record()))
  const begin = performance.now()
  await t.rejects(store.create('later', record()))
  t.ok(performance.now() - begin < 4000, 'sooner than the client by itself')
  await server.start()
  while (!client.isReady) await new Promise(setImmediate)
  t.equal(await store.read('late'), null)
  t.equal(await store.read('later'), null)
})

t.test('a full server refuses to grow, and still renews, removes and ends', async (t) => {
  const server = await startRedis(t, '--maxmemory-policy', 'noeviction')
  const client = await connectIoRedis(t, server)
  const store = new RedisStore({ client })
  await store.open()
  await store.create('a', record({ one: '1', two: '2' }))
  await store.create('b', record())
  await store.create('big', record({ big: 'x'.repeat(1000), other: 'y'.repeat(1000) }))
  await client.config('SET', 'maxmemory', '1')
  const full = { message: /OOM/ }
  await t.rejects(store.create('c', record()), full)
  await t.rejects(store.update('a', setting({ three: '3' })), full)
  t.equal((await found(store, 'a')).version, 0, 'what was refused left the record as it was')
  t.equal(await store.touch('a', await renewalOf(store, 'a', 2)), 'done')
  t.equal(await store.update('a', { clear: false, set: {}, remove: ['two'] }), 'done')
  t.equal(await store.update('a', { ...setting({}), remove: ['one'], ifValue: { key: 'one', encoded: '1' } }), 'done', 'taking, too')
  t.same({ ...(await found(store, 'a')).values }, {})
  const shrinking = { maxSize: 1_000_000 }
  t.equal(await store.update('big', { ...setting({ big: '1' }), ...shrinking }), 'done', 'a smaller value')
  t.equal(await store.update('big', { ...setting({ small: '2' }), remove: ['other'], ...shrinking }), 'done', 'a small key for a big one')
  t.same({ ...(await found(store, 'big')).values }, { big: '1', small: '2' })
  await t.rejects(store.update('big', { ...setting({ small: '3'.repeat(100) }), remove: ['absent'], ...shrinking }), full, 'a removal that frees nothing makes no room')
  t.same({ ...(await found(store, 'big')).values }, { big: '1', small: '2' })
  for (const clearing of [{ ...setting({ big: '4'.repeat(100) }), clear: true }, { ...setting({ big: '4'.repeat(100) }), clear: true, ...shrinking }]) {
    await t.rejects(store.update('big', clearing), full, 'nor does a clear before more than there was')
    t.match(await found(store, 'big'), { version: 2, values: { big: '1', small: '2' } })
  }
  t.equal(await store.update('big', { ...setting({ big: '5' }), clear: true, ...shrinking }), 'done', 'a clear before less')
  t.same({ ...(await found(store, 'big')).values }, { big: '5' })
  t.equal(await store.destroy('a'), 'done')
  t.equal(await store.destroy('b', { ifVersion: 0 }), 'done')
  t.equal(await store.destroy('big'), 'done')
  t.match(await store.read('a'), { endedAt: Number })
  await client.config('SET', 'maxmemory', '0')
  t.same((await client.keys('*')).sort(), ['keep:a', 'keep:b', 'keep:big'], 'the marks')
})

t.test('a session may have as many keys as fit, with each kind of client', async (t) => {
  const server = await startRedis(t)
  const values = Object.fromEntries(Array.from({ length: 140_000 }, (_, index) => [`k${index}`, '1']))
  const keys = Object.keys(values)
  for (const name of ['node-redis with RESP3', 'ioredis with RESP2', 'ioredis with keyPrefix, stringNumbers and pipelines']) {
    const store = new RedisStore({ client: await singleClients[name]!(t, server), prefix: `${name}:` })
    const count = async () => Object.keys((await found(store, 'a')).values).length
    t.equal(await store.create('a', record(values)), true, name)
    t.equal(await count(), 140_000, name)
    t.equal(await store.update('a', { clear: false, set: { one: '1' }, remove: keys, maxSize: 100 }), 'done', name)
    t.equal(await count(), 1, name)
    await store.destroy('a')
  }
  const store = new RedisStore({ client: await connectNodeRedis(t, server) })
  const count = async () => Object.keys((await found(store, 'a')).values).length
  await store.create('a', record())
  t.equal(await store.update('a', { ...setting(values), maxSize: 100 }), 'too-large')
  t.equal(await store.update('a', { ...setting(values), maxSize: 2_000_000 }), 'done')
  t.equal(await count(), 140_001)
  t.equal(await store.update('a', { clear: true, set: {}, remove: [] }), 'done')
  t.equal(await count(), 0)
})

t.test('more keys than the server takes in one command are one typed error, and nothing is sent', async (t) => {
  const values = Object.fromEntries(Array.from({ length: 530_000 }, (_, index) => [`k${index}`, '1']))
  const sent: unknown[] = []
  const send = async (...args: unknown[]) => { sent.push(args) }
  const clients = {
    ioredis: { call: send },
    'node-redis': { sendCommand: send },
    'a Cluster of node-redis': { sendCommand: send, nodeClient: send },
    'a Sentinel of node-redis': { sendCommand: send, getSentinelNode: send }
  }
  for (const [name, client] of Object.entries(clients)) {
    const store = new RedisStore({ client: client as unknown as RedisClient })
    if (name === 'ioredis') await refuses(t, () => store.create('a', record(values)), 'FST_KEEP_TOO_MANY_KEYS', /too many keys.*1060\d\d\d arguments of at most 1048576.*one value/)
    await refuses(t, () => store.update('a', setting(values)), 'FST_KEEP_TOO_MANY_KEYS', /store them as one value/)
    t.same(sent, [], name)
  }
})

t.test('a server that reads and refuses writes does not stop the start, and reads go on', async (t) => {
  const primary = await startRedis(t, '--repl-diskless-sync-delay', '0')
  const admin = await connectIoRedis(t, primary)
  const issuing = await start(new RedisStore({ client: admin }))
  const { cookies } = await issuing.sessions.issue({ user: 1 })
  await issuing.close()
  const replica = await startRedis(t)
  const replicaAdmin = await connectIoRedis(t, replica)

  const visit = async (client: Redis, title: string, refusal: RegExp) => {
    const app = await start(new RedisStore({ client }))
    app.get('/read', (request) => ({ user: request.session.get('user') }))
    app.get('/write', (request) => { request.session.set('a', 1); return 'written' })
    t.same((await app.inject({ url: '/read', cookies })).json(), { user: 1 }, title)
    const refused = await app.inject({ url: '/write', cookies })
    t.match(refused.json(), { statusCode: 503, code: 'FST_KEEP_STORE' }, title)
    t.notMatch(refused.body, refusal)
    await t.rejects(new RedisStore({ client }).create('b', record()), { message: refusal })
    await app.close()
  }
  await admin.config('SET', 'min-replicas-to-write', '3')
  await visit(admin, 'too few replicas', /NOREPLICAS/)
  await admin.config('SET', 'min-replicas-to-write', '0')

  await replicaAdmin.call('REPLICAOF', '127.0.0.1', String(primary.port))
  while (!String(await replicaAdmin.info('replication')).includes('master_link_status:up')) await new Promise(setImmediate)
  await visit(replicaAdmin, 'a replica', /READONLY/)
})

t.test('a hash is understood in every shape a client may give it', (t) => {
  const entries = [['a', '1'], ['b', '2']]
  const bytes = entries.map((pair) => pair.map((text) => Buffer.from(text)))
  const shapes = [entries.flat(), bytes.flat(), entries, bytes, new Map(entries as Array<[string, string]>), Object.fromEntries(entries)]
  for (const shape of shapes) t.same(toEntries(shape), entries)
  for (const empty of [[], new Map(), {}, null]) t.same(toEntries(empty), [])
  t.end()
})

t.test('a client without events is used all the same', async (t) => {
  const store = new RedisStore({ client: { call: async () => [] } })
  t.equal(await store.read('a'), null)
  t.doesNotThrow(() => store.close())
})
