// One save and one cookie per response, whatever the handler does, and the
// headers never leave before the store has confirmed.
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import Fastify, { type FastifyInstance, type preValidationAsyncHookHandler, type RouteHandlerMethod } from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import session from '../index.js'
import { Browser, buildApp, gate, setCookies } from './fixtures/app.js'
import { runApp } from './fixtures/process.js'
import { everyStore, memoryStore, recorded, slowStore, wrapped } from './fixtures/stores.js'

interface Style {
  readonly handler: RouteHandlerMethod
  readonly status: number
  readonly body: RegExp
}

const change = (request: { session: { set (key: string, value: unknown): void } }) => request.session.set('a', 1)

const styles: Record<string, Style> = {
  'returns a value': { handler: async (request) => { change(request); return 'done' }, status: 200, body: /^done$/ },
  'returns the reply': { handler: async (request, reply) => { change(request); return reply.send('done') }, status: 200, body: /^done$/ },
  'sends without return': { handler: (request, reply) => { change(request); reply.send('done') }, status: 200, body: /^done$/ },
  'is async and sends without return': { handler: async (request, reply) => { change(request); reply.send('done') }, status: 200, body: /^done$/ },
  'sends later': { handler: (request, reply) => { setImmediate(() => { change(request); reply.send('done') }) }, status: 200, body: /^done$/ },
  'returns nothing': { handler: async (request) => { change(request) }, status: 200, body: /^$/ },
  redirects: { handler: (request, reply) => { change(request); reply.redirect('/data') }, status: 302, body: /^$/ },
  'is async and redirects without return': { handler: async (request, reply) => { change(request); reply.redirect('/data') }, status: 302, body: /^$/ },
  'sends a stream': { handler: async (request, reply) => { change(request); return reply.send(Readable.from(['do', 'ne'])) }, status: 200, body: /^done$/ },
  'sends a Response': { handler: async (request) => { change(request); return new Response('done', { status: 201 }) }, status: 201, body: /^done$/ },
  throws: { handler: async (request) => { change(request); throw Object.assign(new Error('teapot'), { statusCode: 418 }) }, status: 418, body: /teapot/ },
  'throws at once': { handler: (request) => { change(request); throw new Error('broken') }, status: 500, body: /broken/ },
  'answers 204': { handler: async (request, reply) => { change(request); reply.code(204) }, status: 204, body: /^$/ },
  'answers 304': { handler: async (request, reply) => { change(request); return reply.code(304).send() }, status: 304, body: /^$/ },
  'calls the not-found handler': { handler: (request, reply) => { change(request); reply.callNotFound() }, status: 404, body: /Not Found/ },
  'saves by hand too': { handler: async (request) => { change(request); await request.session.save(); return 'done' }, status: 200, body: /^done$/ }
}

async function start (t: Test, store = memoryStore() as Parameters<typeof recorded>[0], options = {}) {
  const watched = recorded(store)
  const app = await buildApp(t, { store: watched.store, ...options })
  app.get('/data', async (request) => request.session.data())
  return { app, calls: watched.calls }
}

for (const { kind, makeStore } of everyStore) {
  for (const [title, { handler, status, body }] of Object.entries(styles)) {
    for (const errorHandler of ['the default error handler', 'an error handler that replies', 'an async error handler']) {
      t.test(`on ${kind}, a handler that ${title} is answered and saved once, with ${errorHandler}`, async (t) => {
        const { app, calls } = await start(t, makeStore())
        if (errorHandler === 'an error handler that replies') app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => { request.session.get('a'); reply.code(error.statusCode ?? 500).send(error.message) })
        if (errorHandler === 'an async error handler') app.setErrorHandler(async (error: Error & { statusCode?: number }, _request, reply) => { reply.code(error.statusCode ?? 500); return error.message })
        app.get('/act', handler)
        const browser = new Browser(app)
        const response = await browser.visit('/act')
        t.equal(response.statusCode, status)
        t.match(response.body, body)
        t.equal(setCookies(response).length, 1)
        t.same(calls, ['create'])
        t.same((await browser.visit('/data')).json(), { a: 1 })
      })
    }
  }

  t.test(`on ${kind}, what a hook of the app stores is saved with the rest`, async (t) => {
    const { app, calls } = await start(t, makeStore())
    for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization'] as const) {
      app.addHook(hook, async (request: { session: { set (key: string, value: unknown): void } }) => { request.session.set(hook, 1) })
    }
    app.post('/act', async () => ({ ok: true }))
    const browser = new Browser(app)
    await browser.visit('/act', { method: 'POST', payload: { x: 1 } })
    t.same(calls, ['create'])
    t.match((await browser.visit('/data')).json(), { onRequest: 1, preParsing: 1, preValidation: 1, preHandler: 1, preSerialization: 1 })
  })

  t.test(`on ${kind}, a hook that replies without returning keeps the handler from running`, async (t) => {
    const { app } = await start(t, makeStore())
    let ran = 0
    const denials: Record<string, preValidationAsyncHookHandler> = {
      '/send': async (request, reply) => { change(request); reply.code(401).send('no') },
      '/redirect': async (request, reply) => { change(request); reply.redirect('/login') }
    }
    for (const [url, preValidation] of Object.entries(denials)) app.get(url, { preValidation }, async () => { ran++; return 'private' })
    for (const url of Object.keys(denials)) t.not((await app.inject(url)).statusCode, 200)
    t.equal(ran, 0)
  })

  t.test(`on ${kind}, another plugin whose onSend fails or rewrites meets a session that is saved once`, async (t) => {
    const { app, calls } = await start(t, makeStore())
    let fail = true
    app.addHook('onSend', async () => { if (fail) { fail = false; throw new Error('in onSend') } })
    app.get('/act', async (request) => { change(request); return 'done' })
    const browser = new Browser(app)
    const response = await browser.visit('/act')
    t.equal(response.statusCode, 500)
    t.equal(setCookies(response).length, 1)
    t.same(calls, ['create'])
    t.same((await browser.visit('/data')).json(), { a: 1 })
  })

  t.test(`on ${kind}, saveOn 'success' drops what a 5xx changed, but never a logout`, async (t) => {
    const { app } = await start(t, makeStore(), { saveOn: 'success' })
    app.get('/act/:status', async (request, reply) => { request.session.set('status', (request.params as { status: string }).status); return reply.code(Number((request.params as { status: string }).status)).send('x') })
    app.get('/throw', async (request) => { request.session.set('status', 'thrown'); throw new Error('broken') })
    app.get('/logout', async (request) => { request.session.destroy(); throw new Error('broken') })
    const fresh = new Browser(app)
    t.same(setCookies(await fresh.visit('/throw')), [])
    const browser = new Browser(app)
    for (const [url, left] of [['/act/200', '200'], ['/act/302', '302'], ['/act/422', '422'], ['/act/500', '422'], ['/act/503', '422'], ['/throw', '422']] as const) {
      await browser.visit(url)
      t.same((await browser.visit('/data')).json(), { status: left }, url)
    }
    t.equal((await browser.visit('/logout')).statusCode, 500)
    t.same(browser.cookies, {})
  })
}

t.test('a 404 has a session, and a route of an error handler too', async (t) => {
  const { app } = await start(t)
  app.setNotFoundHandler(async (request) => { request.session.update('misses', (n) => ((n as number | undefined) ?? 0) + 1); return 'nowhere' })
  const browser = new Browser(app)
  await browser.visit('/a')
  await browser.visit('/b')
  t.same((await browser.visit('/data')).json(), { misses: 2 })
})

t.test('a body that cannot be parsed is a 400 without a cookie', async (t) => {
  const { app, calls } = await start(t)
  app.post('/act', async (request) => change(request))
  const response = await app.inject({ method: 'POST', url: '/act', headers: { 'content-type': 'application/json' }, payload: '{' })
  t.equal(response.statusCode, 400)
  t.same(setCookies(response), [])
  t.same(calls, [])
})

t.test('HEAD of a route that stores something keeps it', async (t) => {
  const { app } = await start(t)
  app.get('/act', async (request) => { change(request); return 'done' })
  const browser = new Browser(app)
  const response = await browser.visit('/act', { method: 'HEAD' })
  t.equal(setCookies(response).length, 1)
  t.equal(response.body, '')
})

t.test('a route that opted out never reaches the store, and using the session there says why', async (t) => {
  const { app, calls } = await start(t)
  const { cookies } = await app.sessions.issue({ user: 1 })
  calls.length = 0
  app.get('/health', { config: { session: false } }, async () => 'ok')
  const uses = ['get', 'set', 'has', 'delete', 'keys']
  for (const use of uses) {
    app.get(`/${use}`, { config: { session: false } }, async ({ session }) => {
      if (use === 'get') return session.get('user')
      if (use === 'set') session['user'] = 2
      if (use === 'has') return 'user' in session
      if (use === 'delete') delete session['user']
      return Object.keys(session)
    })
  }
  for (const use of uses) {
    t.match((await app.inject({ url: `/${use}`, cookies })).json(), { statusCode: 500, code: 'FST_KEEP_NOT_COVERED', message: /request\.session.*opted out/ })
  }
  const response = await app.inject({ url: '/health', cookies })
  t.same([response.body, setCookies(response), response.headers.vary], ['ok', [], undefined])
  t.same(calls, [])
})

t.test('a request without a cookie calls the store only when something is stored', async (t) => {
  const { app, calls } = await start(t)
  for (let i = 0; i < 10; i++) await app.inject('/data')
  t.same(calls, [])
})

t.test('an app that replaces request.session loses nothing that was stored before', async (t) => {
  const { app } = await start(t)
  app.get('/act', async (request) => { change(request); (request as { session: unknown }).session = null })
  const browser = new Browser(app)
  await browser.visit('/act')
  t.same((await browser.visit('/data')).json(), { a: 1 })
})

t.test('the session is a property of the request itself', async (t) => {
  const { app } = await start(t)
  app.get('/own', async (request) => ({ own: Object.hasOwn(request, 'session'), spread: 'session' in { ...request } }))
  t.same((await app.inject('/own')).json(), { own: true, spread: true })
})

t.test('over a real socket', async (t) => {
  async function listen (app: FastifyInstance): Promise<(path: string, cookie?: string) => Promise<IncomingMessage & { body: string }>> {
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    return async (path, cookie = '') => {
      const outgoing = httpRequest({ port, path, host: '127.0.0.1', headers: { cookie } }).end()
      const [incoming] = await once(outgoing, 'response') as [IncomingMessage]
      return Object.assign(incoming, { body: await text(incoming) })
    }
  }
  const cookieOf = (response: IncomingMessage) => String(response.headers['set-cookie']).split(';')[0] as string

  await t.test('no header leaves before the store has confirmed', async (t) => {
    const confirm = gate()
    let asked = gate()
    const { app } = await start(t, wrapped(memoryStore(), async (name) => { if (name === 'create') { asked.open(); await confirm.passed } }))
    app.get('/act', async (request) => { change(request); return 'done' })
    const get = await listen(app)
    let arrived = false
    const response = get('/act').finally(() => { arrived = true })
    await asked.passed
    asked = gate()
    t.equal((await get('/data')).body, '{}', 'another request goes on meanwhile')
    t.equal(arrived, false)
    confirm.open()
    t.equal((await get('/data', cookieOf(await response))).body, '{"a":1}')
  })

  await t.test('a hijacked reply saves by hand and carries the cookie', async (t) => {
    for (const store of [memoryStore(), slowStore()]) {
      const { app, calls } = await start(t, store)
      app.get('/act', async (request, reply) => {
        reply.hijack()
        change(request)
        t.equal(await request.session.save(), true)
        reply.raw.writeHead(200, reply.getHeaders() as never).end('raw')
      })
      app.get('/plain', async (request, reply) => {
        reply.hijack()
        change(request)
        await request.session.save()
        reply.raw.end('raw')
      })
      const get = await listen(app)
      for (const path of ['/act', '/plain']) {
        calls.length = 0
        const response = await get(path)
        t.equal(response.body, 'raw')
        t.equal(response.headers['set-cookie']?.length, 1)
        t.same(calls, ['create'])
        t.equal((await get('/data', cookieOf(response))).body, '{"a":1}')
      }
    }
  })

  await t.test('after the headers have been sent an old session can be saved, and a new one says that it cannot', async (t) => {
    const { app, calls } = await start(t)
    const outcomes: unknown[] = []
    app.get('/act', async (request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200)
      change(request)
      outcomes.push(await request.session.save().catch((error) => error.code))
      reply.raw.end()
    })
    const get = await listen(app)
    const { headers } = await app.sessions.issue({ user: 1 })
    calls.length = 0
    await get('/act')
    t.same(calls, [])
    await get('/act', headers.cookie)
    t.same(outcomes, ['FST_KEEP_COOKIE_NOT_DELIVERABLE', true])
    t.equal((await get('/data', headers.cookie)).body, '{"user":1,"a":1}')
  })

  await t.test('a client that hangs up does not stop the save', async (t) => {
    const handling = gate()
    const goOn = gate()
    const saved = gate()
    const { app } = await start(t, wrapped(memoryStore(), (name) => { if (name === 'update') setImmediate(saved.open) }))
    app.get('/act', async (request) => { handling.open(); await goOn.passed; change(request); return 'done' })
    await listen(app)
    const { headers } = await app.sessions.issue({ user: 1 })
    const { port } = app.server.address() as AddressInfo
    const outgoing = httpRequest({ port, path: '/act', host: '127.0.0.1', headers }).end()
    outgoing.on('error', () => {})
    await handling.passed
    outgoing.destroy()
    goOn.open()
    await saved.passed
    t.same((await app.sessions.load(headers.cookie)).data(), { user: 1, a: 1 })
  })
})

t.test('changes that a hijacked or raw reply never saved are warned about', async (t) => {
  const { stdout, stderr } = await runApp(`
    const lines = []
    const app = Fastify({ logger: { level: 'warn', stream: { write: (line) => lines.push(JSON.parse(line).msg) } } })
    app.register(session)
    app.get('/set', async (request, reply) => { reply.hijack(); request.session.set('a', 1); reply.raw.end('x') })
    app.get('/raw', (request, reply) => { request.session.set('a', 1); reply.raw.end('x') })
    app.get('/nested', async (request, reply) => { reply.hijack(); request.session.get('user').name = 'x'; reply.raw.end('x') })
    app.get('/unstorable', async (request, reply) => { reply.hijack(); request.session.get('user').name = () => {}; reply.raw.end('x') })
    app.get('/saved', async (request, reply) => { reply.hijack(); request.session.set('a', 1); await request.session.save(); reply.raw.end('x') })
    app.get('/read', async (request, reply) => { reply.hijack(); request.session.get('user'); reply.raw.end('x') })
    app.get('/came-to-nothing', async (request, reply) => { reply.hijack(); request.session.destroy(); reply.raw.end('x') })
    app.get('/usual', async (request) => { request.session.set('a', 2) })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { headers } = await app.sessions.issue({ user: { name: 'y' } })
    const before = () => lines.length
    for (const path of ['/set', '/raw', '/nested', '/unstorable', '/saved', '/read', '/usual', '/came-to-nothing']) {
      const count = before()
      const options = path === '/came-to-nothing' ? {} : { headers }
      await (await fetch('http://127.0.0.1:' + app.server.address().port + path, options)).text()
      await new Promise((resolve) => setImmediate(resolve))
      console.log(path, lines.slice(count).filter((line) => /without saving the session|too late/.test(line)).length)
    }
    await app.close()
  `)
  t.same(stdout.trim().split('\n'), ['/set 1', '/raw 1', '/nested 1', '/unstorable 1', '/saved 0', '/read 0', '/usual 0', '/came-to-nothing 0'])
  t.equal(stderr.match(/FST_KEEP_UNSAVED_SESSION/g)?.length, 1, 'and once where there is no logger')
  t.equal(stderr.match(/FST_KEEP_LATE_CHANGE/g)?.length, 1)
})

t.test('the plugin covers the scope that registers it, and leaves others alone', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(async (scope) => {
    await scope.register(session)
    scope.get('/in', async (request) => ({ has: request.session !== null }))
  })
  await app.register(fp(async () => {}))
  app.get('/out', async (request) => ({ has: (request as { session?: unknown }).session !== undefined }))
  t.same((await app.inject('/in')).json(), { has: true })
  t.same((await app.inject('/out')).json(), { has: false })
})
