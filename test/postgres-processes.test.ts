// Several processes of one app on one PostgreSQL, over real sockets; and what is left when a process is killed, or the server.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { isRecord } from '../lib/record/record.js'
import { fromPg, PostgresStore } from '../lib/stores/postgres/postgres-store.js'
import { skipFileWithout } from './fixtures/needs.js'
import { connectPg, postgresStore } from './fixtures/postgres-clients.js'
import { startPostgresServer } from './fixtures/postgres.js'
import { forkPostgresShop } from './fixtures/shop-fork.js'
import { byTurns, login, shareSessions, type Shops } from './fixtures/shop-promises.js'

skipFileWithout('postgres')

const server = await startPostgresServer(t, 'fsync=on')
const { url } = server
const shops = await Promise.all(Array.from({ length: 4 }, () => forkPostgresShop(t, url))) as unknown as Shops
const [one, two] = shops

shareSessions(t, shops)

t.test('of many step-ups at all of them one wins, and the old cookie is dead at once', async (t) => {
  const cookie = await login(one)
  const answers = await byTurns(shops, 12, (shop) => shop.request('POST', '/step-up', cookie))
  const [renewed, ...more] = answers.flatMap(({ cookie }) => cookie ?? [])
  t.same(more, [])
  for (const shop of shops) {
    t.equal((await shop.request('GET', '/me', renewed)).status, 200)
    t.equal((await shop.request('GET', '/me', cookie)).status, 401)
  }
})

t.test('the store says that it is durable where the server waits for the disk', async (t) => {
  const durable = async (options: object, unlogged = false, database: object = {}) => {
    const store = new PostgresStore({ ...fromPg(connectPg(t, url, database)), sweepInterval: '1d', ...options })
    t.teardown(() => store.close())
    t.equal(store.durable, false, 'nobody has asked the server')
    await store.migrate({ unlogged })
    return store.durable
  }
  t.equal(await durable({}), true)
  t.equal(await durable({ table: 'fleeting' }, true), false)
  t.equal(await durable({}, false, { options: '-c synchronous_commit=off' }), false)
})

interface Writer { readonly child: ChildProcess, readonly confirmed: Map<string, number>, readonly stopped: Promise<void> }

function startWriter (t: Test): Writer {
  const child = fork(fileURLToPath(new URL('./fixtures/postgres-process.ts', import.meta.url)), { env: { ...process.env, WRITER_URL: url } })
  t.teardown(() => { child.kill('SIGKILL') })
  const confirmed = new Map<string, number>()
  const stopped = new Promise<void>((resolve) => {
    child.on('message', (said: 'stopped' | { id: string, n: number }) => {
      if (said === 'stopped') resolve()
      else confirmed.set(said.id, said.n)
    })
  })
  return { child, confirmed, stopped }
}

/** What is not as it was confirmed, or half there. */
async function wrongOf (store: PostgresStore, { confirmed }: Writer): Promise<unknown[]> {
  const wrong = []
  for (const [id, n] of confirmed) {
    const found = await store.read(id)
    const { a, b } = isRecord(found) ? found.values : { a: 'none', b: 'none' }
    if (a !== b || !(Number(a) >= n)) wrong.push({ id, n, a, b })
  }
  return wrong
}

t.test('of a process that is killed while it writes, everything it confirmed is there, and nothing is half there', async (t) => {
  const store = await postgresStore(t, url)
  const [killed, other] = [startWriter(t), startWriter(t)]
  while (killed.confirmed.size < 8 || other.confirmed.size < 8) await delay(10)
  await delay(200)
  killed.child.kill('SIGKILL')
  await once(killed.child, 'exit')
  const before = Math.max(...other.confirmed.values())
  for (let waited = 0; waited < 10_000 && Math.max(...other.confirmed.values()) < before + 5; waited += 10) await delay(10)
  t.ok(Math.max(...other.confirmed.values()) >= before + 5, 'the other goes on')
  other.child.send('stop')
  await other.stopped
  for (const writer of [killed, other]) t.same(await wrongOf(store, writer), [])
})

t.test('of a server that is killed, everything it confirmed is there, and the app goes on', async (t) => {
  const store = await postgresStore(t, url)
  const cookie = await login(one)
  const writer = startWriter(t)
  while (writer.confirmed.size < 8) await delay(10)
  await delay(200)
  await server.kill()
  const failed = await one.request('GET', '/me', cookie)
  t.equal(failed.status, 503)
  t.notMatch(failed.body, /ECONNREFUSED|127\.0\.0\.1|postgres/i, 'and says nothing of it')
  t.equal((await one.request('GET', '/public')).status, 200)
  await server.start()
  t.same(await wrongOf(store, writer), [])
  for (const shop of shops) t.same(JSON.parse((await shop.request('GET', '/me', cookie)).body), { user: 42 })
})

t.test('connections that an administrator cuts cost a 503 at most, and no confirmed change', async (t) => {
  const admin = connectPg(t, url)
  const cookie = await login(one)
  const confirmed: string[] = []
  const statuses = new Set<number>()
  for (let round = 0; round < 10; round++) {
    const answers = byTurns(shops, 12, (shop, index) => shop.request('POST', `/set/key${round}x${index}/1`, cookie))
    await delay(round)
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = \'client backend\'')
    for (const [index, { status }] of (await answers).entries()) {
      statuses.add(status)
      if (status === 200) confirmed.push(`key${round}x${index}`)
    }
  }
  t.same([...statuses].filter((status) => status !== 503), [200])
  const { status, body } = await two.request('GET', '/me', cookie)
  t.equal(status, 200)
  const values = JSON.parse(body)
  t.same(confirmed.filter((key) => values[key] !== '1'), [])
})
