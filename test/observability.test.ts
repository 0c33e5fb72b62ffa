// What can be seen from outside: events, counts, log lines, cache headers. And what cannot.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import type { Session, SessionEvent, SessionMessage } from '../index.js'
import { MemoryStore } from '../index.js'
import { SqliteStore } from '../lib/stores/sqlite/sqlite-store.js'
import { Browser, buildApp } from './fixtures/app.js'
import { FakeClock, HOUR } from './fixtures/clock.js'
import { everyStore, memoryStore, wrapped } from './fixtures/stores.js'

const SECRET = 'a secret of at least 32 bytes, really'
const events = ['created', 'loaded', 'saved', 'regenerated', 'rotated', 'reauthenticated', 'destroyed', 'expired', 'evicted', 'rejected', 'denied', 'conflict', 'store-error'] as const satisfies readonly SessionEvent[]

function listen (t: Test): Array<[string, SessionMessage]> {
  const heard: Array<[string, SessionMessage]> = []
  for (const event of events) {
    const hear = (message: unknown) => heard.push([event, message as SessionMessage])
    subscribe(`fastify-keep:${event}`, hear)
    t.teardown(() => unsubscribe(`fastify-keep:${event}`, hear))
  }
  return heard
}

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}, every turn in a session's life is published and counted`, async (t) => {
    const clock = new FakeClock()
    const store = makeStore(clock)
    const app = await buildApp(t, { store, clock, secret: SECRET })
    let act: (session: Session) => unknown = () => {}
    app.get('/', async ({ session }) => { await act(session); return session.sessionId })
    const heard = listen(t)
    const browser = new Browser(app)
    const visit = async (next: typeof act) => { act = next; heard.length = 0; return (await browser.visit('/')).body }

    const first = await visit((session) => session.set('a', 1))
    t.same(heard, [['created', { sessionId: first }]])
    await visit((session) => session.get('a'))
    t.same(heard, [['loaded', { sessionId: first }]])
    await visit((session) => session.set('a', 2))
    t.same(heard.at(-1), ['saved', { sessionId: first }])
    const second = await visit((session) => session.regenerate(['a']))
    t.same(heard.at(-1), ['regenerated', { sessionId: second, previousId: first, reason: 'replaced' }])
    const old = String(browser.cookies['sid'])
    t.equal(await visit((session) => session.rotate()), second)
    t.same(heard.slice(1), [['saved', { sessionId: second }], ['rotated', { sessionId: second }]])
    t.equal(await visit((session) => session.reauthenticated()), second)
    t.same(heard.slice(-2), [['saved', { sessionId: second }], ['reauthenticated', { sessionId: second }]])
    const current = browser.cookies['sid'] as string
    browser.cookies['sid'] = old
    await visit((session) => session.get('a'))
    t.same(heard, [['rejected', { sessionId: second, reason: 'late' }]], 'a token from before the step-up')
    browser.cookies['sid'] = current
    await visit((session) => session.destroy())
    t.same(heard.slice(1), [['destroyed', { sessionId: second, reason: 'logout' }]], 'one logout is one event')
    browser.cookies['sid'] = current
    await visit((session) => session.destroy())
    t.same(heard, [['rejected', { sessionId: second, reason: 'late' }]], 'a second one ends nothing')
    delete browser.cookies['sid']

    await visit((session) => session.set('a', 1))
    clock.advance(2 * HOUR)
    await visit(() => {})
    const expired = ['expired', { sessionId: String, reason: 'expired' }]
    const rejected = ['rejected', { sessionId: String, reason: 'unknown' }]
    t.match(heard, store instanceof SqliteStore ? [rejected] : [expired, rejected])
    heard.length = 0
    if (store instanceof SqliteStore) await store.sweep()
    t.match(heard, store instanceof SqliteStore ? [expired] : [], 'a store that sweeps tells of it then')
    browser.cookies['sid'] = 'nonsense'
    await visit(() => {})
    t.same(heard, [['rejected', { sessionId: null, reason: 'malformed' }]])
    browser.cookies['sid'] = `${'A'.repeat(64)}.${'A'.repeat(43)}`
    await visit(() => {})
    t.same(heard, [['rejected', { sessionId: null, reason: 'bad-signature' }]])

    t.match(app.sessions.stats(), { created: 2, loaded: 6, saved: 3, regenerated: 1, rotated: 1, reauthenticated: 1, destroyed: 1, rejected: 5, denied: 0, storeErrors: 0 })
  })
}

t.test('an eviction is published', async (t) => {
  const store = new MemoryStore({ maxSessions: 1 })
  const app = await buildApp(t, { store })
  const heard = listen(t)
  const { sessionId } = await app.sessions.issue({ a: 1 })
  await app.sessions.issue({ a: 2 })
  t.same(heard[1], ['evicted', { sessionId, reason: 'evicted' }])
  t.match(app.sessions.stats(), { evicted: 1, size: 1, bytes: Number, expired: 0 })
})

t.test('a failing store is published with its error', async (t) => {
  const app = await buildApp(t, { store: wrapped(memoryStore(), () => { throw new Error('down') }) })
  const heard = listen(t)
  await app.inject({ url: '/', cookies: { sid: 'A'.repeat(64) } })
  t.match(heard, [['store-error', { sessionId: null, error: { code: 'FST_KEEP_STORE', cause: { message: 'down' } } }]])
  t.match(app.sessions.stats(), { storeErrors: 1, size: null, bytes: null })
})

t.test('a request that found its session changed by another one, and tried again, is published', async (t) => {
  const app = await buildApp(t)
  const { cookies, headers: { cookie }, sessionId } = await app.sessions.issue({ a: 0 })
  /** Another request of the session comes in between. */
  const change = async (key: string) => {
    const other = await app.sessions.load(cookie)
    other.set(key, 1)
    await other.save()
  }
  app.get('/update', async ({ session }) => { await change('a'); return session.update('a', (a) => Number(a) + 1) })
  app.get('/login', async ({ session }) => { await change('b'); session.regenerate('all') })
  let rotations = 0
  app.get('/rotate', async ({ session }) => {
    session.rotate()
    if (++rotations === 1) await app.inject({ url: '/rotate', cookies })
  })
  const heard = listen(t)
  const conflicts = () => heard.filter(([event]) => event === 'conflict')
  t.equal((await app.inject({ url: '/update', cookies })).body, '2')
  t.same(conflicts(), [['conflict', { sessionId }]])
  await app.inject({ url: '/rotate', cookies })
  t.same(conflicts(), Array(2).fill(['conflict', { sessionId }]))
  await app.inject({ url: '/login', cookies })
  t.same(conflicts(), Array(3).fill(['conflict', { sessionId }]))
  t.match(heard.at(-1), ['regenerated', { previousId: sessionId }])
  t.match(app.sessions.stats(), { conflicts: 3 })
})

t.test('a login that is one too many is published as denied', async (t) => {
  const app = await buildApp(t, { ownerKey: 'userId', maxPerOwner: 1, onLimit: 'refuse' })
  app.get('/login', async ({ session }) => session.set('userId', 1))
  await app.sessions.issue({ userId: 1 })
  const heard = listen(t)
  t.equal((await app.inject('/login')).statusCode, 409)
  t.same(heard, [['denied', { sessionId: null, reason: 'limit' }]])
  t.match(app.sessions.stats(), { denied: 1, created: 1 })
})

t.test('a request about which validate could not decide is published as denied', async (t) => {
  const app = await buildApp(t, { validate () { throw new Error('the directory is away') } })
  app.get('/', async () => 'x')
  const { cookies, sessionId } = await app.sessions.issue({ a: 1 })
  const heard = listen(t)
  t.equal((await app.inject({ url: '/', cookies })).statusCode, 500)
  t.same(heard, [['loaded', { sessionId }], ['denied', { sessionId, reason: 'validate-failed' }]])
})

t.test('neither the token nor a secret is in any log line, event, message, inspection or JSON', async (t) => {
  const seen: string[] = []
  for (const failing of [false, true]) {
    let down = false
    const app = await buildApp(t, {
      secret: SECRET,
      store: wrapped(memoryStore(), () => { if (down) throw new Error('down') })
    }, { logger: { level: 'trace', serializers: { req: ({ url }) => ({ url }) }, stream: { write: (line: string) => seen.push(line) } } })
    const heard = listen(t)
    app.get('/:act', async (request) => {
      const { session } = request
      const { act } = request.params as { act: string }
      seen.push(inspect(session, { depth: 9, showHidden: true, showProxy: true }), JSON.stringify(session), String(session), inspect(request.session))
      request.log.info({ session }, 'with the session')
      if (act === 'set') session.set('user', 1)
      if (act === 'regenerate') session.regenerate(['user'])
      if (act === 'destroy') session.destroy()
      if (act === 'bad') session.set('x', () => {})
      if (act === 'too-large') session.set('x', 'x'.repeat(2_000_000))
      return session.data()
    })
    const browser = new Browser(app)
    const tokens = new Set<string>()
    for (const act of ['set', 'read', 'bad', 'too-large', 'regenerate', 'read', 'destroy', 'read']) {
      down = failing && act !== 'set'
      const response = await browser.visit(`/${act}`)
      seen.push(response.body)
      if (act === 'set') t.equal(response.statusCode, 200, response.body)
      const token = browser.cookies['sid']?.split('.')[0]
      if (token !== undefined) tokens.add(token)
    }
    seen.push(inspect(app.sessions, { depth: 9 }), JSON.stringify(app.sessions.stats()), JSON.stringify(heard))
    const everything = seen.join('\n')
    t.ok(tokens.size > 0 && everything.length > 1000)
    for (const token of tokens) t.notOk(everything.includes(token), 'the token')
    t.notOk(everything.includes(SECRET), 'the secret')
  }
})

t.test('inspecting a session shows what it holds', async (t) => {
  const app = await buildApp(t)
  const session = await app.sessions.load((await app.sessions.issue({ user: { id: 1 } })).headers.cookie)
  t.equal(inspect(session), '{ user: { id: 1 } }')
})

t.test('a session that was dropped by a faster logout leaves a line at debug level', async (t) => {
  const lines: string[] = []
  const app = await buildApp(t, {}, { logger: { level: 'debug', stream: { write: (line: string) => lines.push(line) } } })
  const { headers, sessionId } = await app.sessions.issue({ a: 1 })
  const [one, other] = await Promise.all([app.sessions.load(headers.cookie), app.sessions.load(headers.cookie)])
  one.destroy()
  await one.save()
  other.set('a', 2)
  await other.save()
  t.match(lines.filter((line) => line.includes('ended elsewhere')), [new RegExp(sessionId)])
})

t.test('caches', async (t) => {
  const app = await buildApp(t)
  app.get('/untouched', async () => 'x')
  app.get('/read', async ({ session }) => ({ a: session.get('a') ?? null }))
  app.get('/guarded', async ({ session }, reply) => { reply.header('vary', 'Accept'); return String('a' in session) })
  app.get('/write', async ({ session }) => session.set('a', 1))
  app.get('/public', async ({ session }, reply) => { reply.headers({ 'cache-control': 'private, max-age=5', vary: 'Accept, cookie' }); session.set('a', 1) })
  app.get('/star', async ({ session }, reply) => { reply.header('vary', '*'); session.set('a', 1) })
  app.get('/list', async ({ session }, reply) => { reply.header('vary', ['Accept', 'Origin']); session.get('a') })
  const headersOf = async (url: string, cookies = {}) => {
    const { headers } = await app.inject({ url, cookies })
    return [headers['cache-control'], headers.vary]
  }
  const { cookies } = await app.sessions.issue({ a: 0 })

  await t.test('may keep a response that did not look at the session', async (t) => {
    t.same(await headersOf('/untouched'), [undefined, undefined])
    t.same(await headersOf('/untouched', cookies), [undefined, undefined])
  })
  await t.test('are told when the response depends on the session, with a cookie or without', async (t) => {
    t.same(await headersOf('/read'), [undefined, 'Cookie'])
    t.same(await headersOf('/read', cookies), [undefined, 'Cookie'])
    t.same(await headersOf('/guarded'), [undefined, 'Accept, Cookie'])
    t.same(await headersOf('/list'), [undefined, 'Accept,Origin, Cookie'])
  })
  await t.test('must not keep a response that sets the cookie, and the word of the app stands', async (t) => {
    t.same(await headersOf('/write'), ['no-store', 'Cookie'])
    t.same(await headersOf('/public'), ['private, max-age=5', 'Accept, cookie'])
    t.same(await headersOf('/star'), ['no-store', '*'])
  })
})
