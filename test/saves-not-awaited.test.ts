// What a request asks of its session while a save of its own is under way, and another request ends the session.
import type { FastifyInstance, FastifyReply } from 'fastify'
import t, { type Test } from 'tap'
import type { Session, SessionStore } from '../index.js'
import { Browser, buildApp, setCookies } from './fixtures/app.js'
import { FakeClock, HOUR } from './fixtures/clock.js'
import { wrapped, type StoreFunction } from './fixtures/stores.js'
import { withPostgres } from './fixtures/with-postgres.js'

type Act = (session: Session, reply: FastifyReply) => unknown

/** An app whose handler does what the test says, and a second one on the same store. */
async function open (t: Test, store: SessionStore, clock?: FakeClock) {
  const acting: { act: Act } = { act: () => {} }
  const apps = await Promise.all([0, 1].map(async () => {
    const app = await buildApp(t, { store, ...(clock && { clock }) })
    app.get('/', async ({ session }, reply) => ({ answer: await acting.act(session, reply) ?? null }))
    app.get('/end', async ({ session }) => { session.destroy() })
    return app
  })) as [FastifyInstance, FastifyInstance]
  const visit = async (browser: Browser, act: Act) => {
    acting.act = act
    return browser.visit('/')
  }
  return { app: apps[0], visit, end: (cookies: Record<string, string>) => apps[1].inject({ url: '/end', cookies }) }
}

const changes: Record<string, Act> = {
  // a value of its own each time: what is stored already is not sent again
  set: (session) => session.set('b', performance.now()),
  rotate: (session) => session.rotate(),
  reauthenticated: (session) => session.reauthenticated(),
  regenerate: (session) => session.regenerate('all'),
  'regenerate, then set': (session) => { session.regenerate(); session.set('b', 1) },
  destroy: (session) => session.destroy()
}

/** What the line gives the cookie; nothing for an expiry, and without a line. */
function valueOf (line: unknown): string {
  return /^sid=([^;]*)/.exec(String(line))?.[1] ?? ''
}

const stores = await withPostgres()

for (const { kind, makeStore } of stores) {
  t.test(`on ${kind}`, async (t) => {
    const { app, visit, end } = await open(t, makeStore())

    const start = async () => {
      const browser = new Browser(app)
      await visit(browser, (session) => session.set('a', 1))
      return browser
    }

    for (const name of ['regenerate', 'destroy'] as const) {
      await t.test(`a save that finds the session ended says no, also where ${name}() was called since`, async (t) => {
        const browser = await start()
        const response = await visit(browser, async (session) => {
          await end({ ...browser.cookies })
          session.set('b', 1)
          const saving = session.save()
          session[name]()
          session.set('c', 1)
          return saving
        })
        t.same(response.json(), { answer: false })
        t.same((await visit(browser, (session) => session.data())).json(), { answer: { c: 1 } }, 'and what came since begins a session')
      })
    }

    await t.test('no response carries a cookie that opens nothing, whatever is asked for before and after the end', async (t) => {
      for (const [first, change] of Object.entries(changes)) {
        for (const [second, next] of Object.entries(changes)) {
          const title = `${first}, saved and ended elsewhere, then ${second}`
          const browser = await start()
          const response = await visit(browser, async (session, reply) => {
            change(session, reply)
            await session.save()
            const sent = valueOf(reply.getHeader('set-cookie'))
            await end({ sid: sent || String(browser.cookies['sid']) })
            try { next(session, reply) } catch {}
          })
          const lines = setCookies(response)
          t.ok(lines.length <= 1, `${title}: one line at most`)
          const value = valueOf(lines[0])
          if (value !== '') t.equal((await app.sessions.load(`sid=${value}`)).isNew, false, title)
        }
      }
    })

    await t.test('nothing is left to take where the login found the session ended', async (t) => {
      const browser = await start()
      const response = await visit(browser, async (session) => {
        await end({ ...browser.cookies })
        session.regenerate()
        session.set('coupon', 'free')
        return await session.take('coupon') ?? 'nothing'
      })
      t.same(response.json(), { answer: 'nothing' })
      t.same(setCookies(response), [])
    })

    await t.test('what is set after an update that is not awaited comes after it', async (t) => {
      const browser = await start()
      await visit(browser, async (session) => {
        const updating = session.update('n', (n) => Number(n ?? 0) + 1)
        session.set('n', 10)
        t.equal(await updating, 1)
        t.equal(session.get('n'), 10)
      })
      t.same((await visit(browser, (session) => session.get('n'))).json(), { answer: 10 })
    })

    await t.test('what is changed after a reload that is not awaited is stored, and what was pending before is not', async (t) => {
      const browser = await start()
      await visit(browser, async (session) => {
        session.set('b', 1)
        const cart = session.cart = ['pear']
        const reloading = session.reload()
        session.set('c', 1)
        await reloading
        cart.push('plum')
        t.same(session.data(), { a: 1, c: 1 })
      })
      t.same((await visit(browser, (session) => session.data())).json(), { answer: { a: 1, c: 1 } })
    })

    await t.test('a login after a reload that is not awaited is stored, though the session has ended', async (t) => {
      const browser = await start()
      await visit(browser, async (session) => {
        await end({ ...browser.cookies })
        const reloading = session.reload()
        session.regenerate()
        session.set('user', 1)
        await reloading
      })
      t.same((await visit(browser, (session) => session.data())).json(), { answer: { user: 1 } })
    })

    await t.test('a logout while the first save is under way leaves nothing, and sends no cookie for nothing', async (t) => {
      const browser = new Browser(app)
      const response = await visit(browser, async (session) => {
        session.set('a', 1)
        const saving = session.save()
        session.destroy()
        try { session.reauthenticated() } catch {}
        return saving
      })
      t.same(response.json(), { answer: true })
      for (const line of setCookies(response)) t.match(line, /^sid=;/)
      t.same((await visit(browser, (session) => session.data())).json(), { answer: {} })
    })
  })

  t.test(`on ${kind}, a cookie is taken back where it was copied for a raw reply too, and no other cookie`, async (t) => {
    const { app, visit, end } = await open(t, makeStore())
    for (const others of [[], ['theme=dark'], ['theme=dark', 'lang=en']]) {
      const browser = new Browser(app)
      await visit(browser, (session) => session.set('a', 1))
      const response = await visit(browser, async (session, reply) => {
        for (const line of others) reply.header('set-cookie', line)
        session.rotate()
        await session.save()
        await end({ ...browser.cookies })
        session.regenerate('all')
        await session.save()
        return [reply.raw.getHeader('set-cookie') ?? []].flat()
      })
      t.same(response.json(), { answer: others })
      t.same([response.headers['set-cookie'] ?? []].flat(), others)
    }
  })

  t.test(`on ${kind}, a session that expires before its first response leaves gets no cookie`, async (t) => {
    const clock = new FakeClock()
    const { app, visit } = await open(t, makeStore(clock), clock)
    const browser = new Browser(app)
    const response = await visit(browser, async (session) => {
      session.set('a', 1)
      await session.save()
      clock.advance(2 * HOUR)
      session.touch()
    })
    t.equal(response.statusCode, 200)
    t.same(setCookies(response), [])
  })
}

for (const { kind, makeStore } of stores) {
  t.test(`on ${kind} that fails once`, async (t) => {
    const failing = new Set<StoreFunction>()
    const store = wrapped(makeStore(), (name) => { if (failing.delete(name)) throw new Error('down') })
    const { app, visit } = await open(t, store)

    await t.test('an update that waits for a login is stored with it, also where the first attempt fails', async (t) => {
      const browser = new Browser(app)
      await visit(browser, (session) => session.set('n', 1))
      const response = await visit(browser, async (session) => {
        session.regenerate()
        session.set('n', 5)
        failing.add('create')
        const saving = session.save().catch(({ code }) => code)
        const updated = session.update('n', (n) => Number(n) + 1)
        return [await saving, await updated]
      })
      t.same(response.json(), { answer: ['FST_KEEP_STORE', 6] })
      t.same((await visit(browser, (session) => session.get('n'))).json(), { answer: 6 })
    })

    await t.test('what a reload was to drop is pending again where it fails', async (t) => {
      const browser = new Browser(app)
      await visit(browser, (session) => session.set('a', 1))
      const response = await visit(browser, async (session) => {
        session.set('b', 1)
        failing.add('read')
        const code = await session.reload().catch((error) => error.code)
        return [code, session.data()]
      })
      t.same(response.json(), { answer: ['FST_KEEP_STORE', { a: 1, b: 1 }] })
      t.same((await visit(browser, (session) => session.data())).json(), { answer: { a: 1, b: 1 } })
    })
  })
}
