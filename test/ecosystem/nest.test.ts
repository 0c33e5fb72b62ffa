// NestJS on Fastify: `@Session()` is our session. Decorators are applied as the
// functions they are, for parameters have none in standard JavaScript.
import type { CanActivate, ExecutionContext } from '@nestjs/common'
import type { FastifyAdapter as Adapter, NestFastifyApplication } from '@nestjs/platform-fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import keep, { requireSession, type Session, type SessionStore } from '../../index.js'
import { Browser, setCookies } from '../fixtures/app.js'
import { common, FastifyAdapter, NestFactory } from '../fixtures/nest.js'
import { everyStore, recorded } from '../fixtures/stores.js'

const { Body, Controller, Get, HttpCode, Injectable, Module, Param, Post, Res, UseGuards } = common

class LoginGuard implements CanActivate {
  canActivate (context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<FastifyRequest>().session.has('user')
  }
}

class AccountController {
  login (session: Session, body: { user: string }): object {
    session.regenerate()
    session.set('user', body.user)
    return { ok: true }
  }

  put (session: Session, key: string): void { session[key] = 1 }
  me (session: Session): object { return session.data() }
  raw (session: Session): object { return session }
  private (): string { return 'private' }
  redirect (session: Session, reply: FastifyReply): void { session.set('redirected', true); reply.redirect('/account/me') }
  fail (session: Session): void { session.set('failed', true); throw new Error('broken') }
  logout (session: Session): void { session.destroy() }
}

class AppModule {}

type Method = keyof AccountController

/** What `@route(...) method (@parameter() ...)` stands for. */
function route (name: Method, decorators: readonly MethodDecorator[], parameters: readonly ParameterDecorator[]): void {
  const { prototype } = AccountController
  parameters.forEach((decorate, index) => decorate(prototype, name, index))
  Reflect.decorate([...decorators], prototype, name, Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor)
}

Reflect.decorate([Injectable()], LoginGuard)
route('login', [Post('login'), HttpCode(200)], [common.Session(), Body()])
route('put', [Get('put/:key')], [common.Session(), Param('key')])
route('me', [Get('me')], [common.Session()])
route('raw', [Get('raw')], [common.Session()])
route('private', [Get('private'), UseGuards(LoginGuard)], [])
route('redirect', [Get('redirect')], [common.Session(), Res()])
route('fail', [Get('fail')], [common.Session()])
route('logout', [Post('logout')], [common.Session()])
Reflect.decorate([Controller('account')], AccountController)
Reflect.decorate([Module({ controllers: [AccountController], providers: [LoginGuard] })], AppModule)

const registrations: Record<string, (app: NestFastifyApplication, adapter: Adapter, store: SessionStore) => Promise<unknown>> = {
  'app.register': async (app, _adapter, store) => app.register(keep, { store }),
  'adapter.register': async (_app, adapter, store) => adapter.register(keep as never, { store })
}

async function startNest (t: Test, store: SessionStore, register = registrations['app.register']): Promise<{ nest: NestFastifyApplication, fastify: FastifyInstance, browser: Browser }> {
  const adapter = new FastifyAdapter()
  const nest = await NestFactory.create<NestFastifyApplication>(AppModule, adapter, { logger: false })
  t.teardown(() => nest.close())
  await register?.(nest, adapter, store)
  await nest.init()
  const fastify = nest.getHttpAdapter().getInstance() as unknown as FastifyInstance
  await fastify.ready()
  return { nest, fastify, browser: new Browser(fastify) }
}

for (const { kind, makeStore } of everyStore) {
  for (const [how, register] of Object.entries(registrations)) {
    t.test(`on ${kind}, registered by ${how}`, async (t) => {
      await t.test('a user logs in, is known to guards and handlers, and logs out', async (t) => {
        const { browser } = await startNest(t, makeStore(), register)
        t.equal((await browser.visit('/account/private')).statusCode, 403)
        t.equal((await browser.visit('/account/login', { method: 'POST', payload: { user: 'ann' } })).statusCode, 200)
        t.same((await browser.visit('/account/me')).json(), { user: 'ann' })
        t.same((await browser.visit('/account/raw')).json(), { user: 'ann' }, 'a session is sent as its values')
        t.equal((await browser.visit('/account/private')).body, 'private')
        const before = { ...browser.cookies }
        await browser.visit('/account/logout', { method: 'POST' })
        t.same(browser.cookies, {})
        Object.assign(browser.cookies, before)
        t.equal((await browser.visit('/account/private')).statusCode, 403)
      })
    })
  }

  t.test(`on ${kind}`, async (t) => {
    await t.test('nothing is stored until a handler stores something, and the login replaces the id', async (t) => {
      const { store, calls } = recorded(makeStore())
      const { browser } = await startNest(t, store)
      t.same(setCookies(await browser.visit('/account/me')), [])
      t.same(calls, [])
      await browser.visit('/account/put/planted')
      const before = browser.cookies['sid']
      await browser.visit('/account/login', { method: 'POST', payload: { user: 'ann' } })
      t.not(browser.cookies['sid'], before)
      t.same((await browser.visit('/account/me')).json(), { user: 'ann' })
    })

    await t.test('a reply that a handler sends itself, and an exception, are saved once', async (t) => {
      const { store, calls } = recorded(makeStore())
      const { browser } = await startNest(t, store)
      t.equal((await browser.visit('/account/redirect')).headers.location, '/account/me')
      t.equal((await browser.visit('/account/fail')).statusCode, 500)
      t.same(calls, ['create', 'read', 'update'])
      t.same((await browser.visit('/account/me')).json(), { redirected: true, failed: true })
    })

    await t.test('requests at the same time lose nothing', async (t) => {
      const { browser } = await startNest(t, makeStore())
      await browser.visit('/account/put/a')
      await Promise.all(['b', 'c', 'd'].map((key) => browser.visit(`/account/put/${key}`)))
      t.same((await browser.visit('/account/me')).json(), { a: 1, b: 1, c: 1, d: 1 })
    })

    await t.test('requireSession is a wall as in any app, and sessions can be issued', async (t) => {
      const { browser, fastify } = await startNest(t, makeStore(), async (app, _adapter, store) => {
        await app.register(keep, { store })
        app.getHttpAdapter().getInstance().addHook('onRequest', requireSession('user') as never)
      })
      t.equal((await browser.visit('/account/me')).statusCode, 401)
      Object.assign(browser.cookies, (await fastify.sessions.issue({ user: 'ann' })).cookies)
      t.same((await browser.visit('/account/me')).json(), { user: 'ann' })
    })
  })
}
