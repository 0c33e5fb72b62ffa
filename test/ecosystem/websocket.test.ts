// The session in a WebSocket: of @fastify/websocket, and of a server of one's own.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { requireSession, type Session, type SessionMessage, type SessionStore } from '../../index.js'
import { buildApp } from '../fixtures/app.js'
import { everyStore, recorded } from '../fixtures/stores.js'

interface Command {
  set?: [key: string, value: unknown]
  regenerate?: true
  destroy?: true
  reload?: true
}

/** Does what a message asks for, saves, and says how that went. */
async function obey (session: Session, { set, regenerate, destroy, reload }: Command): Promise<object> {
  if (reload === true) await session.reload()
  if (regenerate === true) session.regenerate()
  if (destroy === true) session.destroy()
  if (set !== undefined) session.set(...set)
  try {
    return { saved: await session.save(), data: session.data() }
  } catch (error) {
    return { code: (error as { code: string }).code }
  }
}

/** Serves every message of the socket with the session. */
function serve (socket: WebSocket, session: Session): void {
  socket.on('message', async (message) => socket.send(JSON.stringify(await obey(session, JSON.parse(String(message))))))
}

interface Client {
  readonly socket: WebSocket
  ask (command: Command): Promise<unknown>
}

/** Opens a socket with the cookies, or throws when the server refuses. */
async function connect (t: Test, app: FastifyInstance, path: string, cookie = ''): Promise<Client> {
  const { port } = app.server.address() as AddressInfo
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { cookie } })
  t.teardown(() => socket.terminate())
  await once(socket, 'open')
  return {
    socket,
    async ask (command) {
      socket.send(JSON.stringify(command))
      const [answer] = await once(socket, 'message')
      return JSON.parse(String(answer))
    }
  }
}

async function withRoutes (t: Test, store: SessionStore): Promise<FastifyInstance> {
  const app = await buildApp(t, { store })
  await app.register(websocket)
  app.get('/data', async ({ session }) => session.data())
  app.get('/set/:key', async ({ session, params }) => session.set((params as { key: string }).key, 1))
  app.get('/logout', async ({ session }) => session.destroy())
  app.get('/chat', { websocket: true, preValidation: requireSession('user') }, (socket, request) => serve(socket, request.session))
  app.get('/lobby', { websocket: true }, (socket, request) => serve(socket, request.session))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app
}

/** An app whose sockets never see Fastify's router. */
async function withOwnServer (t: Test, store: SessionStore): Promise<FastifyInstance> {
  const app = await buildApp(t, { store })
  const server = new WebSocketServer({ noServer: true })
  app.addHook('onClose', async () => { for (const client of server.clients) client.terminate() })
  app.server.on('upgrade', async (request, socket, head) => {
    const session = await app.sessions.load(request.headers.cookie)
    if (!session.has('user')) return socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
    server.handleUpgrade(request, socket, head, (client) => serve(client, session))
  })
  app.get('/data', async ({ session }) => session.data())
  app.get('/set/:key', async ({ session, params }) => session.set((params as { key: string }).key, 1))
  app.get('/logout', async ({ session }) => session.destroy())
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app
}

for (const { kind, makeStore } of everyStore) {
  for (const [name, makeApp] of Object.entries({ '@fastify/websocket': withRoutes, 'a server of its own': withOwnServer })) {
    t.test(`on ${kind}, with ${name}`, async (t) => {
      const app = await makeApp(t, makeStore())
      const path = '/chat'

      await t.test('a socket opens with a session only', async (t) => {
        for (const cookie of ['', 'sid=nonsense']) await t.rejects(connect(t, app, path, cookie), { message: /401/ })
      })

      await t.test('a socket reads the session, and what it stores is there for the next request', async (t) => {
        const { headers } = await app.sessions.issue({ user: 'ann' })
        const { ask } = await connect(t, app, path, headers.cookie)
        t.same(await ask({}), { saved: true, data: { user: 'ann' } })
        t.same(await ask({ set: ['draft', 'hello'] }), { saved: true, data: { user: 'ann', draft: 'hello' } })
        t.same((await app.inject({ url: '/data', headers })).json(), { user: 'ann', draft: 'hello' })
      })

      await t.test('a socket and requests do not erase each other, and reload shows the others', async (t) => {
        const { headers } = await app.sessions.issue({ user: 'ann' })
        const [one, two] = [await connect(t, app, path, headers.cookie), await connect(t, app, path, headers.cookie)]
        await app.inject({ url: '/set/request', headers })
        await Promise.all([one.ask({ set: ['one', 1] }), two.ask({ set: ['two', 2] })])
        const all = { user: 'ann', request: 1, one: 1, two: 2 }
        t.same((await app.inject({ url: '/data', headers })).json(), all)
        t.same(await one.ask({ reload: true }), { saved: true, data: all })
      })

      await t.test('a socket learns of the logout by save or reload, and cannot bring the session back', async (t) => {
        const { headers } = await app.sessions.issue({ user: 'ann' })
        const [saving, reloading] = [await connect(t, app, path, headers.cookie), await connect(t, app, path, headers.cookie)]
        await app.inject({ url: '/logout', headers })
        t.same(await saving.ask({ set: ['late', 1] }), { saved: false, data: {} })
        t.same(await reloading.ask({ reload: true }), { saved: false, data: {} })
        t.same(await reloading.ask({ set: ['late', 1] }), { saved: false, data: {} })
        t.same((await app.inject({ url: '/data', headers })).json(), {})
        await t.rejects(connect(t, app, path, headers.cookie), { message: /401/ })
      })

      await t.test('a socket can log out', async (t) => {
        const { headers } = await app.sessions.issue({ user: 'ann' })
        const { ask } = await connect(t, app, path, headers.cookie)
        await ask({ destroy: true })
        t.same((await app.inject({ url: '/data', headers })).json(), {})
      })

      await t.test('a new id cannot reach the browser through a socket, and save says so before it stores anything', async (t) => {
        const { headers } = await app.sessions.issue({ user: 'ann' })
        const { ask } = await connect(t, app, path, headers.cookie)
        t.same(await ask({ regenerate: true }), { code: 'FST_KEEP_COOKIE_NOT_DELIVERABLE' })
        t.same((await app.inject({ url: '/data', headers })).json(), { user: 'ann' })
      })
    })
  }

  t.test(`on ${kind}, a visitor without a session has none through a socket either, and nothing is stored`, async (t) => {
    const { store, calls } = recorded(makeStore())
    const { ask } = await connect(t, await withRoutes(t, store), '/lobby')
    t.same(await ask({ set: ['a', 1] }), { code: 'FST_KEEP_COOKIE_NOT_DELIVERABLE' })
    t.same(calls, [])
  })
}

t.test('a refused upgrade is an ordinary response, with its cookie, even where a hook saves by hand', async (t) => {
  const app = await buildApp(t)
  await app.register(websocket)
  app.addHook('onRequest', async ({ session }) => { session.set('seen', 1); await session.save() })
  app.get('/chat', { websocket: true, preValidation: requireSession('user') }, () => {})
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`)
  socket.on('error', () => {})
  const [, response] = await once(socket, 'unexpected-response')
  t.equal(response.statusCode, 401)
  t.match(response.headers['set-cookie'], [/^sid=/])
  response.destroy()
})

t.test('sockets are closed with the session they belong to', async (t) => {
  const app = await buildApp(t)
  await app.register(websocket)
  const sockets = new Map<string, Set<WebSocket>>()
  const hangUp = (message: unknown) => {
    for (const socket of sockets.get(String((message as SessionMessage).sessionId)) ?? []) socket.close(4401, 'logged out')
  }
  subscribe('fastify-keep:destroyed', hangUp)
  t.teardown(() => unsubscribe('fastify-keep:destroyed', hangUp))
  app.get('/chat', { websocket: true }, (socket, { session: { sessionId } }) => {
    const group = sockets.get(sessionId) ?? new Set()
    sockets.set(sessionId, group.add(socket))
    socket.on('close', () => group.delete(socket))
    socket.send('ready')
  })
  app.get('/logout', async ({ session }) => session.destroy())
  await app.listen({ port: 0, host: '127.0.0.1' })

  const [ann, bob] = [await app.sessions.issue({ user: 'ann' }), await app.sessions.issue({ user: 'bob' })]
  const [mine, mineToo, theirs] = await Promise.all([ann, ann, bob].map(async ({ headers }) => (await connect(t, app, '/chat', headers.cookie)).socket)) as [WebSocket, WebSocket, WebSocket]
  const closed = Promise.all([once(mine, 'close'), once(mineToo, 'close')])
  await app.inject({ url: '/logout', headers: ann.headers })
  for (const [code, reason] of await closed) t.same([code, String(reason)], [4401, 'logged out'])
  t.equal(theirs.readyState, WebSocket.OPEN)
})
