// Requests that overlap, held and let go in the order that hurts.
import type { FastifyInstance, FastifyRequest, LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { Browser, buildApp, gate, setCookies } from './fixtures/app.js'
import { withPostgres } from './fixtures/with-postgres.js'

/** A request that has loaded its session and waits; `finish` lets it act, and gives the response. */
interface Held {
  readonly finish: () => Promise<LightMyRequestResponse>
}

type Act = (request: Pick<FastifyRequest, 'session'>) => unknown

/** What each held request is to do, by its number: one that is never let go changes nothing for the others. */
const acts = new Map<string, Act>()

async function hold (app: FastifyInstance, browser: Browser, act: Act): Promise<Held> {
  const loaded = gate()
  const mayAct = gate()
  const number = String(acts.size)
  acts.set(number, async (request) => {
    loaded.open()
    await mayAct.passed
    return act(request)
  })
  const response = app.inject({ url: `/act/${number}`, cookies: { ...browser.cookies } })
  response.catch(() => {})
  // a request that fails before its handler is not waited for
  await Promise.race([loaded.passed, response])
  return { finish: () => { mayAct.open(); return response } }
}

const stores = await withPostgres()

for (const { kind, makeStore } of stores) {
  t.test(`on ${kind}`, async (t) => {
    const store = makeStore()
    // two apps on one store, as two processes would be
    const [app, other] = await Promise.all([0, 1].map(async () => {
      const it = await buildApp(t, { store })
      it.get<{ Params: { number: string } }>('/act/:number', async (request) => (await (acts.get(request.params.number) as Act)(request)) ?? {})
      it.get('/data', async (request) => request.session.data())
      return it
    })) as [FastifyInstance, FastifyInstance]

    const start = async (values: object = { user: 1 }) => {
      const browser = new Browser(app)
      const held = await hold(app, browser, ({ session }) => session.setMany({ ...values }))
      browser.receive(await held.finish())
      return browser
    }
    const act = async (browser: Browser, what: Act, on = app) => {
      const response = await (await hold(on, browser, what)).finish()
      browser.receive(response)
      return response
    }
    const data = async (browser: Browser) => (await browser.visit('/data')).json()

    await t.test('two requests that set different keys both win', async (t) => {
      const browser = await start()
      const slow = await hold(app, browser, ({ session }) => session.set('slow', 1))
      const fast = await hold(other, browser, ({ session }) => session.set('fast', 1))
      await fast.finish()
      await slow.finish()
      t.same(await data(browser), { user: 1, fast: 1, slow: 1 })
    })

    await t.test('fifty parallel requests that each set their own key all win', async (t) => {
      const browser = await start()
      const all = await Promise.all(Array.from({ length: 50 }, (_, i) => hold(i % 2 ? app : other, browser, ({ session }) => session.set(`k${i}`, i))))
      await Promise.all(all.map((held) => held.finish()))
      t.equal(Object.keys(await data(browser)).length, 51)
    })

    await t.test('of two requests that set the same key the later commit wins', async (t) => {
      const browser = await start()
      const first = await hold(app, browser, ({ session }) => session.set('k', 'first'))
      const second = await hold(app, browser, ({ session }) => session.set('k', 'second'))
      await second.finish()
      await first.finish()
      t.same(await data(browser), { user: 1, k: 'first' })
    })

    await t.test('what one request removes stays removed while another sets something else', async (t) => {
      const browser = await start({ x: 1, z: 1 })
      const slow = await hold(app, browser, ({ session }) => session.set('y', 1))
      await act(browser, ({ session }) => { session.remove('x') })
      await slow.finish()
      t.same(await data(browser), { y: 1, z: 1 })
    })

    await t.test('removing the last key leaves what another request stores, before and after', async (t) => {
      for (const drop of [({ session }) => session.remove('x'), ({ session }) => session.pop('x')] as Act[]) {
        const browser = await start({ x: 1 })
        const before = await hold(app, browser, ({ session }) => { session.set('y', 1) })
        const after = await hold(app, browser, ({ session }) => { session.set('z', 1) })
        const slow = await hold(app, browser, (request) => { drop(request) })
        await before.finish()
        t.same(setCookies(await slow.finish()), [])
        await after.finish()
        t.same(await data(browser), { y: 1, z: 1 })
      }
    })

    await t.test('clear takes along what another request stored in between', async (t) => {
      const browser = await start({ x: 1 })
      const slow = await hold(app, browser, ({ session }) => { session.clear(); session.set('z', 1) })
      await act(browser, ({ session }) => session.set('y', 1))
      await slow.finish()
      t.same(await data(browser), { z: 1 })
    })

    await t.test('a read-only request undoes nothing', async (t) => {
      const browser = await start({ n: 1 })
      const slow = await hold(app, browser, ({ session }) => session.data())
      await act(browser, ({ session }) => session.set('n', 2))
      await slow.finish()
      t.same(await data(browser), { n: 2 })
    })

    const lateOnes: Array<[string, Act]> = [
      ['reads', ({ session }) => session.data()],
      ['writes', ({ session }) => session.set('late', 1)],
      ['writes inside a value', ({ session }) => { (session.get('cart') as string[]).push('late') }],
      ['clears and writes', ({ session }) => { session.clear(); session.set('late', 1) }],
      ['updates', async ({ session }) => { await t.rejects(session.update('n', () => 1), { code: 'FST_KEEP_SESSION_ENDED' }); t.ok(session.isEnded) }],
      ['updates a value that it has set', async ({ session }) => { session.set('n', 1); await t.rejects(session.update('n', () => 2), { code: 'FST_KEEP_SESSION_ENDED' }) }],
      ['takes', async ({ session }) => { t.equal(await session.take('user'), undefined) }],
      ['pops the last key', ({ session }) => { session.pop('cart'); session.pop('user') }],
      ['clears', ({ session }) => session.clear()],
      ['touches', ({ session }) => session.touch()],
      ['rotates', ({ session }) => session.rotate()],
      ['regenerates', ({ session }) => session.regenerate()],
      ['regenerates and keeps', ({ session }) => session.regenerate(['user'])],
      ['regenerates and keeps all', ({ session }) => session.regenerate('all')],
      ['changes its lifetime', ({ session }) => session.lifetime({ persistent: true })],
      ['saves by hand', async ({ session }) => { session.set('late', 1); t.equal(await session.save(), false) }]
    ]
    for (const [what, late] of lateOnes) {
      await t.test(`logout wins over a slower request that ${what}`, async (t) => {
        const browser = await start({ user: 1, cart: ['a'] })
        const stolen = new Browser(app)
        Object.assign(stolen.cookies, browser.cookies)
        const slow = await hold(other, browser, late)
        const logout = await act(browser, ({ session }) => session.destroy())
        t.match(setCookies(logout)[0], /^sid=; Max-Age=0/)
        const response = await slow.finish()
        t.equal(response.statusCode, 200)
        t.same(setCookies(response), [], 'sends no cookie')
        t.same(await data(stolen), {}, 'and the old cookie opens nothing')
      })

      await t.test(`login wins over a slower request with the old id that ${what}`, async (t) => {
        const browser = await start({ user: 1, cart: ['a'] })
        const slow = await hold(app, browser, late)
        await act(browser, ({ session }) => { session.regenerate(); session.set('user', 2) })
        const response = await slow.finish()
        t.same(setCookies(response), [])
        browser.receive(response)
        t.same(await data(browser), { user: 2 })
      })
    }

    await t.test('of several logins at once each succeeds, and one of them keeps what was stored', async (t) => {
      for (const order of [[0, 1, 2], [2, 1, 0], [1, 2, 0]]) {
        const browser = await start()
        const old = { ...browser.cookies }
        const all = await Promise.all(order.map((_, i) => hold(i === 1 ? other : app, browser, ({ session }) => { session.regenerate(['user']); session.set('by', i) })))
        const responses = await Promise.all(all.map((held) => held.finish()))
        const sessions = await Promise.all(responses.map(async (response) => {
          const each = new Browser(app)
          each.receive(response)
          return data(each)
        }))
        t.same(sessions.map(({ by }) => by), [0, 1, 2])
        t.equal(sessions.filter(({ user }) => user === 1).length, 1)
        for (const i of order) browser.receive(responses[i] as LightMyRequestResponse)
        t.match(await data(browser), { by: order.at(-1) }, 'the browser has the login whose answer came last')
        t.same((await app.inject({ url: '/data', cookies: old })).json(), {})
      }
    })

    await t.test('of several regenerations that set nothing one wins, and only it sends a cookie', async (t) => {
      for (const keep of ['all', ['user']] as const) {
        const browser = await start()
        const all = await Promise.all([0, 1, 2].map((i) => hold(i === 1 ? other : app, browser, ({ session }) => session.regenerate(keep))))
        const responses = await Promise.all(all.map((held) => held.finish()))
        t.equal(responses.flatMap(setCookies).length, 1)
        for (const response of responses) browser.receive(response)
        t.same(await data(browser), { user: 1 })
      }
    })

    await t.test('of several rotations at once one wins, and only it sends a cookie', async (t) => {
      const browser = await start()
      const old = { ...browser.cookies }
      const all = await Promise.all([0, 1, 2].map((i) => hold(i === 1 ? other : app, browser, ({ session }) => { session.rotate(); session.set(`k${i}`, i) })))
      const responses = await Promise.all(all.map((held) => held.finish()))
      const winners = responses.filter((response) => setCookies(response).length > 0)
      t.equal(winners.length, 1)
      for (const response of responses) browser.receive(response)
      t.same(await data(browser), { user: 1, k0: 0, k1: 1, k2: 2 }, 'and what the others stored arrives')
      t.same((await app.inject({ url: '/data', cookies: old })).json(), { user: 1, k0: 0, k1: 1, k2: 2 }, 'whatever token they come with')
    })

    await t.test('of two requests that prove the user at once one sends a cookie, and the other says that it could not', async (t) => {
      const browser = await start()
      const both = await Promise.all([app, other].map((on) => hold(on, browser, ({ session }) => session.reauthenticated())))
      const responses = await Promise.all(both.map((held) => held.finish()))
      t.same(responses.map(({ statusCode }) => statusCode).sort(), [200, 401])
      t.equal(responses.flatMap(setCookies).length, 1)
      for (const response of responses) browser.receive(response)
      t.same(await data(browser), { user: 1 })
    })

    for (const [what, late] of lateOnes.filter(([what]) => !what.startsWith('regenerates'))) {
      await t.test(`a step-up wins over a slower request with the old token that ${what}`, async (t) => {
        const browser = await start({ user: 1, cart: ['a'] })
        const slow = await hold(other, browser, late)
        await act(browser, ({ session }) => session.reauthenticated())
        const response = await slow.finish()
        t.equal(response.statusCode, 200)
        t.same(setCookies(response), [])
        t.same(await data(browser), { user: 1, cart: ['a'] })
      })
    }

    await t.test('a logout in flight ends the session that was rotated or proved under it', async (t) => {
      for (const change of ['rotate', 'reauthenticated'] as const) {
        const browser = await start()
        const logout = await hold(other, browser, ({ session }) => session.destroy())
        await act(browser, ({ session }) => session[change]())
        t.match(setCookies(await logout.finish()), [/^sid=; Max-Age=0/])
        t.same(await data(browser), {}, change)
      }
    })

    await t.test('a login that is under way outlives the logout of the session it began from', async (t) => {
      const browser = await start({ user: 1, cart: ['a'] })
      const login = await hold(other, browser, ({ session }) => { session.regenerate(['cart']); session.set('user', 2) })
      await act(browser, ({ session }) => session.destroy())
      const response = await login.finish()
      browser.receive(response)
      t.equal(setCookies(response).length, 1)
      t.same(await data(browser), { user: 2 }, 'without what the ended session held')
    })

    await t.test('a change of token takes along what another request stored in between', async (t) => {
      for (const [what, change] of [
        ['rotate', ({ session }) => session.rotate()],
        ['reauthenticated', ({ session }) => session.reauthenticated()],
        ['regenerate', ({ session }) => session.regenerate(['user', 'y'])],
        ['regenerate all', ({ session }) => session.regenerate('all')]
      ] as Array<[string, Act]>) {
        const browser = await start()
        const slow = await hold(app, browser, change)
        await act(browser, ({ session }) => session.setMany({ y: 1, user: 2 }))
        browser.receive(await slow.finish())
        t.same(await data(browser), { user: 2, y: 1 }, what)
      }
    })

    await t.test('a regeneration that keeps some keys leaves the others behind, and what is stored in them in between', async (t) => {
      const browser = await start({ user: 1, planted: 1 })
      const slow = await hold(app, browser, ({ session }) => session.regenerate(['user']))
      await act(browser, ({ session }) => session.set('planted', 2))
      browser.receive(await slow.finish())
      t.same(await data(browser), { user: 1 })
    })

    const increment = (n: unknown) => ((n as number | undefined) ?? 0) + 1

    await t.test('counters by update add up, in whatever order, and each request gets its own number', async (t) => {
      const browser = await start({ user: 1 })
      const count: Act = async ({ session }) => [await session.update('n', increment), await session.update('n', increment)]
      const all = await Promise.all(Array.from({ length: 30 }, (_, i) => hold(i % 2 ? app : other, browser, count)))
      const responses = await Promise.all(all.map((held) => held.finish()))
      t.same(responses.filter(({ statusCode }) => statusCode !== 200), [])
      t.same(responses.flatMap((response) => response.json()).sort((a, b) => a - b), Array.from({ length: 60 }, (_, i) => i + 1))
      t.same(await data(browser), { n: 60, user: 1 })
    })

    await t.test('updates of one request that are not awaited one by one add up as well', async (t) => {
      const browser = await start()
      const answers = (await act(browser, ({ session }) => Promise.all(Array.from({ length: 10 }, () => session.update('n', increment))))).json()
      t.same(answers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      t.same(await data(browser), { user: 1, n: 10 })
    })

    await t.test('a value is taken once, and the others get nothing', async (t) => {
      const browser = await start({ coupon: { code: 'X' } })
      const all = await Promise.all(Array.from({ length: 20 }, (_, i) => hold(i % 2 ? app : other, browser, async ({ session }) => ({ coupon: await session.take('coupon') ?? null }))))
      const responses = await Promise.all(all.map((held) => held.finish()))
      t.same(responses.map((response) => response.json().coupon).filter((coupon) => coupon !== null), [{ code: 'X' }])
      t.same(await data(browser), {})
    })

    await t.test('update and take see what was stored since this request loaded its session', async (t) => {
      const browser = await start({ n: 5, user: 1 })
      const cases: Array<[Act, Act, object]> = [
        [({ session }) => session.remove('n'), ({ session }) => session.update('n', increment), { n: 1, user: 1 }],
        [({ session }) => session.set('n', 41), ({ session }) => session.update('n', increment), { n: 42, user: 1 }],
        [({ session }) => session.set('n', 5), ({ session }) => session.update('n', () => 5), { n: 5, user: 1 }],
        [({ session }) => session.set('new', 1), ({ session }) => session.take('new'), { n: 5, user: 1 }],
        [({ session }) => session.set('new', 1), ({ session }) => session.update('new', () => undefined), { n: 5, user: 1 }]
      ]
      for (const [before, late, left] of cases) {
        const slow = await hold(app, browser, async (request) => { await late(request) })
        await act(browser, async (request) => { before(request) })
        t.equal((await slow.finish()).statusCode, 200)
        t.same(await data(browser), left)
        await act(browser, ({ session }) => session.set('n', 5))
      }
    })

    await t.test('an update after clear starts from nothing, whatever another request stored in between', async (t) => {
      const browser = await start({ n: 5, user: 1 })
      const slow = await hold(app, browser, async ({ session }) => { session.clear(); session.set('mine', 1); await session.update('n', increment) })
      await act(browser, ({ session }) => session.setMany({ n: 6, theirs: 1 }))
      await slow.finish()
      t.same(await data(browser), { mine: 1, n: 1 })
    })

    await t.test('an update under way leaves what else is pending to the end of the request', async (t) => {
      const browser = await start({ n: 0, list: [1], read: [1] })
      const slow = await hold(app, browser, async ({ session }) => {
        session.get('read')
        session.set('mine', 1)
        ;(session.get('list') as number[]).push(2)
        await session.update('n', increment)
        return session.data()
      })
      await act(browser, ({ session }) => session.setMany({ n: 10, theirs: 1, read: [2] }))
      t.same((await slow.finish()).json(), { n: 11, list: [1, 2], read: [2], mine: 1, theirs: 1 })
      t.same(await data(browser), { n: 11, list: [1, 2], read: [2], mine: 1, theirs: 1 })
    })

    await t.test('what an update answers is what get gives and the store holds', async (t) => {
      const browser = await start({ n: 0 })
      const slow = await hold(app, browser, async ({ session }) => ({ answer: await session.update('n', increment), n: session.get('n') }))
      await act(browser, ({ session }) => session.set('n', 41))
      t.same((await slow.finish()).json(), { answer: 42, n: 42 })
      t.same(await data(browser), { n: 42 })
    })

    await t.test('a request that learns of the logout can begin a new session', async (t) => {
      for (const begin of ['regenerate', 'destroy'] as const) {
        const browser = await start()
        const slow = await hold(app, browser, async ({ session }) => {
          session.set('late', 1)
          t.equal(await session.save(), false)
          session[begin]()
          session.set('anew', 1)
        })
        await act(browser, ({ session }) => session.destroy())
        browser.receive(await slow.finish())
        t.same(await data(browser), { anew: 1 })
      }
    })

    await t.test('two logouts at once both answer, and the session has ended', async (t) => {
      const browser = await start()
      const both = await Promise.all([0, 1].map(() => hold(app, browser, ({ session }) => session.destroy())))
      const responses = await Promise.all(both.map((held) => held.finish()))
      t.same(responses.map(({ statusCode }) => statusCode), [200, 200])
      t.same(await data(browser), {})
    })

    await t.test('a lifetime given by one request is not undone by a slower one', async (t) => {
      const browser = await start()
      const slow = await hold(app, browser, ({ session }) => session.set('x', 1))
      await act(browser, ({ session }) => session.lifetime({ idle: '20h', persistent: true }))
      await slow.finish()
      const session = await app.sessions.load(`sid=${browser.cookies['sid']}`)
      t.equal(Math.round((session.expiresAt - Date.now()) / 3_600_000), 20)
    })

    await t.test('parallel first visits without a cookie make sessions of their own', async (t) => {
      const responses = await Promise.all(Array.from({ length: 10 }, async (_, i) => (await hold(app, new Browser(app), ({ session }) => session.set('i', i))).finish()))
      t.equal(new Set(responses.flatMap(setCookies)).size, 10)
    })
  })
}
