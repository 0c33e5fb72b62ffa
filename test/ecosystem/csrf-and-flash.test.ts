// @fastify/csrf-protection keeps its secret in the session, @fastify/flash its messages.
import csrf, { type FastifyCsrfProtectionOptions } from '@fastify/csrf-protection'
import flash from '@fastify/flash'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { SessionStore } from '../../index.js'
import { Browser, buildApp, setCookies } from '../fixtures/app.js'
import { everyStore, memoryStore, recorded } from '../fixtures/stores.js'

async function withCsrf (t: Test, store: SessionStore, options: FastifyCsrfProtectionOptions): Promise<FastifyInstance> {
  const app = await buildApp(t, { store })
  await app.register(csrf, options)
  app.get('/token', async (_request, reply) => ({ token: reply.generateCsrf() }))
  app.post('/pay', { onRequest: app.csrfProtection }, async () => 'paid')
  app.post('/form', { preHandler: app.csrfProtection }, async () => 'sent')
  app.post('/login', async ({ session }) => session.regenerate())
  app.post('/login-keep', async ({ session }) => session.regenerate(['_csrf']))
  app.post('/logout', async ({ session }) => session.destroy())
  return app
}

const tokenOf = async (browser: Browser): Promise<string> => (await browser.visit('/token')).json().token

const pay = async (browser: Browser, token?: string): Promise<number> => {
  const headers = token === undefined ? {} : { 'csrf-token': token }
  return (await browser.visit('/pay', { method: 'POST', headers })).statusCode
}

for (const { kind, makeStore } of everyStore) {
  for (const sessionPlugin of ['@fastify/session', '@fastify/secure-session'] as const) {
    t.test(`on ${kind}, csrf-protection as for ${sessionPlugin}`, async (t) => {
      await t.test('lets a request through that brings the token, in a header or a form', async (t) => {
        const browser = new Browser(await withCsrf(t, makeStore(), { sessionPlugin }))
        const token = await tokenOf(browser)
        t.equal(await pay(browser, token), 200)
        t.equal(await pay(browser, await tokenOf(browser)), 200, 'another token of the same secret')
        t.equal(await pay(browser, token), 200, 'which leaves the first one good')
        t.equal((await browser.visit('/form', { method: 'POST', payload: { _csrf: token } })).body, 'sent')
      })

      await t.test('refuses a request without the token, with a forged one, or with that of another visitor', async (t) => {
        const app = await withCsrf(t, makeStore(), { sessionPlugin })
        const stranger = new Browser(app)
        t.match((await stranger.visit('/pay', { method: 'POST' })).json(), { statusCode: 403, code: 'FST_CSRF_MISSING_SECRET' })
        t.same(stranger.cookies, {}, 'and begins no session for it')
        const [browser, other] = [new Browser(app), new Browser(app)]
        const [token, theirs] = [await tokenOf(browser), await tokenOf(other)]
        t.match((await browser.visit('/pay', { method: 'POST' })).json(), { statusCode: 403, code: 'FST_CSRF_INVALID_TOKEN' })
        for (const forged of [theirs, `${token}x`, token.slice(1), 'nonsense']) t.equal(await pay(browser, forged), 403)
        t.equal(await pay(browser, token), 200)
      })

      await t.test('begins a session with the first token, and stores nothing for the next', async (t) => {
        const { store, calls } = recorded(makeStore())
        const browser = new Browser(await withCsrf(t, store, { sessionPlugin }))
        await tokenOf(browser)
        t.same(calls, ['create'])
        const token = await tokenOf(browser)
        await pay(browser, token)
        t.same(calls, ['create', 'read', 'read'])
      })

      await t.test('has a token die with the login and the logout, unless regenerate keeps the secret', async (t) => {
        const browser = new Browser(await withCsrf(t, makeStore(), { sessionPlugin }))
        const token = await tokenOf(browser)
        await browser.visit('/login-keep', { method: 'POST' })
        t.equal(await pay(browser, token), 200)
        await browser.visit('/login', { method: 'POST' })
        t.equal(await pay(browser, token), 403)
        const next = await tokenOf(browser)
        t.equal(await pay(browser, next), 200)
        await browser.visit('/logout', { method: 'POST' })
        t.equal(await pay(browser, next), 403)
      })

      await t.test('keeps the secret under the key it is told', async (t) => {
        const app = await withCsrf(t, makeStore(), { sessionPlugin, sessionKey: 'forms' })
        app.get('/keys', async ({ session }) => Object.keys(session.data()))
        const browser = new Browser(app)
        t.equal(await pay(browser, await tokenOf(browser)), 200)
        t.same((await browser.visit('/keys')).json(), ['forms'])
      })

      await t.test('binds a token to a user', async (t) => {
        const app = await withCsrf(t, makeStore(), {
          sessionPlugin,
          getUserInfo: ({ session }) => String(session.get('user')),
          csrfOpts: { hmacKey: 'a key that only the server knows' }
        })
        app.get('/token/:user', async ({ session, params }, reply) => {
          const { user } = params as { user: string }
          session.set('user', user)
          return { token: reply.generateCsrf({ userInfo: user }) }
        })
        const browser = new Browser(app)
        const { token } = (await browser.visit('/token/ann')).json()
        t.equal(await pay(browser, token), 200)
        const { token: next } = (await browser.visit('/token/bob')).json()
        t.equal(await pay(browser, token), 403, 'the secret is the same, the user is another')
        t.equal(await pay(browser, next), 200)
      })
    })
  }

  t.test(`on ${kind}, flash shows`, async (t) => {
    async function withFlash (t: Test): Promise<Browser> {
      const app = await buildApp(t, { store: makeStore() })
      await app.register(flash)
      app.post('/save', async (request, reply) => {
        request.flash('info', 'Saved %s of %s', 'one', '2')
        request.flash('info', ['Really', 'really'])
        request.flash('warning', 'Almost full')
        return reply.redirect('/', 303)
      })
      app.get('/', async (_request, reply) => reply.flash())
      app.get('/info', async (_request, reply) => reply.flash('info'))
      app.get('/once', async (request, reply) => request.session.has('flash') ? reply.flash() : {})
      return new Browser(app)
    }

    await t.test('what was said before a redirect, all of it, once', async (t) => {
      const browser = await withFlash(t)
      const { statusCode, headers } = await browser.visit('/save', { method: 'POST' })
      t.same([statusCode, headers.location], [303, '/'])
      t.same((await browser.visit('/')).json(), { info: ['Saved one of 2', 'Really', 'really'], warning: ['Almost full'] })
      t.same((await browser.visit('/')).json(), {})
    })

    await t.test('one kind, and leaves the others for later', async (t) => {
      const browser = await withFlash(t)
      await browser.visit('/save', { method: 'POST' })
      t.same((await browser.visit('/info')).json(), ['Saved one of 2', 'Really', 'really'])
      t.same((await browser.visit('/info')).json(), [])
      t.same((await browser.visit('/')).json(), { warning: ['Almost full'] })
    })

    await t.test('a visitor nothing, and begins a session for it unless it is asked first whether there is something', async (t) => {
      const browser = await withFlash(t)
      t.same(setCookies(await browser.visit('/once')), [])
      t.equal(setCookies(await browser.visit('/')).length, 1)
    })
  })
}

t.test('as for @fastify/secure-session, the options of a token are those of the session cookie', async (t) => {
  const app = await withCsrf(t, memoryStore(), { sessionPlugin: '@fastify/secure-session' })
  app.get('/options', async (_request, reply) => reply.generateCsrf({ sameSite: 'strict' }))
  t.match(setCookies(await app.inject('/options')), [/SameSite=Strict/])
})
