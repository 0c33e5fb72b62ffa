// However the function of a guard fails, the request ends in an error: for Fastify
// `done()` and `done(null)` mean "go on".
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setImmediate } from 'node:timers/promises'
import { createContext, runInContext } from 'node:vm'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { requireSession, type GuardOptions, type SessionMessage, type SessionPredicate } from '../index.js'
import { Browser, buildApp } from './fixtures/app.js'
import { FakeClock, HOUR } from './fixtures/clock.js'
import { fuzzRuns } from './fixtures/fuzz-runs.js'
import { everyStore } from './fixtures/stores.js'

const html = { accept: 'text/html' }

/** What users throw and reject with, by accident or not. */
const failures: unknown[] = [undefined, null, false, 0, -0, 0n, NaN, '', 'text', true, 1, Symbol('failure'), {}, [], { statusCode: 200 }, { then: null }, () => true, Promise.resolve(true), Object.create(null), new Proxy({}, { get () { throw new Error('trap') } }), new Proxy({}, { getPrototypeOf () { throw undefined } })] // eslint-disable-line no-throw-literal

/** What a function answers that is not `true`. */
const answers: unknown[] = [undefined, null, false, 0, 1, '', 'true', 'yes', {}, [], [true], new Boolean(true), () => true, Symbol('true'), NaN] // eslint-disable-line no-new-wrappers

const getter = (failure: unknown): unknown => ({ get then () { throw failure } })

const wrong: Record<string, (value: unknown) => unknown> = {
  throws: (value) => { throw value },
  rejects: (value) => Promise.reject(value),
  'rejects later': async (value) => { await setImmediate(); throw value },
  'is a thenable that rejects': (value) => ({ then: (_resolve: unknown, reject: (failure: unknown) => void) => { reject(value) } }),
  'is a thenable that throws': (value) => ({ then: () => { throw value } }),
  'is a thenable that rejects and then fulfils': (value) => ({ then (resolve: (answer: boolean) => void, reject: (failure: unknown) => void) { reject(value); resolve(true) } }),
  'is a promise that rejects, with a then of its own that fulfils': (value) => Object.assign(Promise.reject(value), { then: (resolve: (answer: boolean) => void) => { resolve(true); resolve(true) } }),
  'has a then that cannot be read': (value) => getter(value),
  'fulfils with a thenable that rejects': (value) => Promise.resolve().then((): unknown => ({ then: (_resolve: unknown, reject: (failure: unknown) => void) => { reject(value) } })),
  'fulfils with a then that cannot be read': (value) => Promise.resolve().then(() => getter(value))
}

async function buildGuarded (t: Parameters<typeof buildApp>[0], predicate: (name: string) => unknown, options: GuardOptions = {}): Promise<{ app: FastifyInstance, ran: () => number }> {
  const app = await buildApp(t)
  let ran = 0
  for (const hook of ['onRequest', 'preValidation', 'preHandler'] as const) {
    app.get(`/${hook}/:name`, { [hook]: requireSession(((_session, { params }) => predicate((params as { name: string }).name)) as SessionPredicate, options) }, async () => { ran++; return 'in' })
  }
  return { app, ran: () => ran }
}

t.test('a failure of any kind is an error, in every hook', async (t) => {
  for (const [title, fail] of Object.entries(wrong)) {
    await t.test(`a function that ${title}`, async (t) => {
      const { app, ran } = await buildGuarded(t, (name) => fail(failures[Number(name)]), { redirectTo: '/login' })
      for (const hook of ['onRequest', 'preValidation', 'preHandler']) {
        for (const [index, failure] of failures.entries()) {
          const response = await app.inject({ url: `/${hook}/${index}`, headers: html })
          const isFine = response.statusCode === 500 && response.json().code === 'FST_KEEP_GUARD_FAILED'
          if (!isFine) t.fail(`${hook} ${typeof failure} ${response.statusCode} ${response.body}`)
        }
      }
      t.equal(ran(), 0)
    })
  }
})

t.test('a function that answers anything but true, now or later, is a refusal', async (t) => {
  const kinds: Array<(value: unknown) => unknown> = [
    (value) => value,
    async (value) => value,
    (value) => ({ then (resolve: (answer: unknown) => void) { resolve(value); resolve(true) } }),
    (value) => ({ then (resolve: (answer: unknown) => void) { resolve(value); throw new Error('too late') } })
  ]
  for (const kind of kinds) {
    const { app, ran } = await buildGuarded(t, (name) => kind(answers[Number(name)]))
    for (const index of answers.keys()) t.equal((await app.inject(`/onRequest/${index}`)).statusCode, 401)
    t.equal(ran(), 0)
  }
})

t.test('the first answer of a thenable counts, and the handler runs once', async (t) => {
  const { app, ran } = await buildGuarded(t, () => ({ then (resolve: (answer: unknown) => void, reject: (failure: unknown) => void) { resolve(true); resolve(true); reject(null); throw new Error('too late') } }))
  t.equal((await app.inject('/onRequest/x')).body, 'in')
  await setImmediate()
  t.equal(ran(), 1)
})

t.test('an error stays the error it is, and what is none is described in the log', async (t) => {
  const lines: string[] = []
  const app = await buildApp(t, {}, { logger: { level: 'error', stream: { write: (line: string) => { lines.push(line) } } } })
  const foreign: unknown = runInContext('new Error("from another realm")', createContext())
  const reasons: Record<string, unknown> = { own: Object.assign(new Error('denied'), { statusCode: 403 }), foreign, text: 'the directory is away' }
  for (const [name, reason] of Object.entries(reasons)) app.get(`/${name}`, { onRequest: requireSession(() => Promise.reject(reason)) }, async () => 'in')
  t.match((await app.inject('/own')).json(), { statusCode: 403, message: 'denied' })
  t.match((await app.inject('/foreign')).json(), { statusCode: 500, code: 'FST_KEEP_GUARD_FAILED' }, 'Fastify takes no such error')
  t.match((await app.inject('/text')).json(), { statusCode: 500, code: 'FST_KEEP_GUARD_FAILED' })
  t.notMatch((await app.inject('/text')).body, 'directory')
  t.match(lines.at(-1), 'the directory is away')
})

t.test('what throws behind a guard that answers later is a 500, and the next request is fine', async (t) => {
  const behind: Record<string, (app: FastifyInstance) => unknown> = {
    'a Location that no header can carry': (app) => app.get('/x', (_request, reply) => { reply.redirect('/€') }),
    'a header that cannot be sent': (app) => app.get('/x', (_request, reply) => { reply.header('x-name', '€').send('x') }),
    'a payload of a wrong type': (app) => app.get('/x', (_request, reply) => { reply.type('text/html').send({ a: 1 }) }),
    'a later hook that throws': (app) => { app.addHook('onRequest', () => { throw new Error('later') }); app.get('/x', page) },
    'a handler that throws and an error handler that throws': (app) => { app.setErrorHandler(() => { throw new Error('again') }); app.get('/x', () => { throw new Error('first') }) }
  }
  for (const [title, build] of Object.entries(behind)) {
    const app = await buildApp(t)
    app.addHook('onRequest', requireSession(async () => { await setImmediate(); return true }))
    app.get('/fine', page)
    build(app)
    const origin = await app.listen({ port: 0, host: '127.0.0.1' })
    t.equal((await fetch(`${origin}/x`)).status, 500, title)
    if (!title.includes('hook')) t.equal((await fetch(`${origin}/fine`)).status, 200)
  }
})

async function page () { return 'in' }

t.test('a redirect that cannot be sent is an error, and nobody gets through', async (t) => {
  for (const predicate of [() => false, async () => false]) {
    const app = await buildApp(t)
    app.addHook('onRequest', async (_request, reply) => { reply.header('x-name', '€') })
    app.setErrorHandler((_error, _request, reply) => { reply.removeHeader('x-name').code(500).send('error') })
    app.get('/x', { onRequest: requireSession(predicate, { redirectTo: '/login' }) }, page)
    const response = await app.inject({ url: '/x', headers: html })
    t.same([response.statusCode, response.body], [500, 'error'])
  }
})

t.test('a request that was answered while the function was deciding stays answered', async (t) => {
  for (const answer of [true, false]) {
    const app = await buildApp(t)
    let ran = 0
    app.addHook('onRequest', (_request, reply, done) => { queueMicrotask(() => reply.code(503).send('shed')); done() })
    app.get('/x', { onRequest: requireSession(async () => { await setImmediate(); return answer }, { redirectTo: '/login' }) }, async () => { ran++ })
    const response = await app.inject({ url: '/x', headers: html })
    t.same([response.statusCode, response.body, ran], [503, 'shed', 0])
    await setImmediate()
  }
})

t.test('random failures of random functions let nobody through', async (t) => {
  const kinds = Object.values(wrong)
  const random = (limit: number) => Math.floor(Math.random() * limit)
  const { app, ran } = await buildGuarded(t, () => (kinds[random(kinds.length)] as (value: unknown) => unknown)(failures[random(failures.length)]))
  let through = 0
  for (let run = 0; run < fuzzRuns(500); run++) if ((await app.inject('/preHandler/x')).statusCode !== 500) through++
  t.same([through, ran()], [0, 0])
})

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}, every refusal is counted and published with its reason`, async (t) => {
    const heard: SessionMessage[] = []
    const hear = (message: unknown) => { heard.push(message as SessionMessage) }
    subscribe('fastify-keep:denied', hear)
    t.teardown(() => unsubscribe('fastify-keep:denied', hear))
    const clock = new FakeClock()
    const app = await buildApp(t, { clock, store: makeStore(clock), idleTimeout: '12h' })
    app.post('/login', async ({ session }) => { session.set('user', { id: 1 }); return session.sessionId })
    app.get('/me', { onRequest: requireSession('user', { redirectTo: '/login' }) }, page)
    app.get('/role', { onRequest: requireSession('role') }, page)
    app.get('/pay', { onRequest: requireSession('user', { fresh: '5m' }) }, page)
    app.get('/no', { onRequest: requireSession(async () => false) }, page)
    app.get('/fails', { onRequest: requireSession(() => Promise.reject()) }, page) // eslint-disable-line prefer-promise-reject-errors
    app.get('/open', { onRequest: requireSession(() => true) }, page)
    const browser = new Browser(app)
    await app.inject({ url: '/me', headers: html })
    await app.inject('/no')
    const sessionId = (await browser.visit('/login', { method: 'POST' })).body
    for (const url of ['/me', '/role', '/open', '/fails']) await browser.visit(url)
    clock.advance(HOUR)
    await browser.visit('/pay')
    t.same(heard, [
      { sessionId: null, reason: 'no-session' }, { sessionId: null, reason: 'predicate' },
      { sessionId, reason: 'missing-key' }, { sessionId, reason: 'failed' }, { sessionId, reason: 'stale-login' }
    ])
    t.equal(app.sessions.stats().denied, 5)
    t.equal(app.sessions.stats().created, 1, 'a refusal stores nothing')
  })
}

t.test('a guard of a second session counts there', async (t) => {
  const { default: session } = await import('../index.js')
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(session)
  await app.register(session, { property: 'adminSession', cookie: { name: 'admin' } })
  app.get('/', { onRequest: requireSession('staff', { property: 'adminSession' }) }, page)
  await app.inject('/')
  const { adminSessions } = app as unknown as { adminSessions: typeof app.sessions }
  t.same([app.sessions.stats().denied, adminSessions.stats().denied], [0, 1])
})
