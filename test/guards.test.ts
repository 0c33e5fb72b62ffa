// requireSession: as a wall, a shield and a guard, for browsers and for APIs.
import cors from '@fastify/cors'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import session, { requireSession, type GuardOptions, type SessionPredicate } from '../index.js'
import { Browser, buildApp } from './fixtures/app.js'
import { FakeClock, HOUR, MINUTE, SECOND } from './fixtures/clock.js'
import { visitRaw } from './fixtures/raw-visit.js'
import { everyStore, memoryStore, recorded } from './fixtures/stores.js'

const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

function addLogin (app: FastifyInstance): FastifyInstance {
  app.post('/login', async ({ session, body }) => { session.regenerate(); session.setMany(body as Record<string, unknown>) })
  app.post('/logout', async ({ session }) => session.destroy())
  return app
}

async function login (app: FastifyInstance, values: object = { user: 1 }): Promise<Browser> {
  const browser = new Browser(app)
  await browser.visit('/login', { method: 'POST', payload: values })
  return browser
}

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}`, async (t) => {
    for (const hook of ['onRequest', 'preValidation', 'preHandler'] as const) {
      await t.test(`a guard in ${hook} lets nobody through without the key`, async (t) => {
        const app = addLogin(await buildApp(t, { store: makeStore() }))
        let ran = 0
        app.get('/me', { [hook]: requireSession('user') }, async () => { ran++; return 'in' })
        const stranger = await app.inject('/me')
        t.equal(stranger.statusCode, 401)
        t.match(stranger.json(), { code: 'FST_KEEP_SESSION_REQUIRED', statusCode: 401 })
        t.equal(ran, 0)
        const browser = await login(app)
        t.equal((await browser.visit('/me')).body, 'in')
        await browser.visit('/logout', { method: 'POST' })
        t.equal((await browser.visit('/me')).statusCode, 401)
        t.equal(ran, 1)
      })
    }

    await t.test('a guard that redirects stops the request right there', async (t) => {
      const app = addLogin(await buildApp(t, { store: makeStore() }))
      let ran = 0
      app.addHook('onRequest', async ({ session }) => { session.update('visits', (n) => ((n as number | undefined) ?? 0) + 1) })
      app.get('/me', { preHandler: requireSession('user', { redirectTo: '/login' }) }, async () => { ran++; return 'in' })
      const response = await app.inject({ url: '/me', headers: html })
      t.equal(response.statusCode, 302)
      t.ok(response.headers['set-cookie'], 'and what was stored before is saved')
      t.equal(ran, 0)
    })
  })
}

t.test('a wall covers the whole app but for the page it sends people to', async (t) => {
  const app = addLogin(await buildApp(t))
  app.addHook('onRequest', requireSession('user', { redirectTo: '/login' }))
  app.get('/', async () => 'home')
  app.get('/login', async () => 'the form')
  app.get('/login/secret', async () => 'no')
  t.equal((await app.inject({ url: '/', headers: html })).headers.location, '/login?returnTo=%2F')
  t.equal((await app.inject({ url: '/login?returnTo=%2F', headers: html })).body, 'the form')
  t.equal((await app.inject({ url: '/nowhere', headers: html })).statusCode, 302, 'a 404 too')
  for (const url of ['/login/secret', '/login/../login/secret', '//login', '/login;x', '/Login', '/login%2Fsecret']) {
    t.not((await app.inject({ url, headers: html })).statusCode, 200, url)
  }
  t.equal((await (await login(app)).visit('/')).body, 'home')
})

t.test('a shield covers one scope and nothing else', async (t) => {
  const app = addLogin(await buildApp(t))
  app.get('/public', async () => 'public')
  await app.register(async (area) => {
    area.addHook('preHandler', requireSession('user'))
    area.get('/a', async () => 'a')
    await area.register(async (inner) => { inner.get('/b', async () => 'b') })
  }, { prefix: '/area' })
  t.equal((await app.inject('/public')).body, 'public')
  for (const url of ['/area/a', '/area/b']) t.equal((await app.inject(url)).statusCode, 401)
  const browser = await login(app)
  t.equal((await browser.visit('/area/b')).body, 'b')
})

t.test('a guard asks for one key, for all of several, or for what a function says', async (t) => {
  const app = addLogin(await buildApp(t))
  app.get('/one', { preHandler: requireSession('user') }, async () => 'in')
  app.get('/all', { preHandler: requireSession(['user', 'role']) }, async () => 'in')
  app.get('/admin', { preHandler: requireSession((session) => session.get('role') === 'admin') }, async () => 'in')
  app.get('/own', { preHandler: requireSession(async (session, request) => session.get('user') === Number((request.query as { user: string }).user)) }, async () => 'in')
  const status = async (values: object, url: string) => (await (await login(app, values)).visit(url)).statusCode
  t.equal(await status({ user: 1 }, '/all'), 401)
  t.equal(await status({ user: 1, role: 'x' }, '/all'), 200)
  t.equal(await status({ user: 1, role: 'x' }, '/admin'), 401)
  t.equal(await status({ role: 'admin' }, '/admin'), 200)
  t.equal(await status({ user: 7 }, '/own?user=7'), 200)
  t.equal(await status({ user: 7 }, '/own?user=8'), 401)
  t.same([await status({ user: 0 }, '/one'), await status({ user: '' }, '/one')], [200, 200])
  t.same([await status({ user: null }, '/one'), await status({ user: false }, '/one')], [401, 401])
})

t.test('a guard whose function fails, or answers anything but true, lets nobody through', async (t) => {
  const app = await buildApp(t)
  let ran = 0
  const conditions = {
    '/throws': () => { throw new Error('boom') },
    '/rejects': async () => { throw new Error('boom') },
    '/truthy': (() => 'yes') as unknown as () => boolean,
    '/nothing': (() => undefined) as unknown as () => boolean
  }
  for (const [url, condition] of Object.entries(conditions)) app.get(url, { preHandler: requireSession(condition) }, async () => { ran++ })
  t.same(await Promise.all(Object.keys(conditions).map(async (url) => (await app.inject(url)).statusCode)), [500, 500, 401, 401])
  t.equal(ran, 0)
})

t.test('the status is the one asked for', async (t) => {
  const app = await buildApp(t)
  app.get('/', { preHandler: requireSession('user', { statusCode: 404 }) }, async () => 'in')
  t.match((await app.inject('/')).json(), { statusCode: 404, code: 'FST_KEEP_SESSION_REQUIRED' })
})

t.test('fresh asks for a recent login, which regenerate starts and rotate does not', async (t) => {
  const clock = new FakeClock()
  const app = addLogin(await buildApp(t, { clock }))
  app.get('/rotate', async ({ session }) => session.rotate())
  app.get('/pay', { preHandler: requireSession('user', { fresh: '5m' }) }, async () => 'paid')
  app.get('/settings', { preHandler: requireSession('user', { fresh: '5m', redirectTo: '/login' }) }, async () => 'in')
  const browser = await login(app)
  clock.advance(5 * MINUTE)
  t.equal((await browser.visit('/pay')).body, 'paid')
  clock.advance(1)
  t.match((await browser.visit('/pay')).json(), { statusCode: 401, code: 'FST_KEEP_STALE_LOGIN' })
  await browser.visit('/rotate')
  t.equal((await browser.visit('/pay')).statusCode, 401)
  t.equal((await browser.visit('/settings', { headers: html })).headers.location, '/login?returnTo=%2Fsettings')
  await browser.visit('/login', { method: 'POST', payload: { user: 1 } })
  t.equal((await browser.visit('/pay')).body, 'paid')
  t.match((await app.inject('/pay')).json(), { code: 'FST_KEEP_SESSION_REQUIRED' })
})

t.test('browsers are redirected with the way back, programs get the error', async (t) => {
  const app = await buildApp(t)
  app.all('/private', { preHandler: requireSession('user', { redirectTo: '/login?from=guard' }) }, async () => 'in')
  const visit = (headers: object, method: 'GET' | 'POST' | 'HEAD' | 'DELETE' = 'GET') => app.inject({ url: '/private?a=1&b=%2F', method, headers: { ...headers } })
  const back = '/login?from=guard&returnTo=%2Fprivate%3Fa%3D1%26b%3D%252F'
  const navigations = [html, { ...html, 'sec-fetch-mode': 'navigate' }, { accept: 'TEXT/HTML' }, { accept: 'image/png, text/html ; q=0.1' }]
  for (const headers of navigations) {
    for (const method of ['GET', 'HEAD'] as const) {
      const response = await visit(headers, method)
      t.same([response.statusCode, response.headers.location], [302, back])
    }
    for (const method of ['POST', 'DELETE'] as const) t.equal((await visit(headers, method)).statusCode, 401, 'a form cannot be sent twice')
  }
  const programs = [
    {}, ...['*/*', 'text/*', 'application/json', 'application/json, */*;q=0.5', 'text/event-stream', 'text/css,*/*;q=0.1', 'image/avif,image/webp,*/*;q=0.8', 'text/html;q=0', 'text/html; q=0.00', 'text/htmlx', 'x-text/html'].map((accept) => ({ accept })),
    ...['cors', 'same-origin', 'no-cors', 'websocket', ''].map((mode) => ({ ...html, 'sec-fetch-mode': mode })),
    { 'sec-fetch-mode': 'navigate' }, { ...html, 'x-requested-with': 'XMLHttpRequest' }
  ]
  for (const headers of programs) {
    const response = await visit(headers)
    t.same([response.statusCode, response.headers.location], [401, undefined], JSON.stringify(headers))
  }
})

t.test('a guard decides by the route, however the URL is written', async (t) => {
  const routerOptions = { ignoreDuplicateSlashes: true, caseSensitive: false, ignoreTrailingSlash: true, useSemicolonDelimiter: true }
  const app = addLogin(await buildApp(t, {}, { routerOptions }))
  app.get('/me', { preHandler: requireSession('user') }, async () => 'in')
  const browser = await login(app)
  for (const url of ['/me', '//me', '/ME', '/me/', '/me;a=b', '/m%65', '/me?x']) {
    t.equal((await app.inject(url)).statusCode, 401, url)
    t.equal((await browser.visit(url)).statusCode, 200, url)
  }
})

t.test('a guard before the plugin, or on a route without a session, is a clear error and lets nobody through', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.addHook('onRequest', requireSession('user'))
  await app.register(session)
  app.get('/', async () => 'in')
  t.match((await app.inject('/')).json(), { statusCode: 500, code: 'FST_KEEP_NOT_COVERED', message: /register the session plugin before/ })

  const other = await buildApp(t)
  const optedOut = { config: { session: false } }
  for (const hook of ['onRequest', 'preValidation', 'preHandler'] as const) {
    t.throws(() => other.get('/', { ...optedOut, [hook]: requireSession('user') }, async () => 'in'), { code: 'FST_KEEP_NOT_COVERED', message: /the route \/ opted out/ })
    t.throws(() => other.get('/', { ...optedOut, [hook]: [requireSession(() => true, { fresh: '5m' })] }, async () => 'in'), { code: 'FST_KEEP_NOT_COVERED' })
  }

  const early = Fastify()
  t.teardown(() => early.close())
  early.get('/', { ...optedOut, preHandler: requireSession('user') }, async () => 'in')
  await early.register(session)
  t.match((await early.inject('/')).json(), { statusCode: 500, code: 'FST_KEEP_NOT_COVERED', message: /opted out/ }, 'nor where the route came before the plugin')
})

t.test('routes that opted out pass a wall, and nothing else on them does', async (t) => {
  const app = await buildApp(t)
  for (const guard of [requireSession('user'), requireSession(() => false), requireSession(() => true, { fresh: '1s' })]) app.addHook('onRequest', guard)
  app.get('/health', { config: { session: false } }, async () => 'ok')
  app.get('/me', { config: { session: true } }, async () => 'in')
  t.equal((await app.inject('/health')).body, 'ok')
  t.equal((await app.inject({ url: '/health', method: 'HEAD' })).statusCode, 200)
  t.equal((await app.inject('/me')).statusCode, 401)
  t.equal((await app.inject('/nowhere')).statusCode, 401)
})

t.test('a function that looks at no session can guard a route that opted out', async (t) => {
  const app = await buildApp(t)
  const shared = { session: false }
  const add = (url: string, condition: SessionPredicate) => app.get(url, { config: shared, preHandler: requireSession(condition) }, async () => 'in')
  app.get('/open', { config: shared }, async () => 'open')
  add('/yes', () => true)
  add('/no', () => false)
  add('/looks', (session) => session.has('user'))
  const status = async (url: string) => (await app.inject(url)).statusCode
  t.same([await status('/open'), await status('/yes'), await status('/no'), await status('/looks')], [200, 200, 401, 500])
  t.same(Object.keys(shared), ['session'], 'the config is only read')
})

t.test('a function may let a route through without a look at the session', async (t) => {
  const app = await buildApp(t)
  app.addHook('onRequest', requireSession((session, request) => (request.routeOptions.config as { public?: boolean }).public === true || session.has('user')))
  app.get('/open', { config: { public: true } as object }, async () => 'open')
  app.get('/me', async () => 'in')
  t.equal((await app.inject('/open')).body, 'open')
  t.equal((await app.inject('/open')).headers.vary, undefined)
  t.equal((await app.inject('/me')).statusCode, 401)
})

t.test('except leaves paths and patterns alone, and nothing beside them', async (t) => {
  const app = await buildApp(t)
  app.addHook('onRequest', requireSession('user', { except: ['/health', '/files/:id', '/public/*', '/spa/logo.png'] }))
  const paths = ['/health', '/health/deep', '/files/:id', '/files/:id/edit', '/public/a', '/public/:name/b', '/public/deep/*', '/publicity', '/spa/*', '/*']
  for (const path of paths) app.all(path, async () => 'in')
  const open = ['/health', '/health?x=1', '/h%65alth', '/files/1', '/files/2?x', '/public/a', '/public/x/b', '/public/deep/c/d', '/spa/logo.png']
  for (const url of open) for (const method of ['GET', 'POST', 'HEAD'] as const) t.equal((await app.inject({ url, method })).statusCode, 200, url)
  const closed = [
    '/', '/health/', '//health', '/Health', '/health/deep', '/health%2F', '/health;x', '/x/../health', '/files/1/edit', '/files', '/publicity', '/public', '/public/x/y',
    '/public/../private', '/public%2Fa', '/spa/logo.png/', '/spa/logo.PNG', '/spa/x', '/spa/../health', '/%68ealth%', '/health%2525', '/spa/logo%252Epng'
  ]
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  for (const url of closed) t.not((await visitRaw(origin, url)).statusCode, 200, url)
})

t.test('CORS preflights pass, and reach no handler but one for OPTIONS', async (t) => {
  const preflight = { origin: 'https://spa.example', 'access-control-request-method': 'GET', accept: '*/*' }
  for (const order of ['before', 'after']) {
    const app = await buildApp(t)
    const useCors = async () => { await app.register(cors, { origin: 'https://spa.example', credentials: true }) }
    if (order === 'before') await useCors()
    app.addHook('onRequest', requireSession('user', { redirectTo: '/login' }))
    if (order === 'after') await useCors()
    app.get('/me', async () => 'in')
    const response = await app.inject({ method: 'OPTIONS', url: '/me', headers: preflight })
    t.same([response.statusCode, response.headers['access-control-allow-origin']], [204, 'https://spa.example'], order)
    t.equal((await app.inject({ url: '/me', headers: { origin: 'https://spa.example', accept: '*/*' } })).statusCode, 401)
  }
  const app = await buildApp(t)
  app.addHook('onRequest', requireSession('user'))
  let ran = 0
  app.all('/all', async () => { ran++ })
  app.options('/options', async () => 'allowed')
  const status = async (url: string, headers: object) => (await app.inject({ method: 'OPTIONS', url, headers: { ...headers } })).statusCode
  t.equal(await status('/options', preflight), 200)
  t.equal(await status('/nowhere', preflight), 404)
  t.equal(await status('/all', preflight), 401, 'anybody can send these headers')
  t.equal(await status('/options', { origin: 'https://spa.example' }), 401)
  t.equal(await status('/options', { 'access-control-request-method': 'GET' }), 401)
  t.equal((await app.inject({ url: '/all', headers: preflight })).statusCode, 401)
  t.equal(ran, 0)
})

t.test('a login of the future is not fresh', async (t) => {
  const clock = new FakeClock()
  const app = addLogin(await buildApp(t, { clock, absoluteTimeout: '7d', idleTimeout: '7d' }))
  app.get('/pay', { preHandler: requireSession('user', { fresh: '5m' }) }, async () => 'paid')
  const browser = await login(app)
  clock.advance(-SECOND)
  t.equal((await browser.visit('/pay')).body, 'paid', 'clocks of several machines differ a little')
  clock.advance(-1)
  t.match((await browser.visit('/pay')).json(), { code: 'FST_KEEP_STALE_LOGIN' })
  clock.advance(-10 * HOUR)
  t.match((await browser.visit('/pay')).json(), { code: 'FST_KEEP_STALE_LOGIN' })
  clock.advance(10 * HOUR + MINUTE)
  t.equal((await browser.visit('/pay')).body, 'paid')
})

t.test('a guard only reads the session', async (t) => {
  const { store, calls } = recorded(memoryStore())
  const app = addLogin(await buildApp(t, { store }))
  app.get('/me', { preHandler: [requireSession('user', { fresh: '5m' }), requireSession(['user', 'cart'])] }, async () => 'in')
  const browser = await login(app, { user: { id: 1 }, cart: [] })
  calls.length = 0
  const response = await browser.visit('/me')
  t.same([response.body, response.headers['set-cookie'], response.headers.vary], ['in', undefined, 'Cookie'])
  await app.inject('/me')
  t.same(calls, ['read'])
})

t.test('the client is not told which key is missing, the log is', async (t) => {
  const lines: string[] = []
  const app = await buildApp(t, {}, { logger: { level: 'info', stream: { write: (line: string) => { lines.push(line) } } } })
  app.get('/', async ({ session }) => session.getOrThrow('internalRole'))
  const response = await app.inject('/')
  t.match(response.json(), { statusCode: 401, code: 'FST_KEEP_MISSING_KEY' })
  t.notMatch(response.body, 'internalRole')
  t.match(lines.join(''), "the session has no 'internalRole'")
})

t.test('bad options of a guard are refused where it is made', (t: Test) => {
  const cases: Array<[unknown, GuardOptions, RegExp]> = [
    ['user', { fresh: 'soon' as '5m' }, /fresh is 'soon'/], ['user', { statusCode: 200 }, /statusCode is 200/], ['user', { statusCode: 4.5 }, /statusCode/],
    ...['', 'login', '//login', '/\\login', 'javascript:alert(1)', 'mailto:a@b.example', 'https://', 5].map((redirectTo) => ['user', { redirectTo }, /redirectTo/] as [string, GuardOptions, RegExp]),
    ...['/health', ['health'], [''], ['/*'], ['/a?b'], [1], null].map((except) => ['user', { except }, /except is/] as unknown as [string, GuardOptions, RegExp]),
    [[], {}, /condition/], [undefined, {}, /condition/], [['user', 1], {}, /condition/], [null, {}, /condition/],
    ['user', { property: '' }, /property/], ['user', null as never, /options is null/], ['user', '/login' as never, /options is '\/login'/], ['user', [] as never, /options/],
    ['user', { freshh: '5m' } as GuardOptions, /freshh is '5m': there is no such option; did you mean 'fresh'\? the options are statusCode,/],
    ['user', { redirect: '/login' } as GuardOptions, /did you mean 'redirectTo'/], ['user', { status: 403 } as GuardOptions, /did you mean 'statusCode'/],
    ['user', { whatever: 1 } as GuardOptions, /no such option; the options are/]
  ]
  for (const [condition, options, message] of cases) {
    t.throws(() => requireSession(condition as string, options), { code: 'FST_KEEP_INVALID_OPTION', message })
  }
  t.end()
})
