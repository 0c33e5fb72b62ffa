// `session.signal`: fires when the session ends, wherever that happens, and for no other reason.
import { scheduler, setTimeout as delay } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import session, { type SessionOptions } from '../index.js'
import { fromExpressStore } from '../lib/stores/express/express-store.js'
import { RedisStore } from '../lib/stores/redis/redis-store.js'
import type { SessionStore } from '../types/store.js'
import { Browser } from './fixtures/app.js'
import { liveObjectStore } from './fixtures/live-object-store.js'
import { connectIoRedis } from './fixtures/redis-clients.js'
import { startRedis } from './fixtures/redis.js'
import { startPostgres } from './fixtures/postgres.js'
import { postgresStore } from './fixtures/postgres-clients.js'
import { sqliteStore } from './fixtures/sqlite.js'
import { memoryStore, slowStore, wrapped } from './fixtures/stores.js'
import { findProgram } from './needs.js'

type MakeStore = (t: Test) => Promise<SessionStore>

const stores: Record<string, MakeStore> = {
  'a store that answers at once': async () => memoryStore(),
  'a slow store, which tells nothing': async () => slowStore(),
  SQLite: async () => sqliteStore(),
  'a store made for express-session': async () => fromExpressStore(liveObjectStore()),
  ...(findProgram('redis') !== null && {
    Redis: async (t: Test) => new RedisStore({ client: await connectIoRedis(t, await startRedis(t)) })
  }),
  ...(findProgram('postgres') !== null && {
    PostgreSQL: async (t: Test) => postgresStore(t, await startPostgres(t))
  })
}

interface Body { user?: string, keep?: 'all', act?: string }

/** Keeps every signal that a request took, by what the request asked for. */
async function site (t: Test, options: SessionOptions): Promise<{ app: FastifyInstance, signals: AbortSignal[] }> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(session, options)
  const signals: AbortSignal[] = []
  app.get('/signal', async ({ session }) => { signals.push(session.signal); return session.sessionId })
  app.get('/', async ({ session }) => ({ ...session.data(), id: session.sessionId }))
  app.post('/login', async ({ session, body }) => {
    session.regenerate((body as Body).keep ?? [])
    session.set('user', (body as Body).user ?? 'ada')
    return 'in'
  })
  app.post('/first', async ({ session }) => {
    signals.push(session.signal)
    session.set('cart', 1)
    signals.push(session.signal)
    return session.sessionId
  })
  app.post('/act', async ({ session, body }) => {
    const { act } = body as Body
    if (act === 'logout') session.destroy()
    if (act === 'clear') session.clear()
    if (act === 'rotate') session.rotate()
    if (act === 'step-up') session.reauthenticated()
    if (act === 'set') session.set('cart', Math.random())
    return act
  })
  return { app, signals }
}

const act = (browser: Browser, act: string) => browser.visit('/act', { method: 'POST', body: { act } })
const login = async (browser: Browser, body: Body = {}): Promise<Browser> => {
  await browser.visit('/login', { method: 'POST', body })
  return browser
}

async function aborted (signal: AbortSignal | undefined, within = 1000): Promise<boolean> {
  for (const until = performance.now() + within; performance.now() < until;) {
    if (signal?.aborted === true) return true
    await delay(5)
  }
  return false
}

for (const [kind, makeStore] of Object.entries(stores)) {
  const test = (title: string, run: (t: Test, store: SessionStore) => Promise<void>) => {
    t.test(`on ${kind}, ${title}`, async (t) => { await run(t, await makeStore(t)) })
  }

  test('it fires at logout, when the session is emptied, revoked or replaced by a login, and says why', async (t, store) => {
    const { app, signals } = await site(t, { store })
    const endings: Record<string, (browser: Browser, id: string) => Promise<unknown>> = {
      logout: (browser) => act(browser, 'logout'),
      clear: (browser) => act(browser, 'clear'),
      revoked: (_browser, id) => app.sessions.revoke(id),
      replaced: (browser) => login(browser),
      kept: (browser) => login(browser, { keep: 'all' })
    }
    const reasons: Record<string, string> = { clear: 'logout', kept: 'replaced' }
    for (const [name, end] of Object.entries(endings)) {
      const browser = await login(new Browser(app))
      const id = (await browser.visit('/signal')).body
      const signal = signals.at(-1)
      for (const harmless of ['rotate', 'step-up', 'set']) await act(browser, harmless)
      t.equal(signal?.aborted, false, `${name}: rotation, step-up and changes end nothing`)
      await end(browser, id)
      await scheduler.yield()
      t.equal(signal?.aborted, true, name)
      t.match(signal?.reason, { code: 'FST_KEEP_SESSION_ENDED', reason: reasons[name] ?? name })
    }
  })

  test('a visitor has one as well, which belongs to the session once it is stored', async (t, store) => {
    const { app, signals } = await site(t, { store })
    const nobody = new Browser(app)
    await nobody.visit('/signal')
    const browser = new Browser(app)
    await browser.visit('/first', { method: 'POST' })
    await browser.visit('/signal')
    const [never, first, again, later] = signals
    t.equal(first, again, 'one object')
    t.equal(first, later, 'and in later requests')
    t.same(nobody.cookies, {}, 'asking stores nothing')
    await act(browser, 'logout')
    await scheduler.yield()
    t.equal(first?.aborted, true)
    t.equal(never?.aborted, false)
  })
}

t.test('one that is taken at a login belongs to the new session, and the one before to the old', async (t) => {
  const { app } = await site(t, {})
  const taken: AbortSignal[] = []
  app.post('/both', async ({ session }) => {
    taken.push(session.signal)
    session.regenerate()
    taken.push(session.signal)
    session.set('user', 'ada')
    await session.save()
    taken.push(session.signal)
    return 'in'
  })
  const browser = await login(new Browser(app))
  await browser.visit('/both', { method: 'POST' })
  await scheduler.yield()
  const [before, after, saved] = taken
  t.not(before, after)
  t.equal(after, saved)
  t.equal(before?.aborted, true)
  t.match(before?.reason, { reason: 'replaced' })
  t.equal(after?.aborted, false)
  await act(browser, 'logout')
  await scheduler.yield()
  t.equal(after?.aborted, true)
})

t.test('a limit fires the one of the session that had to go', async (t) => {
  const { app, signals } = await site(t, { ownerKey: 'user', maxPerOwner: 1 })
  const first = await login(new Browser(app))
  await first.visit('/signal')
  await login(new Browser(app))
  await scheduler.yield()
  t.match(signals[0]?.reason, { reason: 'limit' })
})

t.test('a deadline fires it, and use moves the deadline', async (t) => {
  const { app, signals } = await site(t, { idleTimeout: '2s' })
  const browser = await login(new Browser(app))
  await browser.visit('/signal')
  await delay(1300)
  await browser.visit('/')
  await delay(1000)
  t.equal(signals[0]?.aborted, false, 'it was used')
  t.equal(await aborted(signals[0], 2500), true)
  t.match(signals[0]?.reason, { reason: 'expired' })
})

t.test('an eviction fires it', async (t) => {
  const { MemoryStore } = await import('../index.js')
  const { app, signals } = await site(t, { store: new MemoryStore({ maxSessions: 1 }) })
  const first = await login(new Browser(app))
  await first.visit('/signal')
  await login(new Browser(app))
  await scheduler.yield()
  t.match(signals[0]?.reason, { reason: 'evicted' })
})

t.test('a session that ends between its load and the look has an aborted one', async (t) => {
  const { app, signals } = await site(t, {})
  app.get('/late', async ({ session }) => {
    await app.sessions.revoke(session.sessionId)
    signals.push(session.signal)
    await scheduler.yield()
    session.set('cart', 1)
    await session.save()
    signals.push(session.signal)
    return 'late'
  })
  const browser = await login(new Browser(app))
  await browser.visit('/late')
  t.same(signals.map(({ aborted }) => aborted), [true, true])
  t.equal(signals[0], signals[1])
})

t.test('nothing asks the store while nobody looks, and every listened session is read', async (t) => {
  const reads: string[] = []
  let asked = 0
  const good = memoryStore()
  const store = Object.assign(wrapped(good, (name) => { reads.push(name) }), { onEnded: () => { asked++ } })
  const { app, signals } = await site(t, { store })
  const browser = await login(new Browser(app))
  await browser.visit('/')
  reads.length = 0
  await browser.visit('/')
  t.same([reads, asked], [['read'], 0])
  await browser.visit('/signal')
  t.same(asked, 1)
  await browser.visit('/signal')
  t.same(asked, 1, 'one for all')
  t.equal(signals[0], signals[1])
})

t.test('after the app is closed no signal fires, and nothing is listened to', async (t) => {
  const store = memoryStore()
  const { app, signals } = await site(t, { store })
  const browser = await login(new Browser(app))
  const id = (await browser.visit('/signal')).body
  await app.close()
  store.destroy(id)
  await scheduler.yield()
  t.equal(signals[0]?.aborted, false)
})

t.test('a store that refuses to tell, late, never or by throwing, is logged once, and its sessions have signals all the same', async (t) => {
  const refusals: Array<() => unknown> = [() => { throw new Error('no') }, async () => { throw new Error('no') }, () => new Promise(() => {})]
  for (const onEnded of refusals) {
    const lines: string[] = []
    const store = Object.assign(wrapped(memoryStore(), () => {}), { onEnded }) as unknown as SessionStore
    const app = Fastify({ logger: { level: 'warn', stream: { write: (line: string) => { lines.push(line) } } } })
    t.teardown(() => app.close())
    await app.register(session, { store })
    const signals: AbortSignal[] = []
    app.get('/signal', async ({ session }) => { signals.push(session.signal); return session.sessionId })
    for (let index = 0; index < 3; index++) {
      const { cookies, sessionId } = await app.sessions.issue({ user: 'ada' })
      await app.inject({ url: '/signal', cookies })
      await delay(5)
      await app.sessions.revoke(sessionId)
    }
    t.ok(signals.every(({ aborted }) => aborted))
    t.ok(lines.filter((line) => line.includes('session.signal')).length <= 1)
  }
})

t.test('a listener that throws, or uses the session, ends no request', async (t) => {
  const { app, signals } = await site(t, { ownerKey: 'user' })
  const browser = await login(new Browser(app))
  const id = (await browser.visit('/signal')).body
  const uses: unknown[] = []
  signals[0]?.addEventListener('abort', () => { uses.push(app.sessions.revoke(id), app.sessions.list('ada')) })
  t.equal((await act(browser, 'logout')).statusCode, 200)
  t.same(await Promise.all(uses), [false, []])
})
