// What comes after our save: errors of later hooks, web Responses whose status and headers
// Fastify copies last, loggers that throw, replies that cannot be sent at all.
import { inspect } from 'node:util'
import Fastify, { type FastifyBaseLogger, type FastifyReply, type FastifyRequest } from 'fastify'
import t from 'tap'
import session, { requireSession, type Session } from '../index.js'
import { finishHook, holdReply } from '../lib/http/finish-hook.js'
import { thrownError } from '../lib/thrown-error.js'
import { Browser, buildApp, gate, setCookies } from './fixtures/app.js'
import { FakeClock, HOUR } from './fixtures/clock.js'
import { everyStore, memoryStore, recorded, wrapped } from './fixtures/stores.js'

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}`, async (t) => {
    await t.test('an error after the save has the one cookie of what was saved, and nothing is saved twice', async (t) => {
      for (const keeps of [true, false]) {
        const { store, calls } = recorded(makeStore())
        const app = await buildApp(t, { store })
        let failures = 1
        app.addHook('onSend', async (request) => { if (request.url === '/login' && failures-- > 0) throw new Error('after the save') })
        app.setErrorHandler((_error, _request, reply) => {
          if (!keeps) for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name)
          reply.code(500).send('sorry')
        })
        app.get('/login', async ({ session }, reply) => { session.regenerate(); session.set('user', 1); reply.header('set-cookie', 'a=1'); return 'in' })
        app.get('/me', async ({ session }) => ({ user: session.get('user') ?? null }))
        const browser = new Browser(app)
        const response = await browser.visit('/login')
        t.same([response.statusCode, response.body], [500, 'sorry'])
        t.same(setCookies(response).map((line) => line.split('=', 1)[0]).sort(), keeps ? ['a', 'sid'] : ['sid'])
        t.same([response.headers['cache-control'], response.headers.vary], ['no-store', 'Cookie'])
        t.same(calls, ['create'])
        t.same((await browser.visit('/me')).json(), { user: 1 })
      }
    })

    await t.test('a web Response is told to caches as any other, whatever its own headers say', async (t) => {
      const app = await buildApp(t, { store: makeStore() })
      const responses: Record<string, () => Response> = {
        plain: () => new Response('x'),
        vary: () => new Response('x', { headers: { vary: 'accept' } }),
        star: () => new Response('x', { headers: { vary: '*' } }),
        own: () => new Response('x', { headers: { vary: 'Origin, cookie', 'cache-control': 'private' } }),
        public: () => new Response('x', { headers: { 'cache-control': 'public, max-age=600', vary: 'accept-language' } }),
        cookies: () => new Response('x', { headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2']] }),
        empty: () => new Response(null, { status: 204, headers: { vary: 'accept' } })
      }
      const shared = new Response(null, { status: 404, headers: { vary: 'accept' } })
      app.get('/read/:name', async ({ session, params }) => { session.get('a'); return responses[(params as { name: string }).name]?.() })
      app.get('/write/:name', async ({ session, params }) => { session.set('a', 1); return responses[(params as { name: string }).name]?.() })
      app.get('/untouched/:name', async ({ params }) => responses[(params as { name: string }).name]?.())
      app.get('/shared', async ({ session }) => { session.get('a'); return shared })
      const told = async (url: string) => {
        const response = await app.inject(url)
        return [response.headers.vary, response.headers['cache-control'], setCookies(response).map((line) => line.split('=', 1)[0]).join()]
      }
      t.same(await told('/read/plain'), ['Cookie', undefined, ''])
      t.same(await told('/read/vary'), ['accept, Cookie', undefined, ''])
      t.same(await told('/read/star'), ['*', undefined, ''])
      t.same(await told('/read/own'), ['Origin, cookie', 'private', ''])
      t.same(await told('/write/plain'), ['Cookie', 'no-store', 'sid'])
      t.same(await told('/write/vary'), ['accept, Cookie', 'no-store', 'sid'])
      t.same(await told('/write/public'), ['accept-language, Cookie', 'public, max-age=600', 'sid'])
      t.same(await told('/write/cookies'), ['Cookie', 'no-store', 'sid,a,b'])
      t.same(await told('/write/empty'), ['accept, Cookie', 'no-store', 'sid'])
      t.same(await told('/untouched/vary'), ['accept', undefined, ''])
      t.same(await told('/shared'), ['accept, Cookie', undefined, ''])
      t.equal(shared.headers.get('vary'), 'accept', 'the Response itself is left alone')
    })

    await t.test("with saveOn: 'success' it is the Response's own status that counts", async (t) => {
      const { store, calls } = recorded(makeStore())
      const app = await buildApp(t, { store, saveOn: 'success' })
      app.get('/:status', async ({ session, params }) => { session.set('a', 1); return new Response('x', { status: Number((params as { status: string }).status) }) })
      app.get('/instead', async ({ session }, reply) => { session.set('a', 1); reply.code(500); return new Response('x') })
      app.get('/no-status', async ({ session }, reply) => { session.set('a', 1); reply.code(500); return { [Symbol.toStringTag]: 'Response', body: null } })
      t.equal(setCookies(await app.inject('/503')).length, 0)
      t.equal(setCookies(await app.inject('/no-status')).length, 0, 'without one it is that of the reply')
      t.same(calls, [])
      t.equal(setCookies(await app.inject('/404')).length, 1)
      t.equal(setCookies(await app.inject('/instead')).length, 1)
      t.same(calls, ['create', 'create'])
    })

    await t.test('every way to look at a session is told to caches', async (t) => {
      const app = await buildApp(t, { store: makeStore() })
      const looks: Record<string, (session: Session) => unknown> = {
        get: (session) => session.get('a'),
        has: (session) => session.has('a'),
        getOrThrow: (session) => { try { session.getOrThrow('a') } catch {} },
        pop: (session) => session.pop('a'),
        data: (session) => session.data(),
        index: (session) => session['a'],
        in: (session) => 'a' in session,
        keys: (session) => Object.keys(session),
        spread: (session) => ({ ...session }),
        descriptor: (session) => Object.getOwnPropertyDescriptor(session, 'a'),
        inspect: (session) => inspect(session),
        JSON: (session) => JSON.stringify(session),
        isNew: (session) => session.isNew,
        isModified: (session) => session.isModified,
        sessionId: (session) => session.sessionId,
        createdAt: (session) => session.createdAt,
        expiresAt: (session) => session.expiresAt
      }
      for (const [name, look] of Object.entries(looks)) app.get(`/${name}`, async ({ session }) => { look(session); return 'x' })
      app.get('/guard', { preHandler: requireSession('a') }, async () => 'x')
      app.get('/predicate', { preHandler: requireSession((session) => !session.isNew) }, async () => 'x')
      app.get('/fresh', { preHandler: requireSession(() => true, { fresh: '1h' }) }, async () => 'x')
      const { cookies } = await app.sessions.issue({ a: 1, b: 1 })
      for (const name of [...Object.keys(looks), 'guard', 'predicate', 'fresh']) {
        t.equal((await app.inject({ url: `/${name}` })).headers.vary, 'Cookie', `${name} without a session`)
        t.equal((await app.inject({ url: `/${name}`, cookies })).headers.vary, 'Cookie', `${name} with one`)
      }
    })

    await t.test('a logger that throws changes nothing', async (t) => {
      let down = false
      const clock = new FakeClock()
      const failing = wrapped(makeStore(clock), () => { if (down) throw new Error('down') })
      const log = {
        level: 'trace',
        silent () {},
        trace () {},
        info () {},
        fatal () {},
        child () { return this },
        debug () { throw new Error('logger') },
        warn () { throw new Error('logger') },
        error (_fields: unknown, message?: string) { if (/session/.test(String(message))) throw new Error('logger') }
      }
      const app = Fastify({ loggerInstance: log as unknown as FastifyBaseLogger })
      t.teardown(() => app.close())
      await app.register(session, { store: failing, clock, onStoreError: 'anonymous' })
      app.get('/read', async ({ session }) => ({ user: session.get('user') ?? null }))
      app.get('/write', async ({ session }) => session.set('user', 2))
      app.get('/logout', async ({ session }) => session.destroy())
      const loaded: Array<() => void> = []
      app.addHook('preHandler', async ({ url }) => { if (url !== '/read') loaded.forEach((run) => run()) })
      const { cookies } = await app.sessions.issue({ user: 1 })
      down = true
      t.same((await app.inject({ url: '/read', cookies })).json(), { user: null })
      down = false
      loaded.push(() => { down = true })
      t.equal((await app.inject({ url: '/write', cookies })).statusCode, 503)
      down = false
      const response = await app.inject({ url: '/logout', cookies })
      t.equal(response.statusCode, 503)
      t.match(setCookies(response), [/^sid=; Max-Age=0/])
    })
  })
}

t.test('a warning that the logger throws at is given all the same, and the response stands', async (t) => {
  const warnings: string[] = []
  const warn = (warning: Error & { code?: string }) => { warnings.push(String(warning.code)) }
  process.on('warning', warn)
  t.teardown(() => process.off('warning', warn))
  const log = { level: 'warn', trace () {}, debug () {}, info () {}, warn () { throw new Error('logger') }, error () {}, fatal () {}, silent () {}, child () { return this } }
  const app = Fastify({ loggerInstance: log as unknown as FastifyBaseLogger })
  t.teardown(() => app.close())
  await app.register(session)
  app.get('/', (request, reply) => {
    request.session.set('a', 1)
    reply.hijack()
    reply.raw.end('raw')
  })
  t.equal((await app.inject('/')).body, 'raw')
  await new Promise(setImmediate)
  t.ok(warnings.includes('FST_KEEP_UNSAVED_SESSION'))
})

t.test("a renewal that fails under 'anonymous' is told to caches all the same", async (t) => {
  const clock = new FakeClock()
  const app = await buildApp(t, { clock, onStoreError: 'anonymous', store: wrapped(memoryStore(clock), (name) => { if (name === 'touch') throw new Error('read only') }) })
  app.get('/', async ({ session }) => { session.get('user'); return new Response('x', { headers: { vary: 'accept' } }) })
  const { cookies } = await app.sessions.issue({ user: 1 })
  clock.advance(HOUR / 2)
  const response = await app.inject({ url: '/', cookies })
  t.same([response.statusCode, response.headers.vary], [200, 'accept, Cookie'])
})

t.test('a logout that the store refuses, on a cookie that cannot be made, is the error of the store', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register((await import('@fastify/cookie')).default)
  let spoiled = false
  const { serializeCookie } = app
  app.serializeCookie = (...args) => { if (spoiled) throw new Error('serializeCookie'); return serializeCookie(...args) }
  await app.register(session, { store: wrapped(memoryStore(), (name) => { if (name === 'destroy') throw new Error('down') }) })
  app.get('/', async ({ session }) => session.destroy())
  const { cookies } = await app.sessions.issue({ user: 1 })
  spoiled = true
  t.match((await app.inject({ url: '/', cookies })).json(), { statusCode: 503, code: 'FST_KEEP_STORE' })
})

t.test('a response that cannot be sent in any way closes the connection and leaves the process alone', async (t) => {
  const lines: string[] = []
  const app = await buildApp(t, { store: everyStore[1]?.makeStore() as never }, { logger: { level: 'error', stream: { write: (line: string) => lines.push(line) } } })
  app.get('/', async ({ session }, reply) => {
    session.set('a', 1)
    reply.raw.writeHead = () => { throw new Error('writeHead') }
    return 'x'
  })
  app.get('/ok', async () => 'ok')
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  await t.rejects(fetch(address))
  t.equal((await fetch(`${address}/ok`)).status, 200)
  t.match(lines.join(''), /the response could not be sent/)
})

t.test('a hook that fails with nothing ends with an error', async (t) => {
  const ends = async (run: () => void | Promise<void>) => new Promise((resolve) => {
    finishHook(run, {} as FastifyReply, resolve)
  })
  for (const nothing of [undefined, null, 0, '', false]) {
    t.type(await ends(() => { throw nothing }), Error)
    t.type(await ends(() => Promise.reject(nothing)), Error)
    t.type(thrownError(nothing), Error)
  }
  t.equal(thrownError('text'), 'text', 'anything else is what Fastify gets')
  t.equal(await ends(() => {}), undefined)
})

t.test('while a hook waits the reply counts as sent, and no longer when it calls back', async (t) => {
  const reply = { request: {} as FastifyRequest, sent: false } as FastifyReply
  const seen: boolean[] = []
  const { passed, open } = gate()
  const done = new Promise<void>((resolve) => {
    finishHook(() => passed, reply, () => { seen.push(reply.sent === true); resolve() }, holdReply)
  })
  seen.push(reply.sent)
  open()
  await done
  t.same(seen, [true, false])
})
