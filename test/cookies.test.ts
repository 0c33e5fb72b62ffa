// The cookie: what is sent, and what becomes of whatever comes in.
import { hash } from 'node:crypto'
import cookie from '@fastify/cookie'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import session, { type SessionOptions, type SessionRecord } from '../index.js'
import { Browser, buildApp, setCookies } from './fixtures/app.js'
import { runApp } from './fixtures/process.js'
import { memoryStore, recorded } from './fixtures/stores.js'

const OLD = 'an old secret of at least 32 bytes!!'
const NEW = 'a new secret of at least 32 bytes!!!'

function addRoutes (app: FastifyInstance): FastifyInstance {
  app.get('/login', async ({ session }) => { session.regenerate(); session.set('user', 1) })
  app.get('/logout', async ({ session }) => session.destroy())
  app.get('/data', async ({ session }) => session.data())
  return app
}

async function start (t: Test, options: SessionOptions = {}, server = {}) {
  const { store, calls } = recorded(memoryStore())
  const app = addRoutes(await buildApp(t, { store, ...options }, server))
  return { app, calls, browser: new Browser(app) }
}

t.test('the default cookie is sid, for the whole host, HttpOnly and SameSite=Lax, without a date', async (t) => {
  const { browser } = await start(t)
  t.match(setCookies(await browser.visit('/login')), [/^sid=[\w-]{64}; Path=\/; HttpOnly; SameSite=Lax$/])
})

t.test('every attribute of the options is in the cookie, and in the one that clears it', async (t) => {
  const { browser } = await start(t, {
    cookie: { name: '__Secure-id', path: '/app', domain: 'example.com', secure: true, sameSite: 'none', partitioned: true, priority: 'high', httpOnly: false }
  })
  const attributes = 'Domain=example.com; Path=/app; Secure; Partitioned; Priority=High; SameSite=None'
  const [login] = setCookies(await browser.visit('/login'))
  t.equal(login?.replace(/=[^;]+/, '='), `__Secure-id=; ${attributes}`)
  const [logout] = setCookies(await browser.visit('/logout'))
  t.equal(logout?.replace(/(Max-Age|Expires)=[^;]+; /g, ''), `__Secure-id=; ${attributes}`)
  t.match(logout, /Max-Age=0/)
  t.match(logout, /Expires=Thu, 01 Jan 1970 00:00:00 GMT/)
})

t.test('a cookie that was malformed, forged or tampered with is no session, no error and no call to the store', async (t) => {
  const good = 'A'.repeat(64)
  const bad = ['', 'x', 'A'.repeat(24), 'A'.repeat(43), 'A'.repeat(63), 'A'.repeat(65), 'A'.repeat(10_000), `${'A'.repeat(63)}=`, '%', '%zz', '%E0%A4%A', '../../etc/passwd', `${'A'.repeat(63)}/`, `${'A'.repeat(63)}+`, '*', `"${good}"`, 'null', '__proto__', `${good}.sig`, `${good} x`, 'ü'.repeat(64)]
  const { app, calls } = await start(t)
  let rejected = 0
  for (const value of bad) {
    const response = await app.inject({ url: '/data', headers: { cookie: `sid=${value}` } })
    t.equal(response.statusCode, 200, value.slice(0, 50))
    t.same(setCookies(response), [])
    t.equal(app.sessions.stats().rejected, ++rejected, 'and is counted')
  }
  for (const header of ['sid', '=', ';;;', 'sid=;sid=', 'sidx=1; xsid=2', ' ', `xsid=${good}; sid2=${good}`]) {
    t.equal((await app.inject({ url: '/data', headers: { cookie: header } })).statusCode, 200)
  }
  t.same(calls, [])
})

t.test('the right one of several cookies of one name is found, wherever it stands', async (t) => {
  const { app, calls } = await start(t)
  const { cookies: { sid } } = await app.sessions.issue({ user: 1 })
  const decoy = (n: number) => Buffer.alloc(48, n).toString('base64url')
  for (const header of [`sid=${decoy(1)}; sid=${sid}`, `sid=${sid}; sid=${decoy(1)}`, `sid=garbage; a=b;sid=${decoy(1)};  sid=${sid}`, `sid=${sid}; sid=${sid}`]) {
    const response = await app.inject({ url: '/data', headers: { cookie: header } })
    t.same(response.json(), { user: 1 }, header)
    t.same(setCookies(response), [])
  }
  calls.length = 0
  const many = Array.from({ length: 50 }, (_, n) => `sid=${decoy(n)}`).join('; ')
  t.same((await app.inject({ url: '/data', headers: { cookie: many } })).json(), {})
  t.equal(calls.length, 8, 'no more than eight are tried')
})

t.test('a signed cookie opens its session, and nothing else does', async (t) => {
  const { app, calls, browser } = await start(t, { secret: NEW })
  t.match(setCookies(await browser.visit('/login'))[0], /^sid=[\w-]{64}\.[\w+/%]{43}/)
  t.same((await browser.visit('/data')).json(), { user: 1 })
  t.same(setCookies(await browser.visit('/data')), [], 'and is not sent again')
  calls.length = 0
  const [token, signature] = String(browser.cookies['sid']).split('.') as [string, string]
  for (const value of [token, `${token}.`, `${token}.${'A'.repeat(43)}`, `${token}.${signature.slice(0, -1)}`, `${'A'.repeat(64)}.${signature}`, `${token.slice(0, 24)}.${signature}`, `${token}.${signature}x`, `.${signature}`, '.']) {
    t.same((await app.inject({ url: '/data', headers: { cookie: `sid=${value}` } })).json(), {}, value)
  }
  t.same(calls, [])
})

t.test('a percent-encoded signature is understood', async (t) => {
  const { app } = await start(t, { secret: NEW })
  for (let i = 0; i < 20; i++) {
    const { cookies: { sid } } = await app.sessions.issue({ i })
    t.same((await app.inject({ url: '/data', headers: { cookie: `sid=${encodeURIComponent(String(sid))}` } })).json(), { i })
  }
})

t.test('a cookie signed by an old secret opens and is renewed, until that secret is dropped', async (t) => {
  const store = memoryStore()
  const browser = new Browser((await start(t, { store, secret: OLD })).app)
  await browser.visit('/login')
  const signedByOld = String(browser.cookies['sid'])

  const rotating = new Browser((await start(t, { store, secret: [NEW, OLD] })).app)
  rotating.cookies['sid'] = signedByOld
  const response = await rotating.visit('/data')
  t.same(response.json(), { user: 1 })
  t.match(setCookies(response)[0], signedByOld.split('.')[0] as string, 'the same session')
  t.not(rotating.cookies['sid'], signedByOld)
  t.same(setCookies(await rotating.visit('/data')), [])

  const { app } = await start(t, { store, secret: NEW })
  t.same((await app.inject({ url: '/data', cookies: { sid: signedByOld } })).json(), {})
  t.same((await app.inject({ url: '/data', cookies: { ...rotating.cookies } })).json(), { user: 1 })
})

t.test('secure auto follows the protocol that Fastify sees', async (t) => {
  const https = { 'x-forwarded-proto': 'https' }
  const trusting = await start(t, {}, { trustProxy: true })
  t.match(setCookies(await trusting.app.inject({ url: '/login', headers: https }))[0], /; Secure/)
  t.notMatch(setCookies(await trusting.app.inject('/login'))[0], /; Secure/)
  const wary = await start(t)
  t.notMatch(setCookies(await wary.app.inject({ url: '/login', headers: https }))[0], /; Secure/, 'a header that nobody vouches for')
})

t.test('secure true on what looks like plain http sends the cookie and warns once per process, naming trustProxy', async (t) => {
  const warnings: Error[] = []
  const listen = (warning: Error) => warnings.push(warning)
  process.on('warning', listen)
  t.teardown(() => process.off('warning', listen))
  const lines: string[] = []
  const { app } = await start(t, { cookie: { secure: true } }, { logger: { level: 'warn', stream: { write: (line: string) => lines.push(line) } } })
  for (let i = 0; i < 5; i++) t.match(setCookies(await app.inject({ url: '/login', headers: { 'x-forwarded-proto': 'https' } }))[0], /; Secure/)
  await new Promise(setImmediate)
  // an earlier test of this file sent a Secure cookie over http, so the process may have been warned already
  t.ok(warnings.length <= 1)
  t.ok(lines.length <= 1)
  const { stderr } = await runApp(`
    const app = Fastify()
    app.register(session, { cookie: { secure: true } })
    app.get('/', async (request) => { request.session.set('a', 1) })
    for (const headers of [{ 'x-forwarded-proto': 'https' }, {}, {}]) console.log(!!(await app.inject({ url: '/', headers })).headers['set-cookie'])
  `)
  t.equal(stderr.match(/FST_KEEP_INSECURE_COOKIE/g)?.length, 1)
  t.match(stderr, /x-forwarded-proto: https\): set the Fastify option trustProxy/)
})

t.test('it works beside @fastify/cookie however the app has set that up', async (t) => {
  for (const options of [{}, { hook: 'preHandler' as const }, { hook: false as const }, { secret: 'x', parseOptions: { signed: true, domain: 'elsewhere.example' } }]) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(cookie, options)
    await app.register(session)
    addRoutes(app).get('/both', async (request, reply) => { reply.setCookie('other', '1', { signed: false }); request.session.set('b', 1) })
    const browser = new Browser(app)
    t.match(setCookies(await browser.visit('/login')), [/^sid=[\w-]{64}; Path=\/; HttpOnly; SameSite=Lax$/])
    t.same((await browser.visit('/data')).json(), { user: 1 }, JSON.stringify(options))
    t.equal(setCookies(await app.inject('/both')).length, 2)
  }
})

t.test('cookies that the handler sets survive, and ours is there once however often it changes', async (t) => {
  const { app, browser } = await start(t)
  app.get('/busy', async ({ session }, reply) => {
    reply.header('set-cookie', ['a=1', 'b=2'])
    session.set('x', 1)
    await session.save()
    session.regenerate(['x'])
    await session.save()
    session.rotate()
  })
  const lines = setCookies(await browser.visit('/busy'))
  t.same(lines.map((line) => line.split('=')[0]), ['a', 'b', 'sid'])
  t.same((await browser.visit('/data')).json(), { x: 1 })
})

t.test('of several saves in one request only the last cookie is sent', async (t) => {
  const { app, browser } = await start(t)
  app.get('/twice', async ({ session }) => { session.set('x', 1); await session.save(); session.rotate() })
  t.equal(setCookies(await browser.visit('/twice')).length, 1)
  t.same((await browser.visit('/data')).json(), { x: 1 })
})

t.test('the store sees the id and the SHA-256 of the token, never the secret, and what it holds opens nothing', async (t) => {
  const store = memoryStore()
  const { app } = await start(t, { store })
  const { sessionId, cookies } = await app.sessions.issue({ user: 1 })
  const token = String(cookies['sid'])
  t.equal(sessionId, token.slice(0, 24))
  const record = store.read(sessionId) as SessionRecord
  t.equal(record.verifier, hash('sha256', token, 'base64url'))
  t.notMatch(JSON.stringify(record), token.slice(24))
  for (const sid of [sessionId, record.verifier, sessionId + record.verifier.slice(0, 40), sessionId + 'A'.repeat(40), 'A'.repeat(24) + token.slice(24)]) {
    t.same((await app.inject({ url: '/data', cookies: { sid } })).json(), {}, sid)
  }
})

t.test("with secure: 'auto' a proxy that speaks https and is not trusted is warned about once", async (t) => {
  const visit = async (server: string, protos: Array<string | null>) => {
    const { stdout, stderr } = await runApp(`
      const app = Fastify(${server})
      app.register(session)
      app.get('/', async (request) => { request.session.set('a', 1) })
      for (const proto of ${JSON.stringify(protos)}) {
        const { headers } = await app.inject({ url: '/', headers: proto === null ? {} : { 'x-forwarded-proto': proto } })
        console.log(/; Secure/.test(String(headers['set-cookie'])))
      }
    `)
    return { secure: stdout.trim().split('\n').join(), warnings: stderr.match(/FST_KEEP_UNTRUSTED_PROXY/g)?.length ?? 0, stderr }
  }
  const untrusted = await visit('', [null, 'https', 'HTTPS, http', 'https'])
  t.match(untrusted, { secure: 'false,false,false,false', warnings: 1, stderr: /set the Fastify option trustProxy/ })
  t.match(await visit('', ['HTTPS , http']), { warnings: 1 })
  t.match(await visit('', [null, 'http', 'http, https', 'httpsx', '']), { secure: 'false,false,false,false,false', warnings: 0 })
  t.match(await visit('{ trustProxy: true }', ['https', 'https, http', null]), { secure: 'true,false,false', warnings: 0 })
})
