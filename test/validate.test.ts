// The option validate: whether a session fits the request that brought it.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import session, { type SessionMessage, type SessionOptions } from '../index.js'
import { Browser, buildApp, gate, setCookies } from './fixtures/app.js'
import { FakeClock, MINUTE } from './fixtures/clock.js'
import { everyStore, memoryStore, recorded, wrapped } from './fixtures/stores.js'

type Validate = NonNullable<SessionOptions['validate']>

interface Started {
  readonly app: FastifyInstance
  readonly ran: () => number
}

/** An app whose sessions are validated as the request's header says. */
async function startApp (t: Test, options: SessionOptions = {}): Promise<Started> {
  const app = await buildApp(t, { validate: (_session, { headers }) => headers['says'] === undefined || JSON.parse(String(headers['says'])), ...options })
  let ran = 0
  app.get('/', async ({ session }) => { ran++; return { user: session.get('user') ?? null, isEnded: session.isEnded } })
  app.post('/set', async ({ session }) => { ran++; session.set('user', 2) })
  app.post('/login', async ({ session }) => { ran++; session.regenerate(); session.set('user', 3) })
  app.post('/logout', async ({ session }) => { ran++; session.destroy() })
  return { app, ran: () => ran }
}

function hear (t: Test, event: string): SessionMessage[] {
  const heard: SessionMessage[] = []
  const listen = (message: unknown) => heard.push(message as SessionMessage)
  subscribe(`fastify-keep:${event}`, listen)
  t.teardown(() => unsubscribe(`fastify-keep:${event}`, listen))
  return heard
}

const says = (answer: unknown) => ({ says: JSON.stringify(answer) })

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}, a session that does not fit ends, and its request goes on without one`, async (t) => {
    const { app, ran } = await startApp(t, { store: makeStore(), clearSiteData: ['cache'] })
    const destroyed = hear(t, 'destroyed')
    const { headers, sessionId } = await app.sessions.issue({ user: 1 })
    t.same((await app.inject({ url: '/', headers: { ...headers, ...says(true) } })).json(), { user: 1, isEnded: false })
    const response = await app.inject({ url: '/', headers: { ...headers, ...says(false) } })
    t.same(response.json(), { user: null, isEnded: true })
    t.match(setCookies(response), [/^sid=; .*Max-Age=0/])
    t.equal(response.headers['clear-site-data'], '"cache"')
    t.same(destroyed, [{ sessionId, reason: 'invalid' }])
    t.equal(ran(), 2)
    t.same((await app.inject({ url: '/', headers })).json(), { user: null, isEnded: true }, 'it is late for a minute, like every ended one')
    t.match(app.sessions.stats(), { destroyed: 1 })
  })

  t.test(`on ${kind}, what the request stores is dropped with the session, but a login begins a new one`, async (t) => {
    const { app } = await startApp(t, { store: makeStore() })
    const first = await app.sessions.issue({ user: 1 })
    t.match(setCookies(await app.inject({ url: '/set', method: 'POST', headers: { ...first.headers, ...says(false) } })), [/Max-Age=0/])
    t.same((await app.sessions.load(first.headers.cookie)).data(), {})
    const second = await app.sessions.issue({ user: 1 })
    const lines = setCookies(await app.inject({ url: '/login', method: 'POST', headers: { ...second.headers, ...says(false) } }))
    t.equal(lines.length, 1)
    t.same((await app.sessions.load(String(lines[0]).split(';')[0])).data(), { user: 3 })
  })

  t.test(`on ${kind}, 'rotate' gives the session a new cookie, and nothing else changes`, async (t) => {
    const clock = new FakeClock()
    const { app } = await startApp(t, { store: makeStore(clock), clock })
    const browser = new Browser(app)
    const issued = await app.sessions.issue({ user: 1 })
    Object.assign(browser.cookies, issued.cookies)
    clock.advance(MINUTE)
    const response = await browser.visit('/', { headers: says('rotate') })
    t.same(response.json(), { user: 1, isEnded: false })
    t.not(browser.cookies['sid'], issued.cookies['sid'])
    const after = await app.sessions.load(`sid=${browser.cookies['sid']}`)
    t.same([after.sessionId, after.createdAt], [issued.sessionId, clock.now() - MINUTE], 'no login')
    t.same((await app.inject({ url: '/', headers: issued.headers })).json(), { user: 1, isEnded: false }, 'requests on their way still find it')
  })
}

t.test('without a session nobody is asked, and with one once a request', async (t) => {
  const asked: string[] = []
  const { app } = await startApp(t, { validate: (session, { id, session: same }) => { t.equal(session, same); asked.push(`${id} ${session.sessionId}`); return true } })
  app.get('/reload', async ({ session }) => { await session.reload(); await session.reload(); session.set('a', 1); await session.save(); return session.data() })
  app.get('/out', { config: { session: false } }, async () => 'out')
  for (const cookie of ['', 'sid=nonsense', `sid=${'A'.repeat(64)}`]) await app.inject({ url: '/', headers: { cookie } })
  await app.inject({ url: '/login', method: 'POST' })
  t.same(asked, [])
  const { headers, sessionId } = await app.sessions.issue({ user: 1 })
  await app.inject({ url: '/out', headers })
  t.same((await app.inject({ url: '/reload', headers })).json(), { user: 1, a: 1 })
  t.equal(asked.length, 1)
  t.match(asked[0], sessionId)
  await app.inject({ url: '/nowhere', headers })
  t.equal(asked.length, 2, 'a 404 comes with its session, too')
  t.same((await app.sessions.load(headers.cookie)).data(), { user: 1, a: 1 }, 'there is no request to ask about')
  t.equal(asked.length, 2)
})

t.test('where it cannot be decided nothing is opened', async (t) => {
  const failures: unknown[] = [undefined, null, false, 0, '', 'text', Symbol('failure'), { then: null }, new Error('the directory at 10.0.0.1 is away'), Object.assign(new Error('no'), { statusCode: 200 }), new Proxy({}, { getPrototypeOf () { throw undefined } })] // eslint-disable-line no-throw-literal
  const answers: unknown[] = [undefined, null, 0, 1, '', 'true', 'Rotate', 'regenerate', {}, [], [true], new Boolean(true), () => true, NaN] // eslint-disable-line no-new-wrappers
  const wrong: Record<string, Array<() => unknown>> = {
    throws: failures.map((failure) => () => { throw failure }),
    rejects: failures.map((failure) => () => Promise.reject(failure)),
    'rejects later': failures.map((failure) => async () => { await setImmediate(); throw failure }),
    'is a thenable that rejects': failures.map((failure) => () => ({ then: (_resolve: unknown, reject: (reason: unknown) => void) => { reject(failure) } })),
    'is a thenable that throws': failures.map((failure) => () => ({ then: () => { throw failure } })),
    'has a then that cannot be read': failures.map((failure) => () => ({ get then () { throw failure } })),
    'rejects, with a then of its own that fulfils': failures.map((failure) => () => Object.assign(Promise.reject(failure), { then: (resolve: (answer: boolean) => void) => { resolve(true) } })),
    'answers with something else': answers.map((answer) => () => answer),
    'answers with something else, later': answers.map((answer) => async () => answer),
    'never answers': [() => new Promise(() => {}), () => ({ then () {} })]
  }
  const clock = new FakeClock()
  const { store, calls } = recorded(memoryStore(clock))
  let validate: () => unknown = () => true
  const { app, ran } = await startApp(t, { store, clock, storeTimeout: 20, onStoreError: 'anonymous', validate: (() => validate()) as Validate })
  const { headers } = await app.sessions.issue({ user: 1 })
  clock.advance(40 * MINUTE)
  calls.length = 0
  for (const [title, ways] of Object.entries(wrong)) {
    for (const [index, way] of ways.entries()) {
      validate = way
      const response = await app.inject({ url: '/', headers })
      const { code, message } = response.json()
      if (response.statusCode !== 500 || code !== 'FST_KEEP_VALIDATE_FAILED' || /10\.0\.0/.test(message)) t.fail(`${title} ${index}: ${response.statusCode} ${response.body}`)
      t.same(setCookies(response), [])
    }
  }
  t.equal(ran(), 0)
  t.same(calls.filter((name) => name !== 'read'), [], 'and nothing is renewed')
  validate = () => true
  t.equal((await app.inject({ url: '/', headers })).json().user, 1, 'the session is still there')
})

t.test('the first answer of a thenable counts, and the request goes on once', async (t) => {
  const { app, ran } = await startApp(t, { validate: (() => ({ then (resolve: (answer: unknown) => void, reject: (reason: unknown) => void) { resolve(true); resolve(false); reject(null); throw new Error('late') } })) as unknown as Validate })
  const { headers } = await app.sessions.issue({ user: 1 })
  t.equal((await app.inject({ url: '/', headers })).json().user, 1)
  await setImmediate()
  t.equal(ran(), 1)
})

t.test('an answer after the time limit changes nothing', async (t) => {
  const { passed, open } = gate()
  const { app, ran } = await startApp(t, { storeTimeout: 10, validate: async () => { await passed; return true } })
  const rejections: unknown[] = []
  const listen = (reason: unknown) => rejections.push(reason)
  process.on('unhandledRejection', listen)
  t.teardown(() => process.off('unhandledRejection', listen))
  const { headers } = await app.sessions.issue({ user: 1 })
  t.equal((await app.inject({ url: '/', headers })).statusCode, 500)
  open()
  await setImmediate()
  t.same([ran(), rejections], [0, []])
})

t.test('nothing that handles the failure gets at the session, but a logout works', async (t) => {
  const { app } = await startApp(t, { validate: () => { throw new Error('away') } })
  app.setErrorHandler(async (error, { session, url }, reply) => {
    session.set('flash', 'sorry')
    await t.rejects(session.reload(), { code: 'FST_KEEP_VALIDATE_FAILED' }, 'asked again, and failed again')
    if (url === '/logout') session.destroy()
    return reply.code(500).send({ ...session.data(), code: (error as { code: string }).code })
  })
  const { headers } = await app.sessions.issue({ user: 1 })
  t.same((await app.inject({ url: '/', headers })).json(), { code: 'FST_KEEP_VALIDATE_FAILED', flash: 'sorry' })
  t.same((await app.sessions.load(headers.cookie)).data(), { user: 1 })
  await app.inject({ url: '/logout', method: 'POST', headers })
  t.same((await app.sessions.load(headers.cookie)).data(), {})
})

t.test('a session that cannot be ended is not passed over', async (t) => {
  let down = false
  const { app, ran } = await startApp(t, { onStoreError: 'anonymous', store: wrapped(memoryStore(), (name) => { if (down && name === 'destroy') throw new Error('down') }) })
  const { headers } = await app.sessions.issue({ user: 1 })
  down = true
  t.match((await app.inject({ url: '/', headers: { ...headers, ...says(false) } })).json(), { statusCode: 503, code: 'FST_KEEP_STORE' })
  t.equal(ran(), 0)
})

t.test('a step-up in between saves the session of its user, and not the request that did not fit', async (t) => {
  const { passed, open } = gate()
  const { app } = await startApp(t, { validate: async (_session, { headers }) => { if (headers['says'] === undefined) return true; await passed; return false } })
  app.post('/step-up', async ({ session }) => session.reauthenticated())
  const browser = new Browser(app)
  Object.assign(browser.cookies, (await app.sessions.issue({ user: 1 })).cookies)
  const slow = app.inject({ url: '/', cookies: browser.cookies, headers: says(false) })
  await setImmediate()
  await browser.visit('/step-up', { method: 'POST' })
  open()
  const response = await slow
  t.same([response.json(), setCookies(response)], [{ user: null, isEnded: true }, []], 'its cookie is left alone')
  t.equal((await browser.visit('/')).json().user, 1)
})

t.test('what validate itself does to the session counts', async (t) => {
  const acts: Record<string, Validate> = {
    set: (session) => { session.set('network', 'b'); return 'rotate' },
    destroy: (session) => { session.destroy(); return true },
    saved: async (session) => { session.destroy(); await session.save(); return false },
    update: async (session) => { await session.update('seen', (seen) => Number(seen ?? 0) + 1); return true }
  }
  const { app } = await startApp(t, { validate: (session, request) => acts[String(request.headers['says'])]?.(session, request) ?? true })
  const after = async (act: string) => {
    const { headers } = await app.sessions.issue({ user: 1 })
    t.equal((await app.inject({ url: '/', headers: { ...headers, says: act } })).statusCode, 200, act)
    return (await app.sessions.load(headers.cookie)).data()
  }
  t.same(await after('set'), { user: 1, network: 'b' })
  t.same(await after('destroy'), {})
  t.same(await after('saved'), {})
  t.same(await after('update'), { user: 1, seen: 1 })
})

t.test('a session that was missed for a failing store is asked about when it opens later', async (t) => {
  let down = true
  const { app } = await startApp(t, { onStoreError: 'anonymous', store: wrapped(memoryStore(), (name) => { if (down && name === 'read') throw new Error('down') }) })
  app.get('/later', async ({ session }) => { down = false; await session.reload(); return session.data() })
  for (const [answer, found] of [[true, { user: 1 }], [false, {}]] as const) {
    const { headers } = await app.sessions.issue({ user: 1 })
    down = true
    t.same((await app.inject({ url: '/later', headers: { ...headers, ...says(answer) } })).json(), found)
  }
})

t.test('a request that validate refuses leaves the cross-site decision where it was: first', async (t) => {
  let asked = 0
  const { app } = await startApp(t, { validate: () => { asked++; return false } })
  const { headers } = await app.sessions.issue({ user: 1 })
  t.equal((await app.inject({ url: '/set', method: 'POST', headers: { ...headers, 'sec-fetch-site': 'cross-site' } })).statusCode, 403)
  t.equal(asked, 0, 'so another site cannot end it either')
})

t.test('a second session is validated by its own registration', async (t) => {
  const app = await buildApp(t)
  const seen: unknown[] = []
  await app.register(session, { property: 'adminSession', cookie: { name: 'admin' }, validate: (admin, request) => { seen.push(admin === (request as unknown as { adminSession: unknown }).adminSession); return false } })
  app.get('/', async ({ session }) => session.get('user'))
  const { headers } = await app.sessions.issue({ user: 1 })
  const admin = await (app as unknown as { adminSessions: FastifyInstance['sessions'] }).adminSessions.issue({ user: 2 })
  t.equal((await app.inject({ url: '/', headers: { cookie: `${headers.cookie}; ${admin.headers.cookie}` } })).body, '1')
  t.same(seen, [true])
})

t.test("a WebSocket opens with 'rotate', keeps its cookie and can save; one that is refused is closed", async (t) => {
  const app = await buildApp(t, { validate: async (_session, { headers }) => { if (headers['says'] === 'throw') throw new Error('away'); return headers['says'] !== 'end' && 'rotate' } })
  await app.register(websocket)
  app.get('/chat', { websocket: true }, async (socket, { session }) => {
    session.set('seen', 1)
    socket.send(JSON.stringify([session.get('user') ?? null, await session.save()]))
  })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const open = async (headers: object) => {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/chat`, { headers: { ...headers } })
    t.teardown(() => socket.terminate())
    const [message] = await once(socket, 'message')
    return JSON.parse(String(message))
  }
  const { headers } = await app.sessions.issue({ user: 1 })
  t.same(await open(headers), [1, true])
  t.same(await open(headers), [1, true])
  await t.rejects(open({ ...headers, says: 'throw' }), { message: /500/ })
  t.same(await open({ ...headers, says: 'end' }), [null, false])
})

t.test('validate is a function', async (t) => {
  for (const validate of [true, 'rotate', {}, null]) await t.rejects(buildApp(t, { validate: validate as never }), { code: 'FST_KEEP_INVALID_OPTION', message: /validate.*give a function/ })
})
