// @fastify/static and @fastify/http-proxy behind a guard: replies that are streams,
// with headers that others set.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import proxy from '@fastify/http-proxy'
import files from '@fastify/static'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { requireSession, type SessionStore } from '../../index.js'
import { Browser, buildApp, setCookies } from '../fixtures/app.js'
import { everyStore, memoryStore } from '../fixtures/stores.js'

const secret = 'the secret recipe\n'
const large = secret.repeat(20_000)

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Counts what the visitor opened, in a hook of the guarded scope. */
function countOpened (scope: FastifyInstance): void {
  scope.addHook('onRequest', async ({ session }) => { await session.update('opened', (count) => Number(count ?? 0) + 1) })
}

async function withFiles (t: Test, store: SessionStore, options: object = {}): Promise<FastifyInstance> {
  const root = t.testdir({ 'recipe.txt': secret, 'large.txt': large, 'index.html': '<p>home</p>', deep: { 'recipe.txt': secret } })
  const app = await buildApp(t, { store })
  app.get('/data', async ({ session }) => session.data())
  await app.register(async (scope) => {
    scope.addHook('onRequest', requireSession('user'))
    countOpened(scope)
    await scope.register(files, { root, prefix: '/files/', ...options })
    scope.get('/one', async (_request, reply) => reply.sendFile('recipe.txt'))
    scope.get('/download', async (_request, reply) => reply.download('recipe.txt'))
  })
  return app
}

async function visitorOf (app: FastifyInstance): Promise<Browser> {
  const browser = new Browser(app)
  Object.assign(browser.cookies, (await app.sessions.issue({ user: 'ann' })).cookies)
  return browser
}

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}, @fastify/static behind a guard`, async (t) => {
    await t.test('shows nothing without a session, however it is asked', async (t) => {
      const app = await withFiles(t, makeStore())
      const urls = ['/files/recipe.txt', '/files/', '/files/index.html', '/files/deep/recipe.txt', '/files//recipe.txt', '/files/%72ecipe.txt', '/files/x/../recipe.txt', '/one', '/download']
      for (const url of urls) {
        for (const options of [{}, { method: 'HEAD' as const }, { headers: { range: 'bytes=0-3' } }, { headers: { 'if-modified-since': new Date().toUTCString() } }]) {
          const response = await app.inject({ url, ...options })
          t.equal(response.statusCode, 401, url)
          t.notMatch(response.body, 'recipe')
          t.same([response.headers.etag, response.headers['last-modified'], setCookies(response)], [undefined, undefined, []])
        }
      }
    })

    await t.test('shows everything with one, and a change made in a hook is saved', async (t) => {
      const app = await withFiles(t, makeStore())
      const browser = await visitorOf(app)
      for (const url of ['/files/recipe.txt', '/files/deep/recipe.txt', '/one', '/download']) t.equal((await browser.visit(url)).body, secret)
      t.equal((await browser.visit('/files/')).body, '<p>home</p>')
      t.equal(digest((await browser.visit('/files/large.txt')).body), digest(large))
      t.equal((await browser.visit('/files/recipe.txt', { headers: { range: 'bytes=4-9' } })).body, 'secret')
      t.equal((await browser.visit('/files/recipe.txt', { method: 'HEAD' })).headers['content-length'], String(secret.length))
      t.equal((await browser.visit('/files/none.txt')).statusCode, 404)
      t.same((await browser.visit('/data')).json(), { user: 'ann', opened: 9 })
    })

    await t.test('answers 304 to those who have the file, and saves all the same', async (t) => {
      const app = await withFiles(t, makeStore())
      const browser = await visitorOf(app)
      const { etag } = (await browser.visit('/files/recipe.txt')).headers
      const response = await browser.visit('/files/recipe.txt', { headers: { 'if-none-match': etag } })
      t.equal(response.statusCode, 304)
      t.same((await browser.visit('/data')).json(), { user: 'ann', opened: 2 })
      t.equal((await app.inject({ url: '/files/recipe.txt', headers: { 'if-none-match': etag } })).statusCode, 401)
    })

    await t.test('lets many visitors read at once', async (t) => {
      const app = await withFiles(t, makeStore())
      const visitors = await Promise.all(Array.from({ length: 10 }, () => visitorOf(app)))
      const responses = await Promise.all(visitors.flatMap((visitor) => [visitor.visit('/files/large.txt'), visitor.visit('/one')]))
      t.same(new Set(responses.map(({ body }) => digest(body))), new Set([digest(large), digest(secret)]))
      for (const visitor of visitors) t.same((await visitor.visit('/data')).json(), { user: 'ann', opened: 2 })
    })
  })

  t.test(`on ${kind}, @fastify/http-proxy behind a guard`, async (t) => {
    const received: Array<string | undefined> = []
    const upstream = Fastify({ forceCloseConnections: true })
    t.teardown(() => upstream.close())
    upstream.addHook('onRequest', async ({ headers }) => { received.push(headers.cookie) })
    upstream.get('/large', async (_request, reply) => reply.header('vary', 'Accept').header('set-cookie', ['theirs=1; Path=/', 'other=2']).send(large))
    upstream.post('/echo', async ({ body }, reply) => reply.code(201).send(body))
    upstream.get('/broken', async () => { throw new Error('broken') })
    const address = await upstream.listen({ port: 0, host: '127.0.0.1' })

    async function withProxy (t: Test, options: object = {}): Promise<FastifyInstance> {
      received.length = 0
      const app = await buildApp(t, { store: makeStore() })
      app.get('/data', async ({ session }) => session.data())
      await app.register(async (scope) => {
        scope.addHook('onRequest', requireSession('user'))
        countOpened(scope)
        await scope.register(proxy, { upstream: address, prefix: '/api', ...options })
      })
      return app
    }

    await t.test('passes nothing on without a session', async (t) => {
      const app = await withProxy(t)
      for (const url of ['/api/large', '/api', '/api/nowhere', '/api/%6Carge']) t.equal((await app.inject(url)).statusCode, 401)
      t.equal((await app.inject({ method: 'POST', url: '/api/echo', payload: { a: 1 } })).statusCode, 401)
      t.same(received, [])
    })

    await t.test('passes everything on with one, and a change made in a hook is saved with the streamed reply', async (t) => {
      const browser = await visitorOf(await withProxy(t))
      t.equal(digest((await browser.visit('/api/large')).body), digest(large))
      const { statusCode, body } = await browser.visit('/api/echo', { method: 'POST', payload: { a: 1 } })
      t.same([statusCode, JSON.parse(body)], [201, { a: 1 }])
      t.equal((await browser.visit('/api/broken')).statusCode, 500)
      t.equal((await browser.visit('/api/nowhere')).statusCode, 404)
      t.same((await browser.visit('/data')).json(), { user: 'ann', opened: 4 })
    })

    await t.test('sends the cookies of the upstream and our own', async (t) => {
      const app = await withProxy(t)
      await app.register(proxy, { upstream: address, prefix: '/open', preHandler: async ({ session }) => session.set('a', 1) })
      const response = await app.inject('/open/large')
      t.match(setCookies(response).sort(), [/^other=2$/, /^sid=/, /^theirs=1; Path=\/$/])
      t.same([response.headers.vary, response.headers['cache-control']], ['Accept, Cookie', 'no-store'])
      t.equal(digest(response.body), digest(large))
    })

    await t.test('shows the session cookie to the upstream, unless that is taken out', async (t) => {
      const browser = await visitorOf(await withProxy(t))
      await browser.visit('/api/echo', { method: 'POST', payload: {} })
      t.match(received, [/sid=/])
      const careful = await visitorOf(await withProxy(t, {
        replyOptions: { rewriteRequestHeaders: (_request: unknown, { cookie, ...headers }: Record<string, string>) => headers }
      }))
      await careful.visit('/api/echo', { method: 'POST', payload: {} })
      t.same(received, [undefined])
    })
  })
}

t.test('a proxied WebSocket opens with a session only', async (t) => {
  const upstream = Fastify({ forceCloseConnections: true })
  t.teardown(() => upstream.close())
  await upstream.register(websocket)
  upstream.get('/echo', { websocket: true }, (socket) => { socket.on('message', (message) => socket.send(`echo ${String(message)}`)) })
  const address = await upstream.listen({ port: 0, host: '127.0.0.1' })
  const app = await buildApp(t, { store: memoryStore() })
  await app.register(async (scope) => {
    scope.addHook('onRequest', requireSession('user'))
    await scope.register(proxy, { upstream: address, prefix: '/api', websocket: true })
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const url = `ws://127.0.0.1:${port}/api/echo`

  const stranger = new WebSocket(url)
  await t.rejects(once(stranger, 'open'), { message: /401/ })
  const { headers } = await app.sessions.issue({ user: 'ann' })
  const socket = new WebSocket(url, { headers })
  t.teardown(() => socket.terminate())
  await once(socket, 'open')
  socket.send('hello')
  const [answer] = await once(socket, 'message')
  t.equal(String(answer), 'echo hello')
})
