// `fastify-keep/opentelemetry`, with the real SDK.
import { setTimeout as delay } from 'node:timers/promises'
import Fastify from 'fastify'
import t from 'tap'
import session, { MemoryStore, requireSession } from '../../index.js'
import { sessionTelemetry } from '../../lib/opentelemetry/session-telemetry.js'
import { Browser, buildApp } from '../fixtures/app.js'
import { FakeClock, HOUR } from '../fixtures/clock.js'
import { everyStore, memoryStore, wrapped } from '../fixtures/stores.js'
import { telemetry } from '../fixtures/telemetry.js'

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}, what happens to sessions is counted by its reason`, async (t) => {
    const { meter, counts, points } = telemetry(t)
    const clock = new FakeClock()
    const store = makeStore(clock)
    const app = await buildApp(t, { store, clock, secret: 'a secret of at least 32 bytes, really' })
    await app.register(sessionTelemetry, { meter })
    app.get('/set', async ({ session }) => session.update('n', (n) => Number(n ?? 0) + 1))
    app.get('/login', async ({ session }) => session.regenerate('all'))
    app.get('/logout', async ({ session }) => { session.destroy() })
    app.get('/guarded', { preHandler: requireSession('userId') }, async () => 'x')
    const browser = new Browser(app)
    await browser.visit('/set')
    await browser.visit('/set')
    await browser.visit('/login')
    await browser.visit('/guarded')
    await browser.visit('/logout')
    browser.cookies['sid'] = 'nonsense'
    await browser.visit('/set')
    await app.sessions.revoke((await app.sessions.issue({ a: 1 })).sessionId)
    const found = await counts()
    t.match(found, {
      'session.created': 4,
      'session.ended replaced': 1,
      'session.ended logout': 1,
      'session.ended revoked': 1,
      'session.rejected malformed': 1,
      'session.denied missing-key': 1,
      'store.call.duration create done': 4,
      'store.call.duration destroy done': 3,
      'store.call.duration update done': 1
    })
    const ended = Object.entries(found).filter(([name]) => name.startsWith('session.ended')).reduce((sum, [, count]) => sum + count, 0)
    if (store.size !== undefined) t.equal(found['session.live'], Number(found['session.created']) - ended, 'what was created and has not ended lives')
    else t.notOk('session.live' in found, 'a store that does not count is not asked')
    for (const { name, attributes, unit } of await points()) {
      t.match(name, /^fastify_keep\.(session|store)\.[a-z.]+$/)
      t.equal(attributes['fastify_keep.property'], 'session')
      t.equal(unit, name.endsWith('duration') ? 's' : unit)
    }
  })
}

t.test('sessions that expire or are evicted end, too', async (t) => {
  const { meter, counts } = telemetry(t)
  const clock = new FakeClock()
  const store = new MemoryStore({ clock, maxSessions: 2 })
  const app = await buildApp(t, { store, clock })
  await app.register(sessionTelemetry, { meter })
  for (let n = 0; n < 3; n++) await app.sessions.issue({ n })
  t.match(await counts(), { 'session.created': 3, 'session.ended evicted': 1, 'session.live': 2 })
  clock.advance(2 * HOUR)
  store.sweep()
  t.match(await counts(), { 'session.created': 3, 'session.ended evicted': 1, 'session.ended expired': 2, 'session.live': 0 })
})

t.test('conflicts, refused logins and foreign requests are counted', async (t) => {
  const { meter, counts } = telemetry(t)
  const app = await buildApp(t, { ownerKey: 'userId', maxPerOwner: 1, onLimit: 'refuse' })
  await app.register(sessionTelemetry, { meter })
  const { cookies, headers: { cookie } } = await app.sessions.issue({ userId: 1 })
  app.post('/', async () => 'x')
  app.get('/login', async ({ session }) => session.set('userId', 1))
  app.get('/count', async ({ session }) => {
    const other = await app.sessions.load(cookie)
    await other.update('n', () => 1)
    return session.update('n', (n) => Number(n) + 1)
  })
  await app.inject({ url: '/', method: 'POST', cookies, headers: { 'sec-fetch-site': 'cross-site' } })
  await app.inject('/login')
  await app.inject({ url: '/count', cookies })
  t.match(await counts(), { 'session.denied cross-site': 1, 'session.denied limit': 1, 'session.conflicts': 1, 'store.call.duration update conflict': 1, 'store.call.duration owners.add refused': 1 })
})

t.test('calls of the store are counted by what became of them, and timed in seconds', async (t) => {
  const { meter, counts, points } = telemetry(t)
  let before: (name: string) => unknown = () => delay(30)
  const app = await buildApp(t, { store: wrapped(memoryStore(), (name) => before(name)), storeTimeout: 500 })
  await app.register(sessionTelemetry, { meter })
  app.get('/', async ({ session }) => String(session.get('a')))
  const { cookies } = await app.sessions.issue({ a: 1 })
  await app.inject({ url: '/', cookies })
  before = () => { throw new Error('down') }
  await app.inject({ url: '/', cookies })
  before = () => new Promise(() => {})
  await app.inject({ url: '/', cookies })
  t.match(await counts(), { 'store.call.duration create done': 1, 'store.call.duration read done': 1, 'store.call.duration read error': 1, 'store.call.duration read timeout': 1 })
  const reads = (await points()).filter(({ attributes }) => attributes['fastify_keep.function'] === 'read')
  const took = (outcome: string) => reads.find(({ attributes }) => attributes['fastify_keep.outcome'] === outcome)
  const done = took('done')?.value as { sum: number, buckets: { boundaries: number[] } }
  t.ok(done.sum > 0.025 && done.sum < 5, `${done.sum} s`)
  t.equal(done.buckets.boundaries[0], 0.0001, 'buckets for seconds')
  t.equal(took('timeout')?.attributes['error.type'], 'FST_KEEP_STORE_TIMEOUT')
  t.equal(took('error')?.attributes['error.type'], 'FST_KEEP_STORE')
  t.notOk('error.type' in (took('done')?.attributes ?? {}))
})

t.test('no attribute grows with visitors, paths or what they send', async (t) => {
  const { meter, points } = telemetry(t)
  const app = await buildApp(t, { ownerKey: 'userId', maxPerOwner: 2 })
  await app.register(sessionTelemetry, { meter })
  app.get('/*', async (request) => {
    const { session, url } = request
    session.regenerate()
    session.set('userId', url)
  })
  const visit = async (from: number, to: number) => {
    for (let n = from; n < to; n++) await app.inject({ url: `/page/${n}?q=${n}`, headers: { cookie: n % 3 === 0 ? `sid=${'x'.repeat(n)}` : `sid=${String(n).padStart(64, 'a')}`, origin: `https://${n}.example` } })
    return (await points()).length
  }
  const few = await visit(0, 10)
  t.equal(await visit(10, 200), few)
  t.ok(few < 20)
})

t.test('two sessions of one app, and two apps, are told apart', async (t) => {
  const { meter, points } = telemetry(t)
  const store = memoryStore()
  const build = async (app: string) => {
    const instance = Fastify()
    t.teardown(() => instance.close())
    await instance.register(session, { store })
    await instance.register(session, { property: 'adminSession', cookie: { name: 'admin' } })
    await instance.register(sessionTelemetry, { meter, attributes: { app } })
    await instance.register(sessionTelemetry, { meter, attributes: { app }, property: 'adminSession' })
    return instance
  }
  const [one, other] = await Promise.all([build('one'), build('other')])
  await one.sessions.issue({ a: 1 })
  await (other as unknown as { adminSessions: typeof other.sessions }).adminSessions.issue({ a: 1 })
  const created = (await points()).filter(({ name }) => name === 'fastify_keep.session.created')
  t.same(created.map(({ attributes: { app, 'fastify_keep.property': property }, value }) => [app, property, value]), [['one', 'session', 1], ['other', 'adminSession', 1]])
  const calls = (await points()).filter(({ name }) => name === 'fastify_keep.store.call.duration')
  t.same(calls.map(({ attributes: { app, 'fastify_keep.property': property } }) => [app, property]), [['one', 'session'], ['other', 'adminSession']])
})

t.test('what was counted before the app closed is exported after it', async (t) => {
  const { meter, counts } = telemetry(t)
  const app = await buildApp(t)
  await app.register(sessionTelemetry, { meter })
  await app.sessions.issue({ a: 1 })
  await app.close()
  const found = await counts()
  t.equal(found['session.created'], 1)
  t.notOk('session.live' in found, 'nobody asks a store that is closed')
})
