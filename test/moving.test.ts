// Sessions that express-session and @fastify/session really wrote, in stores of
// theirs, go on as sessions of this package.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import cookie, { Signer } from '@fastify/cookie'
import expressSession from 'express-session'
import Fastify, { type FastifyInstance, type FastifyPluginCallback, type LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import session, { moveSessions, requireSession, type MoveOptions, type SessionOptions } from '../index.js'
import { fromExpressStore, type ExpressStore } from '../lib/stores/express/express-store.js'
import { Browser, setCookies } from './fixtures/app.js'
import { runningClock, DAY, HOUR } from './fixtures/clock.js'
import { expressStores } from './fixtures/express-stores.js'
import { liveObjectStore } from './fixtures/live-object-store.js'
import { needs } from './fixtures/needs.js'
import { memoryStore } from './fixtures/stores.js'

const fastifySession: FastifyPluginCallback<Record<string, unknown>> = createRequire(import.meta.url)('@fastify/session')
const SECRET = 'a secret of the old library, long enough for each'

/** Logs a visitor in with the old library, and answers with the cookie that the browser now has. */
type OldApp = (t: Test, store: ExpressStore, cookie?: { maxAge?: number }) => Promise<Record<string, string>>

const oldLibraries: Record<string, { cookieName: string, login: OldApp }> = {
  'express-session': {
    cookieName: 'connect.sid',
    async login (t, store, cookie = {}) {
      const sessions = expressSession({ secret: SECRET, store: store as expressSession.Store, resave: false, saveUninitialized: false, cookie })
      const server = createServer(((request, response) => sessions(request as never, response as never, () => {
        Object.assign((request as unknown as { session: object }).session, { userId: 42, cart: ['apple'] })
        response.end()
      })) as RequestListener).listen(0, '127.0.0.1')
      await once(server, 'listening')
      t.teardown(() => server.close())
      const { headers } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      const [, name, value] = /^([^=]+)=([^;]+)/.exec(String(headers.get('set-cookie'))) ?? []
      return { [String(name)]: decodeURIComponent(String(value)) }
    }
  },
  '@fastify/session': {
    cookieName: 'sessionId',
    async login (t, store, cookie = {}) {
      const app = Fastify()
      t.teardown(() => app.close())
      app.register(import('@fastify/cookie'))
      app.register(fastifySession, { secret: SECRET, store, saveUninitialized: false, cookie: { secure: false, ...cookie } })
      app.get('/', async (request) => { Object.assign(request.session, { userId: 42, cart: ['apple'] }) })
      const { cookies } = await app.inject('/')
      return Object.fromEntries(cookies.map(({ name, value }) => [name, value]))
    }
  }
}

/** The app after the change of library. */
async function newApp (t: Test, move: MoveOptions, options: SessionOptions = {}): Promise<FastifyInstance> {
  const app = Fastify({ trustProxy: true })
  t.teardown(() => app.close())
  await app.register(session, options)
  app.addHook('onRequest', moveSessions(move))
  app.get('/me', { onRequest: requireSession('userId') }, async ({ session }) => session.data())
  app.get('/pay', { onRequest: requireSession('userId', { fresh: '5m' }) }, async () => 'paid')
  app.get('/login', async ({ session }) => {
    session.regenerate()
    session.set('userId', 43)
  })
  app.get('/remember-me', async ({ session }) => { session.lifetime({ idle: '30d', absolute: '30d' }) })
  app.get('/logout', async ({ session }) => { session.destroy() })
  app.get('/health', { config: { session: false } }, async () => 'well')
  return app
}

function oldRow (store: ExpressStore, id: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    store.get(id, (error, row) => error && (error as { code?: string }).code !== 'ENOENT' ? reject(error) : resolve(row ?? null))
  })
}

const idOf = (signed: string) => signed.replace(/^s:/, '').split('.')[0] as string

for (const [library, { cookieName, login }] of Object.entries(oldLibraries)) {
  for (const [name, { program, make }] of Object.entries(expressStores)) {
    t.test(`a user who was logged in with ${library} on ${name} still is`, async (t) => {
      if (program !== undefined && needs(t, program) === null) return
      const store = await make(t)
      const cookies = await login(t, store, { maxAge: HOUR })
      t.strictSame(Object.keys(cookies), [cookieName])
      const app = await newApp(t, { from: store, cookieName, secret: ['a newer one', SECRET] }, { store: fromExpressStore(store) })
      const browser = new Browser(app)
      Object.assign(browser.cookies, cookies)

      t.strictSame((await browser.visit('/me')).json(), { userId: 42, cart: ['apple'] })
      t.strictSame(Object.keys(browser.cookies), ['sid'], 'the browser has the new cookie, and no longer the old one')
      t.equal(await oldRow(store, idOf(cookies[cookieName] as string)), null, 'the old session has ended')
      t.strictSame((await browser.visit('/me')).json(), { userId: 42, cart: ['apple'] })

      await browser.visit('/logout')
      const again = await app.inject({ url: '/me', cookies })
      t.equal(again.statusCode, 401, 'after the logout the old cookie opens nothing')
    })
  }
}

/** An app that moves what express-session left, and a browser that was logged in there. */
async function moving (t: Test, { store = liveObjectStore(), cookie = {}, move = {}, options = {} }: { store?: ExpressStore, cookie?: { maxAge?: number }, move?: Partial<MoveOptions>, options?: SessionOptions } = {}) {
  const cookies = await oldLibraries['express-session']!.login(t, store, cookie)
  const app = await newApp(t, { from: store, cookieName: 'connect.sid', secret: SECRET, ...move }, options)
  const browser = new Browser(app)
  Object.assign(browser.cookies, cookies)
  return { app, browser, store, id: idOf(String(cookies['connect.sid'])) }
}

t.test('a login that was moved is no fresh one, until the user logs in again', async (t) => {
  const { browser } = await moving(t)
  t.equal((await browser.visit('/pay')).json().code, 'FST_KEEP_STALE_LOGIN')
  t.equal((await browser.visit('/me')).statusCode, 200)
  t.equal((await browser.visit('/pay')).json().code, 'FST_KEEP_STALE_LOGIN')
  await browser.visit('/login')
  t.equal((await browser.visit('/pay')).body, 'paid')
})

t.test('a moved session ends by the new timeouts, counted from its move', async (t) => {
  const clock = runningClock()
  const { browser } = await moving(t, { options: { clock, store: memoryStore(clock), idleTimeout: '1d', absoluteTimeout: '2d' } })
  for (let day = 0; day < 3; day++) {
    t.equal((await browser.visit('/me')).statusCode, 200, `after ${day} times 15 hours`)
    clock.advance(15 * HOUR)
  }
  clock.advance(3 * HOUR)
  t.equal((await browser.visit('/me')).statusCode, 401, 'after two days')
})

t.test('a moved session given a longer lifetime ends no later than its absolute limit, until its user logs in', async (t) => {
  for (const login of [false, true]) {
    const clock = runningClock()
    const { browser } = await moving(t, { options: { clock, store: memoryStore(clock) } })
    await browser.visit('/me')
    if (login) await browser.visit('/login')
    await browser.visit('/remember-me')
    clock.advance(DAY - HOUR)
    t.equal((await browser.visit('/me')).statusCode, 200)
    clock.advance(HOUR)
    t.equal((await browser.visit('/me')).statusCode, login ? 200 : 401)
    clock.advance(29 * DAY)
    t.equal((await browser.visit('/me')).statusCode, 401)
  }
})

t.test('a moved session reaches its absolute limit however often it is given a lifetime', async (t) => {
  for (const call of [{ absolute: '2d' }, { absolute: '2d', idle: '2d', persistent: true }, { idle: '2d' }, {}] as const) {
    const clock = runningClock()
    const { browser, app } = await moving(t, { options: { clock, store: memoryStore(clock), idleTimeout: '1d', absoluteTimeout: '2d' } })
    let isNow = true
    app.addHook('preHandler', async ({ session }) => { if (isNow) session.lifetime(call) })
    for (let visits = 0; visits < 4; visits++) {
      t.equal((await browser.visit('/me')).statusCode, 200, `${JSON.stringify(call)}, after ${visits} times 11 hours`)
      clock.advance(11 * HOUR)
    }
    clock.advance(4 * HOUR)
    isNow = false
    t.equal((await browser.visit('/me')).statusCode, 401, `${JSON.stringify(call)}, after two days`)
  }
})

t.test('what another library wrote opens nothing where it is, even under the id of a session of ours', async (t) => {
  const old = liveObjectStore()
  const app = await newApp(t, { from: old, cookieName: 'connect.sid', secret: SECRET }, { store: fromExpressStore(old) })
  const { cookies, sessionId } = await app.sessions.issue()
  await new Promise<void>((resolve) => { old.set(sessionId, { cookie: {}, userId: 42 }, () => resolve()) })
  t.equal((await app.inject({ url: '/me', cookies })).statusCode, 401)
  t.match(await oldRow(old, sessionId), { userId: 42 })
})

t.test('a user who has just logged out here, and in again with the old library, is moved', async (t) => {
  const { browser, app, store } = await moving(t, { store: liveObjectStore() })
  await browser.visit('/me')
  const late = { ...browser.cookies }
  await browser.visit('/logout')
  const again = await oldLibraries['express-session']!.login(t, store)
  const response = await app.inject({ url: '/me', cookies: { ...late, ...again } })
  t.strictSame(response.json(), { userId: 42, cart: ['apple'] })
  const next = Object.fromEntries(response.cookies.filter(({ name }) => name === 'sid').map(({ name, value }) => [name, value]))
  t.strictSame((await app.inject({ url: '/me', cookies: next })).json(), { userId: 42, cart: ['apple'] })
})

t.test('ten requests that come at once with one old cookie make one session', async (t) => {
  for (const later of [false, true]) {
    const old = liveObjectStore()
    const { get } = old
    if (later) old.get = (id, callback) => setTimeout(() => get.call(old, id, callback), 5)
    const store = memoryStore()
    const { app, browser } = await moving(t, { store: old, options: { store } })
    const responses = await Promise.all(Array.from({ length: 10 }, () => app.inject({ url: '/me', cookies: browser.cookies })))
    const withCookie = responses.filter((response) => setCookies(response).some((line) => line.startsWith('sid=')))
    t.equal(withCookie.length, 1)
    t.equal(store.size, 1)
    t.equal(responses.filter(({ statusCode }) => statusCode === 401).length, 9)
    t.equal(responses.filter((response) => setCookies(response).length > 0).length, 1, 'nobody else is sent a cookie')
  }
})

t.test('an old session that the old library writes again at that moment is ended for good', async (t) => {
  const old = liveObjectStore()
  const { browser, id } = await moving(t, { store: old })
  const { destroy } = old
  let times = 0
  old.destroy = (id, callback) => {
    if (++times > 1) return destroy.call(old, id, callback)
    return callback()
  }
  t.equal((await browser.visit('/me')).statusCode, 200)
  t.equal(await oldRow(old, id), null)
})

t.test('an old session that cannot be stored anew is put back', async (t) => {
  const old = liveObjectStore()
  const small = await moving(t, { store: old, options: { maxSize: 10 } })
  const refused = await small.browser.visit('/me')
  t.match(refused.json(), { statusCode: 500, code: 'FST_KEEP_TOO_LARGE' })
  t.strictSame(setCookies(refused), [])
  t.ok(await oldRow(old, small.id))
  const roomy = await newApp(t, { from: old, cookieName: 'connect.sid', secret: SECRET })
  t.strictSame((await roomy.inject({ url: '/me', cookies: small.browser.cookies })).json(), { userId: 42, cart: ['apple'] })
})

t.test('an old session that can be neither stored anew nor put back is an error of the move, and a line in the log', async (t) => {
  for (const reason of [new Error('disk full'), 'disk full']) {
    const lines: string[] = []
    const old = liveObjectStore()
    const cookies = await oldLibraries['express-session']!.login(t, old)
    const app = Fastify({ logger: { level: 'error', stream: { write: (line: string) => lines.push(line) } } })
    t.teardown(() => app.close())
    await app.register(session, { maxSize: 10 })
    app.addHook('onRequest', moveSessions({ from: old, cookieName: 'connect.sid', secret: SECRET }))
    old.set = (_id, _session, callback) => callback(reason)
    t.match((await app.inject({ url: '/', cookies })).json(), { code: 'FST_KEEP_TOO_LARGE' })
    t.equal(lines.filter((line) => line.includes('neither moved nor put back')).length, 1)
    t.notMatch(lines.join(''), /apple/)
  }
})

t.test('old secrets may be bytes', async (t) => {
  const bytes = Buffer.from(SECRET)
  for (const secret of [bytes, new Uint8Array(bytes), [Buffer.from('a newer one'), bytes], ['a newer one', bytes]]) {
    const { browser } = await moving(t, { move: { secret } })
    t.equal((await browser.visit('/me')).statusCode, 200)
  }
})

t.test('a cookie with a date becomes one with a date, a browser-session cookie stays one', async (t) => {
  const dated = await moving(t, { cookie: { maxAge: DAY } })
  t.match(setCookies(await dated.browser.visit('/me')).find((line) => line.startsWith('sid=')), /Max-Age=3600/)
  const undated = await moving(t)
  t.notMatch(setCookies(await undated.browser.visit('/me')).find((line) => line.startsWith('sid=')), /Max-Age|Expires/)
})

t.test('the old cookie is cleared where it was set', async (t) => {
  const { browser } = await moving(t, { move: { path: '/app', domain: 'example.com' } })
  const cleared = (response: LightMyRequestResponse) => setCookies(response).find((line) => line.startsWith('connect.sid='))
  const line = cleared(await browser.visit('/me'))
  t.match(line, /^connect\.sid=; Max-Age=0; Domain=example\.com; Path=\/app/)
  t.notMatch(line, /Secure/)
  const secure = await moving(t)
  t.match(cleared(await secure.browser.visit('/me', { headers: { 'x-forwarded-proto': 'https' } })), /Secure/)
})

t.test('an old session does not touch the one of somebody who logged in anew, and goes', async (t) => {
  const { browser, store, id, app } = await moving(t)
  const { cookies } = await app.inject('/login')
  browser.cookies.sid = String(cookies[0]?.value)
  t.strictSame((await browser.visit('/me')).json(), { userId: 43 })
  t.equal(await oldRow(store, id), null)
  t.notOk('connect.sid' in browser.cookies)
})

t.test('a cookie that the old library did not sign, or whose session has ended, opens nothing', async (t) => {
  const { app, browser, id } = await moving(t)
  for (const value of [id, `s:${id}`, `s:${id}.`, `s:${id}.${'A'.repeat(43)}`, 's:', '', '../../etc/passwd', `s:${'x'.repeat(5000)}`]) {
    const response = await app.inject({ url: '/me', cookies: { 'connect.sid': value } })
    t.equal(response.statusCode, 401, value.slice(0, 60))
    t.strictSame(setCookies(response), [])
  }
  const old = { ...browser.cookies }
  await browser.visit('/me')
  t.equal((await app.inject({ url: '/me', cookies: old })).statusCode, 401)
  t.equal((await app.inject('/me')).statusCode, 401)
})

t.test('somebody who gets the id of a new session signed by the old secret cannot take it over', async (t) => {
  const store = liveObjectStore()
  const app = await newApp(t, { from: store, cookieName: 'connect.sid', secret: SECRET }, { store: fromExpressStore(store) })
  const { sessionId, cookies } = await app.sessions.issue({ userId: 43 })
  const forged = { 'connect.sid': `s:${new Signer(SECRET).sign(sessionId)}` }
  t.equal((await app.inject({ url: '/me', cookies: forged })).statusCode, 401)
  t.equal((await app.inject({ url: '/me', cookies })).statusCode, 200, 'and it is still there')
})

t.test('an expired or corrupt old session opens nothing', async (t) => {
  const clock = runningClock()
  const { browser } = await moving(t, { cookie: { maxAge: HOUR }, options: { clock } })
  clock.advance(HOUR)
  t.equal((await browser.visit('/me')).statusCode, 401)
  const corrupt = await moving(t)
  await new Promise<void>((resolve) => { corrupt.store.set(corrupt.id, { cookie: { expires: 'some day' } }, () => resolve()) })
  t.equal((await corrupt.browser.visit('/me')).statusCode, 401)
})

t.test('the move does not depend on when @fastify/cookie parses', async (t) => {
  for (const hook of ['preHandler', false] as const) {
    const store = liveObjectStore()
    const cookies = await oldLibraries['express-session']!.login(t, store)
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(cookie, { hook })
    await app.register(session)
    app.addHook('onRequest', moveSessions({ from: store, cookieName: 'connect.sid', secret: SECRET }))
    app.get('/', async ({ session }) => session.data())
    const response = await app.inject({ url: '/', cookies })
    t.strictSame(response.json(), { userId: 42, cart: ['apple'] }, String(hook))
    t.match(setCookies(response).find((line) => line.startsWith('connect.sid=')), /Max-Age=0/)
    t.strictSame((await app.inject('/')).json(), {})
  }
})

t.test('a route that opted out leaves the old session for the next one', async (t) => {
  const { browser } = await moving(t)
  t.equal((await browser.visit('/health')).body, 'well')
  t.equal((await browser.visit('/me')).statusCode, 200)
})

t.test('nobody is logged out because the old store is away', async (t) => {
  const store = liveObjectStore()
  const { browser } = await moving(t, { store })
  const { get } = store
  store.get = (_id, callback) => callback(new Error('away'))
  const response = await browser.visit('/me')
  t.equal(response.statusCode, 503)
  t.notMatch(response.body, 'away')
  store.get = get
  t.equal((await browser.visit('/me')).statusCode, 200)
})

t.test('without the plugin before it the hook says so', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(cookie)
  app.addHook('onRequest', moveSessions({ from: liveObjectStore(), cookieName: 'connect.sid', secret: SECRET }))
  app.get('/', async () => 'ok')
  t.equal((await app.inject('/')).body, 'ok')
  const store = liveObjectStore()
  const cookies = await oldLibraries['express-session']!.login(t, store)
  t.equal((await app.inject({ url: '/', cookies })).json().code, 'FST_KEEP_NOT_COVERED')
})

t.test('options that cannot work are refused with a hint', (t) => {
  const good = { from: liveObjectStore(), cookieName: 'connect.sid', secret: SECRET }
  const refused = (options: object, message: RegExp) => t.throws(() => moveSessions({ ...good, ...options }), { code: 'FST_KEEP_INVALID_OPTION', message })
  refused({ from: new Map() }, /moveSessions from is .*Map.*lacks destroy/)
  refused({ from: undefined }, /moveSessions from is undefined/)
  refused({ cookieName: '' }, /moveSessions cookieName is ''/)
  refused({ secret: [] }, /moveSessions secret is of type object: give the old secret/)
  refused({ secret: undefined }, /moveSessions secret is of type undefined/)
  for (const secret of [42, null, '', [''], [Buffer.alloc(0)], [SECRET, 42], [[SECRET]], {}]) refused({ secret }, /give the old secret, a string or a Buffer/)
  refused({ timeout: -1 }, /moveSessions timeout is -1/)
  refused({ cookiename: 'sid' }, /moveSessions cookiename is unknown: the options are from, cookieName, secret, path, domain, property, timeout/)
  refused({ path: '' }, /moveSessions path is ''/)
  refused({ domain: 7 }, /moveSessions domain is 7/)
  refused({ property: null }, /moveSessions property is null/)
  for (const nothing of [undefined, null, 'connect.sid']) {
    t.throws(() => moveSessions(nothing as unknown as MoveOptions), { code: 'FST_KEEP_INVALID_OPTION', message: /give { from, cookieName, secret }/ })
  }
  t.end()
})

t.test('an old session is not moved by a request of another site, which could act with it', async (t) => {
  const { app, browser, store, id } = await moving(t, { store: liveObjectStore() })
  app.post('/act', async ({ session }) => session.data())
  const cookies = { ...browser.cookies }
  const response = await app.inject({ url: '/act', method: 'POST', cookies, headers: { 'sec-fetch-site': 'cross-site' } })
  t.same([response.json(), setCookies(response)], [{}, []])
  t.ok(await oldRow(store, id), 'it is still there')
  t.match((await app.inject({ url: '/act', method: 'POST', cookies, headers: { 'sec-fetch-site': 'same-origin' } })).json(), { userId: 42 })
})
