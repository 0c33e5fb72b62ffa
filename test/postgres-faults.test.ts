// A PostgreSQL that is wrong, restarts, refuses to write or keeps one waiting: over the app, as a client sees it.
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import session from '../index.js'
import { fromPg, PostgresStore } from '../lib/stores/postgres/postgres-store.js'
import type { SessionStore } from '../types/store.js'
import { Browser } from './fixtures/app.js'
import { skipFileWithout } from './fixtures/needs.js'
import { connectPg, postgresStore } from './fixtures/postgres-clients.js'
import { startPostgresServer } from './fixtures/postgres.js'

skipFileWithout('postgres')

const server = await startPostgresServer(t)
const { url } = server

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

t.test('a server that restarts is a 503 while it is away, and nobody is logged out', async (t) => {
  const app = await start(t, await postgresStore(t, url))
  const browser = await visitor(app)
  await server.stop()
  t.same([await statusOf(browser), await statusOf(browser, '/set', 'POST')], [503, 503])
  await server.start()
  t.same((await browser.visit('/')).json(), { userId: 1 })
  t.equal(await statusOf(browser, '/set', 'POST'), 200)
})

t.test('a primary that takes no writes still opens sessions', async (t) => {
  const app = await start(t, await postgresStore(t, url))
  const browser = await visitor(app)
  const admin = connectPg(t, url)
  await admin.query('ALTER DATABASE postgres SET default_transaction_read_only = on')
  t.teardown(() => admin.query('SET default_transaction_read_only = off; ALTER DATABASE postgres RESET default_transaction_read_only'))
  const later = await start(t, new PostgresStore({ ...fromPg(connectPg(t, url)), sweepInterval: '1d' }))
  const there = new Browser(later)
  Object.assign(there.cookies, browser.cookies)
  t.same((await there.visit('/')).json(), { userId: 1 })
  const refused = await there.visit('/set', { method: 'POST' })
  t.same([refused.statusCode, refused.json().code], [503, 'FST_KEEP_STORE'])
  t.notMatch(refused.body, /read-only|UPDATE|fastify_sessions/, 'and the client learns nothing of the cause')
})

t.test('a row that somebody keeps locked, or a statement that takes too long, is a 503 in time', async (t) => {
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
