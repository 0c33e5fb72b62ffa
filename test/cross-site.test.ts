// Requests of other sites: who may act with a user's session, by what the browser says.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { request as rawRequest } from 'node:http'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import websocket from '@fastify/websocket'
import cors from '@fastify/cors'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import session, { requireSession, type SessionMessage, type SessionOptions } from '../index.js'
import { foreignReason, headersLookedAt, mayActForUser, type Provenance } from '../lib/http/cross-site.js'
import { Browser, buildApp, setCookies } from './fixtures/app.js'
import { FakeClock, MINUTE } from './fixtures/clock.js'
import { everyStore, memoryStore, recorded, wrapped } from './fixtures/stores.js'

const TRUSTED = 'https://app.example.com'

const own = { protocol: 'https', host: 'shop.example' }

function judge (headers: Provenance['headers'], { protocol = own.protocol, host = own.host } = {}): string {
  return foreignReason({ method: 'POST', headers, protocol, host }, new Set([TRUSTED])) ?? 'passes'
}

t.test('who passes, by Sec-Fetch-Site and Origin', (t) => {
  const table: ReadonlyArray<readonly [site: string | undefined, origin: string | undefined, verdict: string]> = [
    ['same-origin', 'https://shop.example', 'passes'],
    ['same-origin', undefined, 'passes'],
    ['same-origin', 'null', 'passes'],
    ['none', undefined, 'passes'],
    ['none', 'https://evil.example', 'passes'],
    ['same-site', 'https://blog.shop.example', 'same-site'],
    ['same-site', undefined, 'same-site'],
    ['same-site', TRUSTED, 'passes'],
    ['cross-site', 'https://evil.example', 'cross-site'],
    ['cross-site', 'null', 'cross-site'],
    ['cross-site', undefined, 'cross-site'],
    ['cross-site', 'https://shop.example', 'cross-site'],
    ['cross-site', TRUSTED, 'passes'],
    ['Same-Origin', 'https://shop.example', 'cross-site'],
    ['same-origin, same-origin', 'https://shop.example', 'cross-site'],
    ['cross-site, same-origin', TRUSTED, 'passes'],
    ['', 'https://shop.example', 'cross-site'],
    ['', undefined, 'cross-site'],
    ['of-the-future', undefined, 'cross-site'],
    ['\u00ff\u0001', '\u00ff', 'cross-site'],
    [undefined, undefined, 'passes'],
    [undefined, 'https://shop.example', 'passes'],
    [undefined, TRUSTED, 'passes'],
    [undefined, 'https://shop.example:443', 'foreign-origin'],
    [undefined, 'https://shop.example:8443', 'foreign-origin'],
    [undefined, 'http://shop.example', 'foreign-origin'],
    [undefined, 'https://evil.example', 'foreign-origin'],
    [undefined, 'https://shop.example.evil.example', 'foreign-origin'],
    [undefined, 'https://shop.example/', 'foreign-origin'],
    [undefined, 'https://app.example.com.evil.example', 'foreign-origin'],
    [undefined, 'https://shop.example, https://shop.example', 'foreign-origin'],
    [undefined, 'null', 'foreign-origin'],
    [undefined, '', 'foreign-origin'],
    [undefined, '\u00ff', 'foreign-origin']
  ]
  for (const [site, origin, verdict] of table) t.equal(judge({ 'sec-fetch-site': site, origin }), verdict, `${site} ${origin}`)
  t.equal(judge({ 'sec-fetch-site': ['same-origin', 'same-origin'] }), 'cross-site', 'a list is no value')
  t.equal(judge({ origin: [TRUSTED, TRUSTED] }), 'foreign-origin')
  t.end()
})

t.test('the own origin is written as a browser writes it', (t) => {
  const hosts: ReadonlyArray<readonly [host: string, origin: string, protocol?: string]> = [
    ['SHOP.example', 'https://shop.example'],
    ['shop.example:443', 'https://shop.example'],
    ['shop.example:80', 'http://shop.example', 'http'],
    ['shop.example:8443', 'https://shop.example:8443'],
    ['[::1]:3000', 'http://[::1]:3000', 'http'],
    ['bücher.example', 'https://xn--bcher-kva.example']
  ]
  for (const [host, origin, protocol = 'https'] of hosts) t.equal(judge({ origin }, { host, protocol }), 'passes', host)
  for (const host of ['', ' ', 'a b', '[::1', 'x:port', '%']) t.equal(judge({ origin: 'null' }, { host }), 'foreign-origin', host)
  t.end()
})

t.test('safe methods pass, and what opens a WebSocket is looked at in any', (t) => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) t.notOk(mayActForUser({ method, headers: {} }), method)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'CONNECT', 'PROPFIND', 'get', '']) t.ok(mayActForUser({ method, headers: {} }), method)
  t.ok(mayActForUser({ method: 'GET', headers: { upgrade: 'websocket' } }))
  t.same(headersLookedAt({ headers: { 'sec-fetch-site': 'same-origin' } }), ['Cookie', 'Sec-Fetch-Site'])
  t.same(headersLookedAt({ headers: {} }), ['Cookie', 'Sec-Fetch-Site', 'Origin'])
  t.end()
})

const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }

/** An app whose every route counts its visits. */
async function startShop (t: Test, options: SessionOptions = {}, server: object = {}) {
  const app = await buildApp(t, options, server)
  const ran: string[] = []
  const act = (url: string, config = {}) => {
    app.route({ method: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'], url, config, exposeHeadRoute: false, handler: async ({ session, method }) => { ran.push(`${method} ${url}`); session.set('acts', ran.length); return 'done' } })
  }
  act('/act')
  act('/allowed', { crossSite: 'allow' })
  act('/denied', { crossSite: 'deny' })
  app.post('/untouched', async () => { ran.push('untouched'); return 'done' })
  app.post('/login', async ({ session }) => { ran.push('login'); session.regenerate(); session.set('user', 1) })
  return { app, ran }
}

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}, a request of another site does not act with the session`, async (t) => {
    const { store, calls } = recorded(makeStore())
    const { app, ran } = await startShop(t, { store })
    const { headers, sessionId } = await app.sessions.issue({ user: 1 })
    const denied: SessionMessage[] = []
    const hear = (message: unknown) => denied.push(message as SessionMessage)
    subscribe('fastify-keep:denied', hear)
    t.teardown(() => unsubscribe('fastify-keep:denied', hear))
    for (const method of ['POST', 'PUT', 'DELETE'] as const) {
      for (const url of ['/act', '/denied', '/nowhere']) {
        calls.length = 0
        const response = await app.inject({ url, method, headers: { ...headers, ...foreign } })
        t.equal(response.statusCode, 403)
        t.match(response.json(), { code: 'FST_KEEP_CROSS_SITE', message: 'This request came from another site' })
        t.same(setCookies(response), [])
        t.equal(response.headers.vary, 'Cookie, Sec-Fetch-Site, Origin')
        t.same(calls.filter((name) => name !== 'read'), [], 'nothing is stored')
      }
    }
    t.same(ran, [])
    t.same(denied[0], { sessionId, reason: 'cross-site' })
    t.equal(app.sessions.stats().denied, 9)
    t.equal((await app.inject({ url: '/act', method: 'POST', headers: { ...headers, 'sec-fetch-site': 'same-site' } })).statusCode, 403)
    t.equal(denied.at(-1)?.reason, 'same-site')
    t.equal((await app.inject({ url: '/act', method: 'POST', headers: { ...headers, origin: 'null' } })).statusCode, 403)
    t.equal(denied.at(-1)?.reason, 'foreign-origin')
    for (const allowed of [{}, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }, { origin: 'http://localhost' }, { origin: 'http://localhost:80', host: 'localhost:8080' }]) {
      const isOwn = !('host' in allowed)
      t.equal((await app.inject({ url: '/act', method: 'POST', headers: { ...headers, host: 'localhost', ...allowed } })).statusCode, isOwn ? 200 : 403)
    }
    for (const method of ['GET', 'HEAD'] as const) t.equal((await app.inject({ url: '/act', method, headers: { ...headers, ...foreign } })).statusCode, 200, method)
  })
}

t.test('without a session there is nothing to act with, so requests pass and say nothing of it to caches', async (t) => {
  const { app } = await startShop(t)
  for (const cookie of [undefined, 'sid=nonsense', `sid=${'A'.repeat(64)}`, 'other=1']) {
    const response = await app.inject({ url: '/untouched', method: 'POST', headers: { ...foreign, ...(cookie !== undefined && { cookie }) } })
    t.equal(response.statusCode, 200)
    t.equal(response.headers.vary, undefined)
  }
  t.equal((await app.inject({ url: '/login', method: 'POST', headers: foreign })).statusCode, 200)
})

t.test('Vary names what was looked at, and nothing on a safe request', async (t) => {
  const { app } = await startShop(t)
  app.get('/page', async () => 'page')
  app.post('/web', async () => new Response('web', { headers: { vary: 'Accept' } }))
  app.post('/own', async (_request, reply) => { reply.header('vary', 'origin'); return 'own' })
  const { headers } = await app.sessions.issue({ user: 1 })
  const vary = async (url: string, method: 'GET' | 'POST', more: object = {}) => (await app.inject({ url, method, headers: { ...headers, ...more } })).headers.vary
  t.equal(await vary('/page', 'GET', foreign), undefined)
  t.equal(await vary('/untouched', 'POST', { 'sec-fetch-site': 'same-origin' }), 'Cookie, Sec-Fetch-Site')
  t.equal(await vary('/untouched', 'POST'), 'Cookie, Sec-Fetch-Site, Origin')
  t.equal(await vary('/own', 'POST'), 'origin, Cookie, Sec-Fetch-Site')
  t.equal(await vary('/web', 'POST'), 'Accept, Cookie, Sec-Fetch-Site, Origin')
  t.equal(await vary('/allowed', 'POST', foreign), 'Cookie')
})

t.test('what other sites may do is decided by the route, and without it by the registration', async (t) => {
  const { app, ran } = await startShop(t, { crossSite: 'allow' })
  const { headers } = await app.sessions.issue({ user: 1 })
  const status = async (url: string) => (await app.inject({ url, method: 'POST', headers: { ...headers, ...foreign } })).statusCode
  t.same([await status('/act'), await status('/allowed'), await status('/denied')], [200, 200, 403])
  t.same(ran, ['POST /act', 'POST /allowed'])
})

t.test('trusted origins pass, from another site or without Sec-Fetch-Site', async (t) => {
  const { app } = await startShop(t, { trustedOrigins: [TRUSTED, 'capacitor://localhost'] })
  const { headers } = await app.sessions.issue({ user: 1 })
  const status = async (more: object) => (await app.inject({ url: '/act', method: 'POST', headers: { ...headers, ...more } })).statusCode
  for (const origin of [TRUSTED, 'capacitor://localhost']) {
    t.same([await status({ origin }), await status({ origin, 'sec-fetch-site': 'cross-site' }), await status({ origin, 'sec-fetch-site': 'same-site' })], [200, 200, 200])
  }
  t.equal(await status({ origin: `${TRUSTED}:8443` }), 403)
  t.equal(await status({ 'sec-fetch-site': 'cross-site', referer: TRUSTED }), 403)
})

t.test('behind a proxy that is not trusted the operator is told once', async (t) => {
  const warnings: Array<Error & { code?: string }> = []
  const listen = (warning: Error) => warnings.push(warning)
  process.on('warning', listen)
  t.teardown(() => process.off('warning', listen))
  const post = async (trustProxy: boolean, more: object) => {
    const { app } = await startShop(t, {}, { trustProxy })
    const { headers } = await app.sessions.issue({ user: 1 })
    t.equal((await app.inject({ url: '/act', method: 'POST', headers: { ...headers, origin: 'https://shop.example', ...more } })).statusCode, 403)
  }
  await post(false, {})
  await post(true, { 'x-forwarded-proto': 'https' })
  await post(false, { 'x-forwarded-proto': 'https', 'sec-fetch-site': 'cross-site' })
  const codes = async () => { await new Promise(setImmediate); return warnings.map(({ code }) => code).filter((code) => code === 'FST_KEEP_UNTRUSTED_ORIGIN') }
  const before = await codes()
  for (const forwarded of [{ 'x-forwarded-host': 'shop.example' }, { 'x-forwarded-proto': 'https' }]) await post(false, forwarded)
  t.same([before, await codes()], [[], ['FST_KEEP_UNTRUSTED_ORIGIN']])
})

t.test('behind a proxy the own origin is the one that trustProxy tells of', async (t) => {
  const forwarded = { host: 'upstream:3000', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'shop.example', origin: 'https://shop.example' }
  for (const trustProxy of [true, false]) {
    const { app } = await startShop(t, {}, { trustProxy })
    const { headers } = await app.sessions.issue({ user: 1 })
    t.equal((await app.inject({ url: '/act', method: 'POST', headers: { ...headers, ...forwarded } })).statusCode, trustProxy ? 200 : 403)
  }
})

t.test('whatever a client sends, the answer is no failure', async (t) => {
  const { app } = await startShop(t)
  const { headers: { cookie } } = await app.sessions.issue({ user: 1 })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const post = async (headers: Record<string, string | string[]>) => {
    const request = rawRequest({ port, host: '127.0.0.1', path: '/act', method: 'POST', headers: { cookie, ...headers } })
    request.end()
    const [response] = await once(request, 'response')
    response.resume()
    return response.statusCode
  }
  t.equal(await post({}), 200)
  t.equal(await post({ origin: `http://127.0.0.1:${port}` }), 200)
  t.equal(await post({ 'sec-fetch-site': ['same-origin', 'cross-site'] }), 403)
  t.equal(await post({ 'sec-fetch-site': ['same-origin', 'same-origin'] }), 403)
  t.equal(await post({ origin: ['http://127.0.0.1', 'http://127.0.0.1'] }), 403)
  t.equal(await post({ origin: '\u00ff\u00fe', host: '[' }), 403)
  t.equal(await post({ origin: 'x'.repeat(9000) }), 403)
})

t.test('on HTTP/2 the own origin is that of the authority', async (t) => {
  const app = Fastify({ http2: true, forceCloseConnections: true } as object)
  t.teardown(() => app.close())
  await app.register(session)
  app.post('/act', async ({ session }) => session.get('user'))
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const { headers } = await app.sessions.issue({ user: 1 })
  const client = connect(origin)
  t.teardown(() => client.destroy())
  const post = async (more: object) => {
    const stream = client.request({ ':method': 'POST', ':path': '/act', ...headers, ...more })
    stream.end()
    const [response] = await once(stream, 'response')
    stream.resume()
    return response[':status']
  }
  t.same([await post({}), await post({ origin }), await post({ 'sec-fetch-site': 'same-origin' })], [200, 200, 200])
  t.same([await post({ origin: 'http://127.0.0.1' }), await post({ 'sec-fetch-site': 'cross-site' })], [403, 403])
})

t.test('a denied request renews nothing, and leaves the first use of a rotated cookie to its user', async (t) => {
  const clock = new FakeClock()
  const { store, calls } = recorded(memoryStore(clock))
  const { app } = await startShop(t, { store, clock })
  app.get('/rotate', async ({ session }) => session.rotate())
  const browser = new Browser(app)
  await browser.visit('/login', { method: 'POST' })
  clock.advance(40 * MINUTE)
  calls.length = 0
  await browser.visit('/act', { method: 'POST', headers: foreign })
  t.same(calls, ['read'], 'more than half of the idle timeout has passed')
  await browser.visit('/rotate')
  calls.length = 0
  await browser.visit('/act', { method: 'POST', headers: foreign })
  t.same(calls, ['read'])
  await browser.visit('/untouched', { method: 'POST' })
  t.same(calls, ['read', 'read', 'update'], 'and the user can use it')
})

t.test('nothing that handles the error gets at the session', async (t) => {
  const { app } = await startShop(t)
  const seen: unknown[] = []
  app.setErrorHandler(async (_error, { session }, reply) => {
    seen.push(session.data(), session.isEnded)
    session.set('flash', 'denied')
    seen.push(await session.save())
    seen.push(await session.take('user'))
    await t.rejects(session.update('count', () => 1), { code: 'FST_KEEP_SESSION_ENDED' })
    await t.rejects(session.reload(), { code: 'FST_KEEP_CROSS_SITE' })
    seen.push(session.data())
    session.destroy()
    return reply.code(403).send('denied')
  })
  app.addHook('onSend', async ({ session }) => { session.set('late', 1) })
  const { headers } = await app.sessions.issue({ user: 1 })
  const response = await app.inject({ url: '/act', method: 'POST', headers: { ...headers, ...foreign } })
  t.same([response.statusCode, response.body, setCookies(response)], [403, 'denied', []])
  t.same(seen, [{}, true, false, undefined, {}])
  t.same((await app.sessions.load(headers.cookie)).data(), { user: 1 })
})

t.test('a session that was missed for a failing store does not open later in a request of another site', async (t) => {
  let down = true
  const app = await buildApp(t, { onStoreError: 'anonymous', store: wrapped(memoryStore(), (name) => { if (down && name === 'read') throw new Error('down') }) })
  app.post('/act', async ({ session }) => {
    down = false
    await session.reload()
    return session.data()
  })
  const { headers } = await app.sessions.issue({ user: 1 })
  t.match((await app.inject({ url: '/act', method: 'POST', headers: { ...headers, ...foreign } })).json(), { statusCode: 403, code: 'FST_KEEP_CROSS_SITE' })
  down = true
  t.same((await app.inject({ url: '/act', method: 'POST', headers })).json(), { user: 1 })
})

t.test('a session that the request itself began may be read again', async (t) => {
  const app = await buildApp(t)
  app.post('/login', async ({ session }) => {
    session.set('user', 1)
    await session.save()
    await session.reload()
    return session.data()
  })
  t.same((await app.inject({ url: '/login', method: 'POST', headers: foreign })).json(), { user: 1 })
})

t.test('a logout from another site ends none of the sessions that the cookies belong to', async (t) => {
  const { app } = await startShop(t, { onAmbiguousCookie: 'refuse' })
  app.post('/logout', async ({ session }) => { session.destroy() })
  const [one, other] = [await app.sessions.issue({ user: 1 }), await app.sessions.issue({ user: 2 })]
  const cookie = `${one.headers.cookie}; ${other.headers.cookie}`
  t.equal((await app.inject({ url: '/logout', method: 'POST', headers: { cookie, ...foreign } })).statusCode, 403)
  t.same((await app.sessions.load(one.headers.cookie)).data(), { user: 1 })
  t.equal((await app.inject({ url: '/logout', method: 'POST', headers: { cookie } })).statusCode, 200)
  t.same((await app.sessions.load(one.headers.cookie)).data(), {})
})

t.test('the decision comes before guards, hooks and the body', async (t) => {
  const { app } = await startShop(t)
  const seen: string[] = []
  app.addHook('onRequest', async () => { seen.push('onRequest') })
  app.addHook('preParsing', async () => { seen.push('preParsing') })
  app.post('/guarded', { onRequest: requireSession('user', { redirectTo: '/login' }) }, async () => 'in')
  const { headers } = await app.sessions.issue({ user: 1 })
  t.equal((await app.inject({ url: '/guarded', method: 'POST', headers: { ...headers, ...foreign }, payload: {} })).statusCode, 403)
  t.same(seen, [])
})

t.test('CORS preflights pass, and the answer to a trusted origin carries the headers of CORS', async (t) => {
  const app = await buildApp(t, { trustedOrigins: [TRUSTED] })
  t.teardown(() => app.close())
  const other = 'https://evil.example'
  await app.register(cors, { origin: [TRUSTED, other], credentials: true })
  app.put('/act', async ({ session }) => session.get('user'))
  const { headers } = await app.sessions.issue({ user: 1 })
  const preflight = await app.inject({ url: '/act', method: 'OPTIONS', headers: { ...headers, origin: other, 'sec-fetch-site': 'cross-site', 'access-control-request-method': 'PUT' } })
  t.equal(preflight.statusCode, 204)
  t.equal((await app.inject({ url: '/act', method: 'PUT', headers: { ...headers, origin: other, 'sec-fetch-site': 'cross-site' } })).statusCode, 403)
  const answer = await app.inject({ url: '/act', method: 'PUT', headers: { ...headers, origin: TRUSTED, 'sec-fetch-site': 'cross-site' } })
  t.equal(answer.body, '1')
  t.equal(answer.headers['access-control-allow-origin'], TRUSTED)
})

t.test('another site opens no WebSocket with the session', async (t) => {
  const app = await buildApp(t, { trustedOrigins: [TRUSTED] })
  await app.register(websocket)
  app.get('/chat', { websocket: true }, (socket, { session }) => { socket.send(String(session.get('user'))) })
  app.get('/open', { websocket: true, config: { crossSite: 'allow' } }, (socket, { session }) => { socket.send(String(session.get('user'))) })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const { headers: { cookie } } = await app.sessions.issue({ user: 'ann' })
  const open = async (path: string, headers: object) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { ...headers } })
    t.teardown(() => socket.terminate())
    const [message] = await once(socket, 'message')
    return String(message)
  }
  for (const origin of [`http://127.0.0.1:${port}`, TRUSTED]) t.equal(await open('/chat', { cookie, origin }), 'ann')
  t.equal(await open('/chat', { cookie }), 'ann', 'a program that is no browser')
  t.equal(await open('/chat', { origin: 'https://evil.example' }), 'undefined', 'nothing to act with')
  t.equal(await open('/open', { cookie, origin: 'https://evil.example' }), 'ann')
  for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, { origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-site' }]) {
    await t.rejects(open('/chat', { cookie, ...headers }), { message: /403/ }, JSON.stringify(headers))
  }
})

t.test('trusted origins are taken as browsers send them, and nothing else', async (t) => {
  const refusal = async (options: SessionOptions) => buildApp(t, options).then(() => null, ({ code, message }) => { t.equal(code, 'FST_KEEP_INVALID_OPTION'); return message })
  for (const origin of ['https://app.example.com', 'http://localhost:3000', 'http://[::1]:3000', 'https://xn--bcher-kva.example', 'capacitor://localhost', 'chrome-extension://abcdefghijklmnop']) {
    t.equal(await refusal({ trustedOrigins: [origin] }), null, origin)
  }
  const refused: ReadonlyArray<readonly [origin: unknown, fix: RegExp]> = [
    ['https://app.example.com/', /browsers send 'https:\/\/app\.example\.com'/],
    ['https://app.example.com/path', /browsers send/],
    ['https://App.example.com', /browsers send 'https:\/\/app\.example\.com'/],
    ['https://app.example.com:443', /browsers send 'https:\/\/app\.example\.com'/],
    ['https://user@app.example.com', /browsers send/],
    ['https://bücher.example', /browsers send 'https:\/\/xn--bcher-kva\.example'/],
    ['app.example.com', /scheme and host/],
    ['//app.example.com', /scheme and host/],
    ['https://', /scheme and host/],
    ['https:// app', /scheme and host/],
    ['file://', /scheme and host/],
    ['capacitor://localhost/', /scheme and host/],
    ['null', /sandboxed/],
    ['*', /no patterns/],
    ['https://*.example.com', /no patterns/],
    ['', /scheme and host/],
    [/example/, /give origins such as/],
    [undefined, /give origins such as/]
  ]
  for (const [origin, fix] of refused) t.match(await refusal({ trustedOrigins: [origin as string] }), fix, String(origin))
  t.match(await refusal({ trustedOrigins: 'https://app.example.com' as never }), /give a list/)
  t.match(await refusal({ crossSite: 'Allow' as never }), /'deny' or 'allow'/)
  t.match(await refusal({ crossSite: true as never }), /'deny' or 'allow'/)
})

t.test('a route with a crossSite that does not exist stops the start', async (t) => {
  const app: FastifyInstance = await buildApp(t)
  t.throws(() => app.get('/x', { config: { crossSite: true as never } }, async () => ''), { code: 'FST_KEEP_INVALID_OPTION', message: "session option config.crossSite of the route /x is true: give 'allow' or 'deny'" })
})
