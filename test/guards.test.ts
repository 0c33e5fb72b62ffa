// requireSession: as a wall, a shield and a guard, for browsers and for APIs.
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import session, { requireSession, returnPath, type GuardOptions } from '../index.js'
import { Browser, buildApp } from './fixtures/app.js'
import { FakeClock, MINUTE } from './fixtures/clock.js'
import { everyStore } from './fixtures/stores.js'

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
  const visit = (headers: object, method: 'GET' | 'POST' | 'HEAD' = 'GET') => app.inject({ url: '/private?a=1&b=%2F', method, headers: { ...headers } })
  const back = '/login?from=guard&returnTo=%2Fprivate%3Fa%3D1%26b%3D%252F'
  for (const headers of [html, {}, { accept: '*/*' }]) {
    const response = await visit(headers)
    t.same([response.statusCode, response.headers.location], [302, back])
  }
  t.equal((await visit(html, 'HEAD')).headers.location, back)
  const post = await visit(html, 'POST')
  t.same([post.statusCode, post.headers.location], [303, '/login?from=guard'], 'a form cannot be sent twice')
  for (const accept of ['application/json', 'text/event-stream', 'image/png']) t.equal((await visit({ accept })).statusCode, 401)
})

t.test('the way back never leads to another site', async (t) => {
  const foreign = ['//evil.example', '/\\evil.example', 'https://evil.example', 'http:evil.example', '\\/evil', '/\t/evil.example', '/\n/evil.example', '\t//evil.example', 'javascript:alert(1)', 'evil', '', 'account', '/\u0000', '//', '/\\/evil.example', null, undefined, 42, ['/a'], {}]
  for (const claimed of foreign) t.equal(returnPath(claimed, '/home'), '/home', JSON.stringify(claimed))
  for (const path of ['/', '/account', '/a?b=c&d=//e', '/a#b', '/ü', '/a//b', '/a\\b', '/@evil.example', '/.evil']) t.equal(returnPath(path), path)
  t.equal(returnPath('//evil.example'), '/')

  const app = Fastify({ rewriteUrl: () => '/private' })
  t.teardown(() => app.close())
  await app.register(session)
  app.get('/private', { preHandler: requireSession('user', { redirectTo: '/login' }) }, async () => 'in')
  t.equal((await app.inject({ url: '//evil.example/x', headers: html })).headers.location, '/login')
  t.equal((await app.inject({ url: '/asked', headers: html })).headers.location, '/login?returnTo=%2Fasked')
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
  other.get('/', { config: { session: false }, preHandler: requireSession('user') }, async () => 'in')
  t.match((await other.inject('/')).json(), { statusCode: 500, code: 'FST_KEEP_NOT_COVERED', message: /opted out/ })
})

t.test('bad options of a guard are refused where it is made', (t: Test) => {
  const cases: Array<[unknown, GuardOptions, RegExp]> = [
    ['user', { fresh: 'soon' }, /fresh is 'soon'/], ['user', { statusCode: 200 }, /statusCode is 200/], ['user', { statusCode: 4.5 }, /statusCode/],
    ['user', { redirectTo: '' }, /redirectTo/], [[], {}, /condition/], [undefined, {}, /condition/], [['user', 1], {}, /condition/]
  ]
  for (const [condition, options, message] of cases) {
    t.throws(() => requireSession(condition as string, options), { code: 'FST_KEEP_INVALID_OPTION', message })
  }
  t.end()
})
