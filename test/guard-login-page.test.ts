// The page a guard redirects to: open however it is routed, and never at the end of a circle.
import fastifyStatic from '@fastify/static'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import session, { requireSession, type GuardOptions } from '../index.js'
import { buildApp } from './fixtures/app.js'
import { visitRaw } from './fixtures/raw-visit.js'

const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-mode': 'navigate' }
const page = async () => 'the login page'
const warnings = t.capture(process, 'emitWarning')

interface Layout {
  readonly redirectTo?: string
  readonly server?: FastifyServerOptions
  readonly options?: GuardOptions
  readonly build: (app: FastifyInstance, t: Test) => unknown
  /** What a browser asks for, where that is not `redirectTo`. */
  readonly asked?: string
}

/** Every way to route a login page that we could think of. */
const layouts: Record<string, Layout> = {
  'by a route': { build: (app) => app.get('/login', page) },
  'by a route for HEAD': { build: (app) => app.head('/login', (_request, reply) => { reply.send() }) },
  'by a wildcard': { build: (app) => app.get('/*', page) },
  'by a wildcard for every method': { build: (app) => app.all('*', page) },
  'by the 404 handler': { build: (app) => app.setNotFoundHandler(page) },
  'by the 404 handler of a prefix': { redirectTo: '/auth/login', build: (app) => app.register(async (scope) => scope.setNotFoundHandler(page), { prefix: '/auth' }) },
  'by a parameter': { build: (app) => app.get('/:page', page) },
  'by a parameter with a pattern': { build: (app) => app.get('/:page(^[a-z]+$)', page) },
  'with a slash that the router ignores': { server: { routerOptions: { ignoreTrailingSlash: true } }, build: (app) => app.get('/login/', page) },
  'without a slash that the router ignores': { redirectTo: '/login/', server: { routerOptions: { ignoreTrailingSlash: true } }, build: (app) => app.get('/login', page) },
  'with a slash, where the router is told in the old way': { server: { ignoreTrailingSlash: true } as FastifyServerOptions, build: (app) => app.get('/login/', page) },
  'with slashes that the router ignores': { redirectTo: '/a//login', server: { routerOptions: { ignoreDuplicateSlashes: true } }, build: (app) => app.get('/a/login', page) },
  'in another case': { server: { routerOptions: { caseSensitive: false } }, build: (app) => app.get('/Login', page) },
  'with a prefix': { redirectTo: '/auth/login', build: (app) => app.register(async (scope) => { scope.get('/login', page) }, { prefix: '/auth' }) },
  'as a prefix': { build: (app) => app.register(async (scope) => { scope.get('/', page) }, { prefix: '/login' }) },
  'as a prefix with a slash': { redirectTo: '/login/', build: (app) => app.register(async (scope) => { scope.get('/', page) }, { prefix: '/login' }) },
  'as the root': { redirectTo: '/', build: (app) => app.get('/', page) },
  'by a constraint': { build: (app) => { app.get('/login', { constraints: { host: 'localhost:80' } }, page); app.get('/login', page) } },
  'with a query': { redirectTo: '/login?from=guard', build: (app) => app.get('/login', page) },
  'with a fragment': { redirectTo: '/app#/login', build: (app) => app.get('/app', page) },
  'with an encoded character': { redirectTo: '/caf%C3%A9', build: (app) => app.get('/café', page) },
  'with a character to encode': { redirectTo: '/café x', build: (app) => app.get('/café x', page) },
  'with a needless escape': { redirectTo: '/l%6Fgin', build: (app) => app.get('/login', page) },
  'with a percent sign': { redirectTo: '/100%25', build: (app) => app.get('/100%', page) },
  'with a colon': { redirectTo: '/user:login', build: (app) => app.get('/user::login', page) },
  'with an encoded slash': { redirectTo: '/log%2Fin', build: (app) => app.get('/:page', page) },
  'with dots to resolve': { redirectTo: '/x/../login', build: (app) => app.get('/login', page), asked: '/login' },
  'after a semicolon that ends the path': { redirectTo: '/login;a=b', server: { routerOptions: { useSemicolonDelimiter: true } as object }, build: (app) => app.get('/login', page) },
  'behind a prefix that is taken away': { redirectTo: '/shop/login', server: { rewriteUrl: ({ url = '' }) => url.replace(/^\/shop/, '') }, build: (app) => app.get('/login', page) },
  'behind a prefix that is put in front': { server: { rewriteUrl: ({ url = '' }) => `/tenants/a${url}` }, build: (app) => app.get('/tenants/a/login', page) },
  'by a path that is rewritten to it': { server: { rewriteUrl: () => '/login' }, build: (app) => app.get('/login', page), asked: '/en/anmelden' },
  'by another path, named in except': { options: { except: ['/signin'] }, server: { rewriteUrl: ({ url = '' }) => url.replace('/login', '/signin') }, build: (app) => app.get('/signin', page) },
  'as a static file': { redirectTo: '/login.html', build: (app, t) => app.register(fastifyStatic, { root: t.testdir({ 'login.html': 'the login page' }) }) },
  'by an own path, and asked for in the absolute form': { build: (app) => app.get('/login', page), asked: 'http://localhost/login' }
}

t.test('a wall lets everybody see the login page that is routed', async (t) => {
  for (const [title, { redirectTo = '/login', server = {}, options = {}, build, asked = redirectTo }] of Object.entries(layouts)) {
    await t.test(title, async (t) => {
      const app = await buildApp(t, {}, server)
      app.addHook('onRequest', requireSession('user', { redirectTo, ...options }))
      await build(app, t)
      const origin = await app.listen({ port: 0, host: '127.0.0.1' })
      const method = title.includes('HEAD') ? 'HEAD' : 'GET'
      const path = encodeURI(asked).replaceAll('%25', '%').replace(/#.*/, '')
      for (const query of ['', `${path.includes('?') ? '&' : '?'}returnTo=%2Fprivate`]) {
        const response = await visitRaw(origin, path + query, { method, headers: html })
        t.same([response.statusCode, response.headers.location], [200, undefined])
        if (method === 'GET') t.equal(response.body, 'the login page')
      }
      if (server.rewriteUrl === undefined) t.equal((await visitRaw(origin, '/private/page', { headers: html })).statusCode, 302, 'and nobody sees more')
    })
  }
})

t.test('a path that is only like that of the login page stays guarded', async (t) => {
  const app = await buildApp(t)
  app.addHook('onRequest', requireSession('user', { redirectTo: '/login' }))
  app.all('/*', async () => 'in')
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const like = ['/Login', '/login/', '//login', '/./login', '/x/../login', '/login/../private', '/login%2F', '/login;x', '/login%00', '/login%', '/%256Cogin', '/login%2Fx', '/login\\', '/login.', 'http://localhost//login', '/login%3Fx', '/login%23']
  for (const path of like) t.notMatch((await visitRaw(origin, path)).body, /^in$/, path)
  for (const path of ['/login', '/login?x', '/l%6Fgin']) t.equal((await visitRaw(origin, path)).body, 'in', path)
})

t.test('no header leads the login page to another one', async (t) => {
  for (const redirectTo of ['/login', '/', '/login/']) {
    const app = Fastify({ rewriteUrl: ({ url = '', headers }) => String(headers['x-original-url'] ?? url) })
    t.teardown(() => app.close())
    await app.register(session)
    app.addHook('onRequest', requireSession('user', { redirectTo }))
    for (const path of ['/login', '/', '/private', '/private/']) app.get(path, async () => `at ${path}`)
    for (const target of ['/private', '/private/', '/', '/login/private']) {
      const response = await app.inject({ url: redirectTo, headers: { ...html, 'x-original-url': target } })
      if (target !== redirectTo) t.equal(response.statusCode, 401, `${redirectTo} to ${target}`)
    }
    const host = await app.inject({ url: '/private', headers: { ...html, host: 'login.example' } })
    t.equal(host.statusCode, 302)
  }
})

t.test('a page on another site is never taken for one of this app', async (t) => {
  const app = await buildApp(t)
  app.addHook('onRequest', requireSession('user', { redirectTo: 'https://login.example/?app=1' }))
  app.get('/*', async () => 'in')
  const visit = (url: string, host: string) => app.inject({ url, headers: { ...html, host } })
  t.equal((await visit('/', 'app.example')).headers.location, 'https://login.example/?app=1&returnTo=%2F')
  const claimed = await visit('/', 'login.example')
  t.same([claimed.statusCode, claimed.body.includes('SESSION_REQUIRED')], [401, true], 'Host is what the client claims')
  t.equal((await visit('/other', 'login.example')).statusCode, 302)
})

/** Follows redirects as a browser does, through a proxy that may change the path. */
async function follow (app: FastifyInstance, url: string, proxy = (path: string) => path): Promise<{ statusCode: number, hops: number }> {
  for (let hops = 0, next = url; hops < 20; hops++) {
    const { statusCode, headers } = await app.inject({ url: proxy(next), headers: html })
    if (headers.location === undefined) return { statusCode, hops }
    const { pathname, search } = new URL(String(headers.location), 'http://localhost')
    next = pathname + search
  }
  return { statusCode: 0, hops: 20 }
}

t.test('where the login page is not recognised the answer is 401, after a few redirects at most', async (t) => {
  const circles: Record<string, { redirectTo: string, server?: FastifyServerOptions, proxy?: (path: string) => string }> = {
    'rewritten to another path': { redirectTo: '/login', server: { rewriteUrl: ({ url = '' }) => url.replace('/login', '/signin') } },
    'every path rewritten to the guarded one': { redirectTo: '/login', server: { rewriteUrl: () => '/private' } },
    'an absolute address of this app': { redirectTo: 'http://localhost:80/login' },
    'an absolute address of this app behind a proxy': { redirectTo: 'https://app.example/login' },
    'a proxy that takes a prefix away': { redirectTo: '/shop/login', proxy: (path) => path.replace(/^\/shop/, '') },
    'a proxy that adds a slash': { redirectTo: '/login', proxy: (path) => path.replace(/^\/login(?=\?|$)/, '/login/') },
    'a proxy that changes the case': { redirectTo: '/Login', proxy: (path) => path.replace('/Login', '/login') }
  }
  for (const [title, { redirectTo, server, proxy }] of Object.entries(circles)) {
    const app = await buildApp(t, {}, server)
    app.get('/*', { onRequest: requireSession('user', { redirectTo }) }, async () => 'in')
    const { statusCode, hops } = await follow(app, '/private?a=b', proxy)
    t.equal(statusCode, 401, title)
    t.ok(hops <= 3, `${title}: ${hops} redirects`)
    t.match((await app.inject({ url: '/nowhere', headers: html })).headers.location, /login/i, 'and other pages still lead to it')
  }
  const told = warnings().filter(({ args }) => args.at(-1) === 'FST_KEEP_LOGIN_LOOP')
  t.equal(told.length, 1, 'the operator is told once')
})

t.test('two guards that send to each other come to an end', async (t) => {
  const app = await buildApp(t)
  app.get('/login', { onRequest: requireSession('visited', { redirectTo: '/home' }) }, async () => 'in')
  app.get('/home', { onRequest: requireSession('user', { redirectTo: '/login' }) }, async () => 'in')
  t.equal((await follow(app, '/home')).statusCode, 401)
  t.equal((await follow(app, '/login')).statusCode, 401)
})

t.test('a page may carry a way back of its own', async (t) => {
  const app = await buildApp(t)
  app.get('/*', { onRequest: requireSession('user', { redirectTo: '/login' }) }, async () => 'in')
  t.equal((await app.inject({ url: '/settings?returnTo=/account', headers: html })).headers.location, '/login?returnTo=%2Fsettings%3FreturnTo%3D%2Faccount')
})
