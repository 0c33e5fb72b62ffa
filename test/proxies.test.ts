// The app behind a real nginx and a real Caddy, configured as docs/deploy.md says.
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import session, { requireSession } from '../index.js'
import { freePort } from './fixtures/free-port.js'
import { needs } from './fixtures/needs.js'
import { HOST, startProxy, type Proxy, type ProxyName } from './fixtures/proxies.js'
import { sqlitePath, sqliteStore } from './fixtures/sqlite.js'

/** As README.md has it for production. Waits until the port is free: the app before it may be closing. */
async function startApp (t: Test, port: number, path: string): Promise<FastifyInstance> {
  const app = Fastify({ trustProxy: '127.0.0.1' })
  t.teardown(() => app.close())
  await app.register(websocket)
  await app.register(session, { store: sqliteStore({}, path), cookie: { name: '__Host-sid', secure: true }, onAmbiguousCookie: 'refuse' })
  app.get('/seen', async ({ protocol, host, session }) => ({ protocol, host, user: session.get('userId') ?? null }))
  app.post('/login', async ({ session }) => {
    session.regenerate()
    session.set('userId', 42)
    return 'welcome'
  })
  app.post('/slow', async ({ session }) => {
    session.set('cart', 'full')
    await delay(500)
    return 'saved'
  })
  app.get('/cart', async ({ session }) => session.get('cart'))
  app.get('/events', { preHandler: requireSession('userId') }, async (_request, reply) => {
    const events = new PassThrough()
    events.write('data: first\n\n')
    t.teardown(() => events.destroy())
    return reply.type('text/event-stream').send(events)
  })
  app.get('/socket', { websocket: true, preValidation: requireSession('userId') }, (socket, { session }) => {
    socket.send(String(session.get('userId')))
  })
  for (let tries = 0; ; tries++) {
    try {
      await app.listen({ host: '127.0.0.1', port })
      return app
    } catch (error) {
      if (tries === 100) throw error
      await delay(20)
    }
  }
}

async function login (proxy: Proxy): Promise<{ cookie: string }> {
  const { setCookie } = await proxy.ask('POST', '/login', { origin: `https://${HOST}` })
  return { cookie: setCookie.split(';', 1)[0] as string }
}

function socketTo ({ securePort, certificate }: Proxy, cookie: object, origin: string): WebSocket {
  return new WebSocket(`wss://127.0.0.1:${securePort}/socket`, { ca: certificate, servername: HOST, headers: { host: HOST, origin, ...cookie } } as object)
}

function behind (name: ProxyName): void {
  t.test(`behind ${name}`, async (t) => {
    if (needs(t, name) === null) return
    const [port, path] = [await freePort(), sqlitePath()]
    const app = await startApp(t, port, path)
    const proxy = await startProxy(t, name, port)
    const seen = async (...args: Parameters<Proxy['ask']>) => JSON.parse((await proxy.ask(...args)).body)

    t.test('the app knows that the browser speaks https, and under which host', async (t) => {
      t.same(await seen('GET', '/seen'), { protocol: 'https', host: HOST, user: null })
    })

    t.test('a login sets the cookie __Host-sid, which opens the session', async (t) => {
      const { status, setCookie } = await proxy.ask('POST', '/login', { origin: `https://${HOST}` })
      t.equal(status, 200)
      t.match(setCookie, /^__Host-sid=[\w-]{64}; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
      t.match(await seen('GET', '/seen', { cookie: setCookie.split(';', 1)[0] as string }), { user: 42 })
    })

    t.test('what a client says of itself in headers of a proxy is not believed', async (t) => {
      const lies = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example' }
      t.match(await seen('GET', '/seen', lies, 'http'), { protocol: 'http', host: HOST })
      t.match(await seen('GET', '/seen', { ...lies, 'x-forwarded-proto': 'http' }), { protocol: 'https', host: HOST })
      const forged = await proxy.ask('POST', '/slow', { ...await login(proxy), ...lies, origin: 'https://evil.example' })
      t.same([forged.status, JSON.parse(forged.body).code], [403, 'FST_KEEP_CROSS_SITE'])
    })

    t.test('a request of the app\'s own page passes, and one of another site does not', async (t) => {
      const cookie = await login(proxy)
      const statusFrom = async (headers: Record<string, string>) => (await proxy.ask('POST', '/slow', { ...cookie, ...headers })).status
      t.equal(await statusFrom({ origin: `https://${HOST}` }), 200)
      t.equal(await statusFrom({ origin: `http://${HOST}` }), 403, 'http is another origin')
      t.equal(await statusFrom({ origin: 'https://evil.example' }), 403)
      t.equal(await statusFrom({ 'sec-fetch-site': 'cross-site' }), 403)
    })

    t.test('a WebSocket and an event stream pass with the session, and only from the app\'s own pages', async (t) => {
      const cookie = await login(proxy)
      const socket = socketTo(proxy, cookie, `https://${HOST}`)
      t.teardown(() => socket.terminate())
      const [message] = await once(socket, 'message')
      t.equal(String(message), '42')
      const [refused] = await once(socketTo(proxy, cookie, 'https://evil.example'), 'error')
      t.match(refused, { message: /403/ })
      const events = await proxy.begin('GET', '/events', cookie)
      t.teardown(() => events.destroy())
      const [first] = await once(events, 'data')
      t.equal(String(first), 'data: first\n\n', 'at once, while the stream goes on')
      events.destroy()
    })

    t.test('a restart logs nobody out, and what is under way is answered', async (t) => {
      const cookie = await login(proxy)
      const slow = proxy.ask('POST', '/slow', { ...cookie, origin: `https://${HOST}` })
      await delay(200)
      const closed = app.close()
      await startApp(t, port, path)
      t.match(await seen('GET', '/seen', cookie), { user: 42 })
      t.match(await slow, { status: 200, body: 'saved' })
      await closed
      t.equal((await proxy.ask('GET', '/cart', cookie)).body, 'full')
    })
  })
}

behind('nginx')
behind('caddy')
