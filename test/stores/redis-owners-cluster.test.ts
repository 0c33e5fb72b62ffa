// Owners in a Cluster of three whose slots move, with processes that are killed in the middle of a login or of a revocation.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Fastify, { type FastifyInstance } from 'fastify'
import { Cluster, type Redis } from 'ioredis'
import t, { type Test } from 'tap'
import session from '../../index.js'
import { RedisStore } from '../../lib/stores/redis/redis-store.js'
import { FakeClock } from '../fixtures/clock.js'
import { goodRecord } from '../fixtures/good-record.js'
import { skipFileWithout } from '../fixtures/needs.js'
import { moveSlotOf, startCluster, type RedisCluster } from '../fixtures/redis-cluster.js'

skipFileWithout('redis')

const ROUNDS = 4
const LIMIT = 20

function connect (t: Test, { servers }: RedisCluster): Cluster {
  const client = new Cluster(servers.map(({ port }) => ({ port, host: '127.0.0.1' })))
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  return client
}

async function start (t: Test, cluster: RedisCluster): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(session, { store: new RedisStore({ client: connect(t, cluster) }), ownerKey: 'user', maxPerOwner: LIMIT })
  app.get('/', async ({ session }) => session.get('user') ?? 'nobody')
  return app
}

/** A process that logs users in without end, and says what cookies it gave out. */
async function forkLogins (t: Test, { servers }: RedisCluster): Promise<{ child: ChildProcess, cookies: string[] }> {
  const child = fork(fileURLToPath(new URL('../fixtures/login-process.ts', import.meta.url)), {
    env: { ...process.env, LOGIN_PORTS: servers.map(({ port }) => port).join(' '), LOGIN_LIMIT: String(LIMIT) }
  })
  t.teardown(() => { child.kill('SIGKILL') })
  const cookies: string[] = []
  child.on('message', (cookie: string) => { cookies.push(cookie) })
  await once(child, 'message')
  return { child, cookies }
}

/** Moves the slots of lists and records from server to server, until it is stopped. */
async function moveSlots (cluster: RedisCluster, stop: AbortSignal): Promise<number> {
  let moved = 0
  while (!stop.aborted) {
    for (const [node, source] of cluster.nodes.entries()) {
      const keys = [...await source.keys('keep:o:*'), ...(await source.keys('keep:*')).slice(0, 1)]
      for (const key of keys.slice(0, 2)) {
        await moveSlotOf(cluster, key, node, (node + 1) % 3)
        moved++
      }
    }
  }
  return moved
}

const usersOf = (app: FastifyInstance, cookies: readonly string[]): Promise<string[]> =>
  Promise.all(cookies.map(async (cookie) => (await app.inject({ url: '/', headers: { cookie } })).body))

t.test('nothing that was there before revokeAll lives after it, while slots move and processes die', { timeout: 200_000 }, async (t) => {
  const cluster = await startCluster(t)
  const app = await start(t, cluster)
  const stop = new AbortController()
  const moving = moveSlots(cluster, stop.signal)
  let [ended, given] = [0, 0]
  for (let round = 0; round < ROUNDS; round++) {
    const { child, cookies } = await forkLogins(t, cluster)
    await delay(50 + 150 * Math.random())
    const before = [...cookies]
    const revoking = app.sessions.revokeAll('ada')
    if (round % 2 === 0) await delay(10 * Math.random())
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    ended += await revoking
    given += before.length
    t.same((await usersOf(app, before)).filter((user) => user !== 'nobody'), [], `round ${round}: ${before.length} cookies`)
    await exit
    // what began while it ran is listed, whole or not at all
    const listed = (await app.sessions.list('ada')).map(({ sessionId }) => sessionId)
    const after = cookies.slice(before.length)
    const users = await usersOf(app, after)
    t.same(after.filter((cookie, index) => users[index] === 'ada' && !listed.includes(cookie.slice(4, 28))), [], 'nothing lives unlisted')
    await app.sessions.revokeAll('ada')
    t.same((await usersOf(app, cookies)).filter((user) => user !== 'nobody'), [], 'nothing survives another one')
  }
  stop.abort()
  t.ok(await moving > 5, `${await moving} slots moved`)
  t.ok(ended > 0 && given > 0, `${given} cookies, ${ended} sessions ended`)
  for (const node of cluster.nodes as readonly Redis[]) t.same(await node.keys('keep:o:*'), [], 'no list is left')
})

/** The only key of the cluster is in a slot that is on its way, but not yet there; the function ends the move. */
async function beginMoving ({ nodes, nodeIds }: RedisCluster): Promise<() => Promise<void>> {
  const keys = await Promise.all(nodes.map((node) => node.keys('*')))
  const from = keys.findIndex(({ length }) => length > 0)
  const to = (from + 1) % 3
  const [source, target] = [nodes[from] as Redis, nodes[to] as Redis]
  const slot = String(await source.cluster('KEYSLOT', keys[from]![0]!))
  await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', nodeIds[from]!)
  await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', nodeIds[to]!)
  return async () => {
    for (const key of await source.keys('*')) await source.call('MIGRATE', '127.0.0.1', String(target.options.port), key, '0', '5000')
    for (const node of [target, source]) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', nodeIds[to]!)
  }
}

t.test('a list that a step empties while its slot moves is found where the slot goes', async (t) => {
  const cluster = await startCluster(t)
  const clock = new FakeClock()
  const { owners } = new RedisStore({ client: connect(t, cluster), clock })
  await owners.add('ada', 'old', { expiresAt: clock.now() + 1000 })
  clock.advance(1000)
  const finish = await beginMoving(cluster)
  t.same(await owners.add('ada', 'new', { expiresAt: clock.now() + 60_000 }), { result: 'done', marked: [] })
  await finish()
  t.same(await owners.list('ada'), ['new'])
})

t.test('a session that ends while its slot moves leaves its mark', async (t) => {
  const cluster = await startCluster(t)
  const store = new RedisStore({ client: connect(t, cluster) })
  await store.create('id', goodRecord({ values: { a: '1' } }))
  const finish = await beginMoving(cluster)
  t.equal(await store.destroy('id'), 'done')
  await finish()
  t.match(await store.read('id'), { endedAt: Number })
  t.same((await Promise.all(cluster.nodes.map(async (node) => await node.keys('*').then(async ([key]) => key === undefined ? [] : await node.hkeys(key))))).flat().sort(), ['n', 'x'])
})

t.test('revokeAll() without an owner leaves no session in any server while slots move', { timeout: 100_000 }, async (t) => {
  const cluster = await startCluster(t)
  const app = await start(t, cluster)
  const issued = await Promise.all(Array.from({ length: 300 }, (_, index) => app.sessions.issue({ user: `user ${index}` })))
  const stop = new AbortController()
  const moving = moveSlots(cluster, stop.signal)
  t.ok(await app.sessions.revokeAll() >= 295)
  stop.abort()
  await moving
  t.same((await usersOf(app, issued.map(({ headers }) => headers.cookie))).filter((user) => user !== 'nobody'), [])
})

t.test('of sixty parallel logins in two apps exactly five stay, and where the limit refuses the others are told', async (t) => {
  const cluster = await startCluster(t)
  for (const onLimit of ['end-oldest', 'refuse'] as const) {
    const apps = await Promise.all([0, 1].map(async () => {
      const app = Fastify()
      t.teardown(() => app.close())
      await app.register(session, { store: new RedisStore({ client: connect(t, cluster), prefix: `${onLimit}:` }), ownerKey: 'user', maxPerOwner: 5, onLimit })
      app.get('/', async ({ session }) => session.get('user') ?? 'nobody')
      return app
    }))
    const logins = await Promise.allSettled(Array.from({ length: 60 }, (_, index) => apps[index % 2]!.sessions.issue({ user: 'ada' })))
    const cookies = logins.flatMap((each) => each.status === 'fulfilled' ? [each.value.headers.cookie] : [])
    t.equal((await usersOf(apps[0]!, cookies)).filter((user) => user === 'ada').length, 5, onLimit)
    t.equal((await apps[1]!.sessions.list('ada')).length, 5)
    if (onLimit === 'refuse') t.equal(logins.filter((each) => each.status === 'rejected' && (each.reason as { statusCode: number }).statusCode === 409).length, 55)
  }
})
