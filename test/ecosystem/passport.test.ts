// @fastify/passport with a local strategy: it replies inside an async hook
// without returning the reply, and regenerates the session at login and logout.
import passport from '@fastify/passport'
import type { FastifyInstance } from 'fastify'
import { Strategy as LocalStrategy } from 'passport-local'
import t, { type Test } from 'tap'
import { requireSession, type SessionStore } from '../../index.js'
import { Browser, buildApp } from '../fixtures/app.js'
import { everyStore } from '../fixtures/stores.js'

type AuthenticatorOptions = ConstructorParameters<typeof passport.Authenticator>[0]

interface User { name: string }

interface Site {
  readonly app: FastifyInstance
  /** Who can log in, with the password 'right'. */
  readonly users: Map<string, User>
  /** What the log holds from `warn` up. */
  readonly complaints: string[]
  /** How often a handler ran that a login guards. */
  ran: number
}

const post = (name: string, password = 'right') => ({ method: 'POST', payload: { username: name, password } }) as const

/** A site with every kind of login page that passport offers. */
async function openSite (t: Test, store: SessionStore, options: AuthenticatorOptions = {}): Promise<Site> {
  const complaints: string[] = []
  const app = await buildApp(t, { store }, { logger: { level: 'warn', stream: { write: (line: string) => { complaints.push(line) } } } })
  const users = new Map(['ann', 'bob', 'cleo'].map((name) => [name, { name }]))
  const site: Site = { app, users, complaints, ran: 0 }

  const authenticator = new passport.Authenticator(options)
  authenticator.use('local', new LocalStrategy((name, password, done) => {
    const user = users.get(name)
    if (user === undefined || password !== 'right') return done(null, false, { type: 'error', message: 'Wrong name or password' } as { message: string })
    setImmediate(() => done(null, user))
  }))
  authenticator.registerUserSerializer(async (user: User) => user.name)
  authenticator.registerUserDeserializer(async (name: string) => users.get(name) ?? null)
  await app.register(authenticator.initialize())
  await app.register(authenticator.secureSession())

  const guarded = async () => { site.ran++; return 'in' }
  const local = (options: Parameters<typeof authenticator.authenticate>[1]) => ({ preValidation: authenticator.authenticate('local', options as object) })
  app.post('/login', local({}), guarded)
  app.post('/login-redirect', local({ successRedirect: '/me', failureRedirect: '/form', failureFlash: true }), guarded)
  app.post('/login-keep', local({ keepSessionInfo: true, successReturnToOrRedirect: '/me' }), guarded)
  app.post('/login-message', local({ failureMessage: 'Try again' }), guarded)
  app.post('/check', local({ session: false }), guarded)
  app.get('/form', async (_request, reply) => reply.flash('error'))
  app.get('/me', async (request) => ({ name: (request.user as User | undefined)?.name ?? null }))
  app.get('/guarded', { preHandler: requireSession('passport') }, guarded)
  app.get('/put/:key', async ({ session, params }) => session.set((params as { key: string }).key, 1))
  app.get('/return-to/:page', async ({ session, params }) => session.set('returnTo', `/${(params as { page: string }).page}`))
  app.get('/data', async ({ session }) => session.data())
  app.post('/logout', async (request) => { await request.logOut() })
  app.post('/leave', async (request) => { await request.logOut(); request.session.destroy() })
  return site
}

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}`, async (t) => {
    const onSite = (title: string, run: (t: Test, site: Site) => Promise<void>, options: AuthenticatorOptions = {}) => t.test(title, async (t) => {
      const site = await openSite(t, makeStore(), options)
      await run(t, site)
      t.same(site.complaints, [], 'nothing was sent twice, and nothing went wrong')
    })
    await onSite('a user logs in, is known, logs out, and is nobody', async (t, { app }) => {
      const browser = new Browser(app)
      t.equal((await browser.visit('/guarded')).statusCode, 401)
      t.equal((await browser.visit('/login', post('ann'))).body, 'in')
      t.same((await browser.visit('/me')).json(), { name: 'ann' })
      t.equal((await browser.visit('/guarded')).body, 'in')
      const loggedIn = { ...browser.cookies }
      await browser.visit('/logout', { method: 'POST' })
      t.same((await browser.visit('/me')).json(), { name: null })
      t.equal((await browser.visit('/guarded')).statusCode, 401)
      t.same((await app.inject({ url: '/me', cookies: loggedIn })).json(), { name: null }, 'the id of the login is dead')
    })

    await onSite('logOut leaves an empty session behind, and destroy after it leaves nothing', async (t, { app }) => {
      const browser = new Browser(app)
      await browser.visit('/login', post('ann'))
      await browser.visit('/logout', { method: 'POST' })
      t.match(browser.cookies, { sid: String })
      await browser.visit('/login', post('ann'))
      await browser.visit('/leave', { method: 'POST' })
      t.same(browser.cookies, {})
    })

    await onSite('a login that fails is answered with 401 or sent elsewhere, and the handler never runs', async (t, site) => {
      const browser = new Browser(site.app)
      await browser.visit('/put/cart')
      for (const attempt of [post('ann', 'wrong'), post('nobody'), post('')]) {
        for (const url of ['/login', '/check']) t.not((await browser.visit(url, attempt)).statusCode, 200)
        const { statusCode, headers } = await browser.visit('/login-redirect', attempt)
        t.same([statusCode, headers.location], [302, '/form'])
      }
      t.equal(site.ran, 0)
      t.match((await browser.visit('/data')).json(), { cart: 1 }, 'the session is as it was')
      t.same((await browser.visit('/me')).json(), { name: null })
    })

    await onSite('a failure that is noted in the session is stored before the 401 leaves, and the handler never runs', async (t, site) => {
      const browser = new Browser(site.app)
      for (const messages of [['Try again'], ['Try again', 'Try again']]) {
        const { statusCode, body } = await browser.visit('/login-message', post('ann', 'wrong'))
        t.same([statusCode, body], [401, 'Unauthorized'])
        t.same((await browser.visit('/data')).json(), { messages })
      }
      t.equal(site.ran, 0)
    })

    await onSite('a failure is flashed: the form shows it once', async (t, { app }) => {
      const browser = new Browser(app)
      await browser.visit('/login-redirect', post('ann', 'wrong'))
      t.same((await browser.visit('/form')).json(), ['Wrong name or password'])
      t.same((await browser.visit('/form')).json(), [])
    })

    await onSite('a login that redirects stores the user before the redirect leaves, and the handler never runs', async (t, site) => {
      const browser = new Browser(site.app)
      const { statusCode, headers } = await browser.visit('/login-redirect', post('bob'))
      t.same([statusCode, headers.location], [302, '/me'])
      t.same((await browser.visit('/me')).json(), { name: 'bob' })
      t.equal(site.ran, 0)
    })

    await onSite('the id from before the login is dead, and what was planted under it is gone', async (t, { app }) => {
      const attacker = new Browser(app)
      await attacker.visit('/put/planted')
      const victim = new Browser(app)
      Object.assign(victim.cookies, attacker.cookies)
      await victim.visit('/login', post('ann'))
      t.not(victim.cookies['sid'], attacker.cookies['sid'])
      t.same((await victim.visit('/data')).json(), { passport: 'ann' })
      t.same((await attacker.visit('/me')).json(), { name: null })
      t.same((await attacker.visit('/data')).json(), {})
    })

    await onSite('keepSessionInfo takes the values along, and the old id is dead all the same', async (t, { app }) => {
      const browser = new Browser(app)
      for (const key of ['cart', 'data', '__proto__', 'cookie']) await browser.visit(`/put/${key}`)
      await browser.visit('/return-to/cart')
      const before = { ...browser.cookies }
      const { headers } = await browser.visit('/login-keep', post('ann'))
      t.equal(headers.location, '/cart', 'where the user wanted to go')
      t.same(Object.entries((await browser.visit('/data')).json()).sort(), [['__proto__', 1], ['cart', 1], ['cookie', 1], ['data', 1], ['passport', 'ann']])
      t.same((await app.inject({ url: '/data', cookies: before })).json(), {})
      t.equal((await browser.visit('/login-keep', post('bob'))).headers.location, '/me', 'once')
      t.same((await browser.visit('/me')).json(), { name: 'bob' }, 'another user in the same browser')
    })

    await onSite('clearSessionOnLogin: false takes the values through login and logout, under new ids', async (t, { app }) => {
      const browser = new Browser(app)
      const ids: Array<Record<string, string>> = []
      await browser.visit('/put/cart')
      ids.push({ ...browser.cookies })
      await browser.visit('/login', post('ann'))
      ids.push({ ...browser.cookies })
      t.same((await browser.visit('/data')).json(), { cart: 1, passport: 'ann' })
      await browser.visit('/logout', { method: 'POST' })
      t.same((await browser.visit('/data')).json(), { cart: 1 })
      for (const cookies of ids) t.same((await app.inject({ url: '/data', cookies })).json(), {})
    }, { clearSessionOnLogin: false })

    await onSite('clearSessionIgnoreFields takes just these along', async (t, { app }) => {
      const browser = new Browser(app)
      for (const key of ['cart', 'planted']) await browser.visit(`/put/${key}`)
      await browser.visit('/login', post('ann'))
      t.same((await browser.visit('/data')).json(), { cart: 1, passport: 'ann' })
    }, { clearSessionIgnoreFields: ['cart'] })

    await onSite('several users log in at once, and each is known as himself', async (t, { app, users }) => {
      const visitors = Array.from({ length: 12 }, (_, index) => ({ name: [...users.keys()][index % 3] as string, browser: new Browser(app) }))
      await Promise.all(visitors.map(({ browser }) => browser.visit('/put/cart')))
      await Promise.all(visitors.map(({ name, browser }) => browser.visit(name === 'bob' ? '/login-redirect' : '/login', post(name))))
      for (const { name, browser } of visitors) t.same((await browser.visit('/me')).json(), { name })
      t.equal(new Set(visitors.map(({ browser }) => browser.cookies['sid'])).size, visitors.length)
      await Promise.all(visitors.filter(({ name }) => name === 'ann').map(({ browser }) => browser.visit('/leave', { method: 'POST' })))
      for (const { name, browser } of visitors) t.same((await browser.visit('/me')).json(), { name: name === 'ann' ? null : name })
    })

    await onSite('a login sent twice at once leaves the browser logged in, whichever answer comes last', async (t, { app }) => {
      for (const last of [0, 1]) {
        const browser = new Browser(app)
        await browser.visit('/put/cart')
        const responses = await Promise.all([0, 1].map(() => app.inject({ url: '/login', cookies: browser.cookies, ...post('ann') })))
        for (const response of last === 1 ? responses : responses.reverse()) browser.receive(response)
        t.same((await browser.visit('/me')).json(), { name: 'ann' })
      }
    })

    await onSite('a user who no longer exists is nobody at the next request', async (t, { app, users }) => {
      const browser = new Browser(app)
      await browser.visit('/login', post('ann'))
      const before = { ...browser.cookies }
      users.delete('ann')
      t.same((await browser.visit('/me')).json(), { name: null })
      t.equal((await browser.visit('/guarded')).statusCode, 401)
      users.set('ann', { name: 'ann' })
      t.same((await app.inject({ url: '/me', cookies: before })).json(), { name: null })
    })
  })
}
