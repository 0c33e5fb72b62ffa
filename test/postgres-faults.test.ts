// A PostgreSQL that is wrong, restarts, refuses to write or keeps one waiting: over the app, as a client sees it.
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import session from '../index.js'
import { fromPg, migrationSql, PostgresStore } from '../lib/stores/postgres/postgres-store.js'
import type { SessionStore } from '../types/store.js'
import { Browser } from './fixtures/app.js'
import { skipFileWithout } from './fixtures/needs.js'
import { connectPg, postgresStore } from './fixtures/postgres-clients.js'
import { startPostgres, startPostgresServer } from './fixtures/postgres.js'

skipFileWithout('postgres')

async function start (t: Test, store: SessionStore): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(session, { store, storeTimeout: '1s' })
  app.get('/', async ({ session }) => session.data())
  app.post('/count', async ({ session }) => session.update('n', (n) => Number(n ?? 0) + 1))
  app.post('/set', async ({ session }) => { session.set('a', 1); return 'set' })
  return app
}

async function visitor (app: FastifyInstance): Promise<Browser> {
  const browser = new Browser(app)
  Object.assign(browser.cookies, (await app.sessions.issue({ userId: 1 } as never)).cookies)
  return browser
}

const statusOf = async (browser: Browser, url = '/', method: 'GET' | 'POST' = 'GET') => (await browser.visit(url, { method })).statusCode

t.test('a table that is missing, newer, older or of something else stops the start, and the error says what to do', async (t) => {
  const pool = connectPg(t, await startPostgres(t))
  const refusal = (table: string) => new PostgresStore({ ...fromPg(pool), table }).open().then(() => 'opened', ({ code, message }) => `${String(code)} ${String(message)}`)
  t.match(await refusal('absent'), /FST_KEEP_UNFIT_STORE.*no table "absent".*store\.migrate\(\).*migrationSql\(\{ table: 'absent' \}\)/)
  await pool.query('CREATE TABLE theirs (id int)')
  t.match(await refusal('theirs'), /FST_KEEP_UNFIT_STORE.*made by something else/)
  await pool.query(migrationSql({ table: 'ours' }))
  t.equal(await refusal('ours'), 'opened')
  await pool.query("COMMENT ON TABLE ours IS 'fastify-keep sessions, format 2'")
  t.match(await refusal('ours'), /FST_KEEP_UNFIT_STORE.*newer version/)
  await pool.query("COMMENT ON TABLE ours IS 'fastify-keep sessions, format 0'")
  t.match(await refusal('ours'), /FST_KEEP_UNFIT_STORE.*older version.*migrate/)
})

t.test('tables can be made by several processes at once, and again', async (t) => {
  const url = await startPostgres(t)
  const stores = Array.from({ length: 5 }, () => new PostgresStore(fromPg(connectPg(t, url))))
  await Promise.all(stores.map((store) => store.migrate()))
  await stores[0]!.migrate()
  for (const store of stores) await store.open()
})

t.test('a server that restarts is a 503 while it is away, and nobody is logged out', async (t) => {
  const server = await startPostgresServer(t)
  const app = await start(t, await postgresStore(t, server.url))
  const browser = await visitor(app)
  await server.stop()
  t.same([await statusOf(browser), await statusOf(browser, '/set', 'POST')], [503, 503])
  await server.start()
  t.same((await browser.visit('/')).json(), { userId: 1 })
  t.equal(await statusOf(browser, '/set', 'POST'), 200)
})

t.test('after a power cut everything that was confirmed is there', async (t) => {
  const server = await startPostgresServer(t)
  const app = await start(t, await postgresStore(t, server.url))
  const browser = await visitor(app)
  let confirmed = 0
  const counting = (async () => {
    while (await statusOf(browser, '/count', 'POST') === 200) confirmed++
  })()
  await new Promise((resolve) => { setTimeout(resolve, 200) })
  await server.kill()
  await counting
  await server.start()
  const { n } = (await browser.visit('/')).json()
  t.ok(confirmed > 5 && n >= confirmed && n <= confirmed + 1, `${confirmed} confirmed, ${n} there`)
})

t.test('connections that are cut are a 503 at most, and the next request has another one', async (t) => {
  const url = await startPostgres(t)
  const app = await start(t, await postgresStore(t, url))
  const [browser, admin] = [await visitor(app), connectPg(t, url)]
  for (let round = 0; round < 5; round++) {
    const counted = Promise.all(Array.from({ length: 10 }, () => statusOf(browser, '/count', 'POST')))
    await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
    t.ok((await counted).every((status) => status === 200 || status === 503))
    t.equal(await statusOf(browser), 200)
  }
})

t.test('a primary that takes no writes still opens sessions', async (t) => {
  const url = await startPostgres(t)
  const app = await start(t, await postgresStore(t, url))
  const browser = await visitor(app)
  await connectPg(t, url).query(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_read_only = on`)
  const later = await start(t, new PostgresStore({ ...fromPg(connectPg(t, url)), sweepInterval: '1d' }))
  const there = new Browser(later)
  Object.assign(there.cookies, browser.cookies)
  t.same((await there.visit('/')).json(), { userId: 1 })
  const refused = await there.visit('/set', { method: 'POST' })
  t.same([refused.statusCode, refused.json().code], [503, 'FST_KEEP_STORE'])
  t.notMatch(refused.body, /read-only|UPDATE|fastify_sessions/, 'and the client learns nothing of the cause')
})

t.test('a row that somebody keeps locked, or a statement that takes too long, is a 503 in time', async (t) => {
  const url = await startPostgres(t)
  const app = await start(t, await postgresStore(t, url))
  const browser = await visitor(app)
  const other = await connectPg(t, url).connect()
  t.teardown(() => other.release(true))
  await other.query('BEGIN; SELECT * FROM fastify_sessions FOR UPDATE')
  const since = performance.now()
  const refused = await browser.visit('/set', { method: 'POST' })
  t.same([refused.statusCode, refused.json().code], [503, 'FST_KEEP_STORE_TIMEOUT'])
  t.ok(performance.now() - since < 3000)
  t.equal(await statusOf(browser), 200, 'reading does not wait')
  await other.query('ROLLBACK')

  const impatient = await start(t, new PostgresStore({ ...fromPg(connectPg(t, url, { statement_timeout: 200 })), sweepInterval: '1d' }))
  await other.query('BEGIN; SELECT * FROM fastify_sessions FOR UPDATE')
  const there = new Browser(impatient)
  Object.assign(there.cookies, browser.cookies)
  t.equal(await statusOf(there, '/count', 'POST'), 503)
  await other.query('ROLLBACK')
  t.equal(await statusOf(there, '/count', 'POST'), 200)
})

t.test('counters and keys of two processes add up', async (t) => {
  const url = await startPostgres(t)
  const apps = await Promise.all([0, 1].map(async () => start(t, await postgresStore(t, url))))
  const browser = await visitor(apps[0]!)
  const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => apps[index % 2]!.inject({ url: '/count', method: 'POST', cookies: browser.cookies })))
  t.ok(answers.every(({ statusCode }) => statusCode === 200))
  t.equal((await browser.visit('/')).json().n, 60)
})
