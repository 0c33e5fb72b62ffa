// Requests with the cookie of a session that has changed its token, or has ended, since they set out.
import t, { type Test } from 'tap'
import type { Session, SessionOptions } from '../index.js'
import { Browser, buildApp, setCookies } from './fixtures/app.js'
import { FakeClock, MINUTE } from './fixtures/clock.js'
import { withPostgres } from './fixtures/with-postgres.js'

const steps: Record<string, (session: Session) => unknown> = {
  read: (session) => session.data(),
  set: (session) => session.set('late', 1),
  remove: (session) => session.remove('user'),
  clear: (session) => session.clear(),
  rotate: (session) => session.rotate(),
  options: (session) => session.options({ sameSite: 'strict' }),
  lifetime: (session) => session.lifetime({ persistent: true }),
  touch: (session) => session.touch(),
  save: (session) => { session.set('late', 1); return session.save() },
  take: (session) => session.take('user'),
  destroy: (session) => session.destroy(),
  regenerate: (session) => { session.regenerate(); session.set('user', 2) },
  update: (session) => session.update('late', () => 1),
  reauthenticated: (session) => session.reauthenticated()
}

const quiet = ['read', 'set', 'remove', 'clear', 'rotate', 'options', 'lifetime', 'touch', 'save', 'take'] as const

async function start (t: Test, options: SessionOptions) {
  const app = await buildApp(t, options)
  app.get('/:step', async ({ session, params }) => {
    await steps[(params as { step: string }).step]?.(session)
    return { user: session.get('user') ?? null, isEnded: session.isEnded }
  })
  const browser = new Browser(app)
  Object.assign(browser.cookies, (await app.sessions.issue({ user: 1 })).cookies)
  const old = { ...browser.cookies }
  const late = (step: string) => app.inject({ url: `/${step}`, cookies: old })
  return { app, browser, late }
}

const stores = await withPostgres()

for (const { kind, makeStore } of stores) {
  t.test(`on ${kind}`, async (t) => {
    for (const ending of ['destroy', 'regenerate', 'reauthenticated'] as const) {
      await t.test(`requests that come late after ${ending} read nothing, store nothing and send no cookie`, async (t) => {
        const clock = new FakeClock()
        const { app, browser, late } = await start(t, { store: makeStore(clock), clock })
        await browser.visit(`/${ending}`)
        for (const step of quiet) {
          const response = await late(step)
          t.same([response.statusCode, setCookies(response), response.json().user], [200, [], null], step)
          t.equal(response.json().isEnded, true, step)
        }
        for (const step of ['update', 'reauthenticated']) {
          const response = await late(step)
          t.same([response.statusCode, response.json().code, setCookies(response)], [401, 'FST_KEEP_SESSION_ENDED', []], step)
        }
        const created = app.sessions.stats().created
        if (ending !== 'destroy') t.equal((await browser.visit('/read')).json().user, ending === 'regenerate' ? 2 : 1, 'who has the new cookie notices nothing')
        const login = await late('regenerate')
        t.same([login.statusCode, setCookies(login).length], [200, 1], 'a login is a new session')
        t.equal(app.sessions.stats().created, created + 1)
      })
    }

    await t.test('a logout that comes late after a step-up ends the session, and one after a logout or a login sends no cookie', async (t) => {
      for (const ending of ['reauthenticated', 'rotate', 'destroy', 'regenerate'] as const) {
        const clock = new FakeClock()
        const { app, browser, late } = await start(t, { store: makeStore(clock), clock })
        await browser.visit(`/${ending}`)
        const { destroyed } = app.sessions.stats()
        const response = await late('destroy')
        const ends = ending === 'reauthenticated' || ending === 'rotate'
        t.equal(setCookies(response).length, ends ? 1 : 0, ending)
        t.equal(app.sessions.stats().destroyed, destroyed + (ends ? 1 : 0), ending)
        if (ending !== 'destroy') t.equal((await browser.visit('/read')).json().user, ends ? null : 2, ending)
      }
    })

    await t.test('the old cookie of a rotated session opens it and never gets a Set-Cookie', async (t) => {
      for (const secret of [undefined, 'a secret of at least 32 bytes, really']) {
        const clock = new FakeClock()
        const { browser, late } = await start(t, { store: makeStore(clock), clock, ...(secret !== undefined && { secret }) })
        await browser.visit('/lifetime')
        await browser.visit('/rotate')
        for (const step of ['read', 'set', 'rotate', 'options', 'lifetime', 'touch', 'save', 'update', 'remove']) {
          const response = await late(step)
          t.same([response.statusCode, setCookies(response)], [200, []], step)
        }
        clock.advance(9 * MINUTE)
        const response = await late('read')
        t.same([response.statusCode, setCookies(response)], [200, []], 'a renewal')
        clock.advance(MINUTE)
        t.equal((await late('read')).json().user, null, 'ten minutes later it opens nothing')
        t.same(setCookies(await late('set')), [])
      }
    })
  })
}
