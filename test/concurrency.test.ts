// Requests that overlap, held and let go in the order that hurts.
import type { FastifyInstance, FastifyRequest, LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { Browser, buildApp, gate, setCookies } from './fixtures/app.js'
import { everyStore } from './fixtures/stores.js'

/** A request that has loaded its session and waits; `finish` lets it act, and gives the response. */
interface Held {
  readonly finish: () => Promise<LightMyRequestResponse>
}

type Act = (request: FastifyRequest) => unknown

async function hold (app: FastifyInstance, browser: Browser, act: Act): Promise<Held> {
  const loaded = gate()
  const mayAct = gate()
  acts.push(async (request) => {
    loaded.open()
    await mayAct.passed
    return act(request)
  })
  const response = app.inject({ url: '/act', cookies: { ...browser.cookies } })
  response.catch(() => {})
  await loaded.passed
  return { finish: () => { mayAct.open(); return response } }
}

const acts: Act[] = []

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}`, async (t) => {
    const store = makeStore()
    // two apps on one store, as two processes would be
    const [app, other] = await Promise.all([0, 1].map(async () => {
      const it = await buildApp(t, { store })
      it.get('/act', async (request) => (await (acts.shift() as Act)(request)) ?? {})
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

    await t.test('removing the last key does not take along what another request stored meanwhile', async (t) => {
      const browser = await start({ x: 1 })
      const slow = await hold(app, browser, ({ session }) => { session.remove('x') })
      await act(browser, ({ session }) => session.set('y', 1), other)
      t.same(setCookies(await slow.finish()), [])
      t.same(await data(browser), { y: 1 })
    })

    await t.test('clear takes along what another request stored meanwhile', async (t) => {
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
      ['updates', ({ session }) => { session.update('n', () => 1) }],
      ['touches', ({ session }) => session.touch()],
      ['rotates', ({ session }) => session.rotate()],
      ['regenerates', ({ session }) => session.regenerate()],
      ['regenerates and keeps', ({ session }) => session.regenerate(['user'])],
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

    await t.test('of several regenerations at once one wins, and the browser ends with a cookie that works', async (t) => {
      for (const order of [[0, 1, 2], [2, 1, 0], [1, 2, 0]]) {
        const browser = await start()
        const all = await Promise.all(order.map((_, i) => hold(i === 1 ? other : app, browser, ({ session }) => { session.regenerate(['user']); session.set('by', i) })))
        const responses = await Promise.all(all.map((held) => held.finish()))
        t.equal(responses.filter((response) => setCookies(response).length > 0).length, 1)
        for (const i of order) browser.receive(responses[i] as LightMyRequestResponse)
        t.match(await data(browser), { user: 1, by: Number })
      }
    })

    await t.test('a rotation takes along what another request stored meanwhile', async (t) => {
      for (const [what, keep] of [['rotate', undefined], ['regenerate', ['user', 'y']]] as const) {
        const browser = await start()
        const slow = await hold(app, browser, ({ session }) => what === 'rotate' ? session.rotate() : session.regenerate(keep))
        await act(browser, ({ session }) => session.setMany({ y: 1, user: 2 }))
        browser.receive(await slow.finish())
        t.same(await data(browser), { user: 2, y: 1 }, what)
      }
    })

    await t.test('a regeneration that keeps some keys leaves the others behind, whoever stores them meanwhile', async (t) => {
      const browser = await start({ user: 1, planted: 1 })
      const slow = await hold(app, browser, ({ session }) => session.regenerate(['user']))
      await act(browser, ({ session }) => session.set('planted', 2))
      browser.receive(await slow.finish())
      t.same(await data(browser), { user: 1 })
    })

    await t.test('counters by update add up, whoever is faster', async (t) => {
      const browser = await start({ n: 0 })
      const count: Act = ({ session }) => { session.update('n', (n) => (n as number) + 1); session.update('n', (n) => (n as number) + 1) }
      const all = await Promise.all(Array.from({ length: 30 }, (_, i) => hold(i % 2 ? app : other, browser, count)))
      const responses = await Promise.all(all.map((held) => held.finish()))
      t.same(responses.filter(({ statusCode }) => statusCode !== 200), [])
      t.same(await data(browser), { n: 60 })
    })

    await t.test('an update on a key that another request removed starts over from nothing', async (t) => {
      const browser = await start({ n: 5, user: 1 })
      const slow = await hold(app, browser, ({ session }) => { session.update('n', (n) => ((n as number | undefined) ?? 0) + 1) })
      await act(browser, ({ session }) => { session.remove('n') })
      await slow.finish()
      t.same(await data(browser), { n: 1, user: 1 })
    })

    await t.test('an update that another request made just so has nothing left to store', async (t) => {
      const browser = await start({ n: 0 })
      const slow = await hold(app, browser, ({ session }) => { session.update('n', () => 5) })
      await act(browser, ({ session }) => session.set('n', 5))
      t.equal((await slow.finish()).statusCode, 200)
      t.same(await data(browser), { n: 5 })
    })

    await t.test('an update after clear starts from nothing, whatever another request stored meanwhile', async (t) => {
      const browser = await start({ n: 5, user: 1 })
      const slow = await hold(app, browser, ({ session }) => { session.clear(); session.update('n', (n) => ((n as number | undefined) ?? 0) + 1) })
      await act(browser, ({ session }) => session.setMany({ n: 6, theirs: 1 }))
      await slow.finish()
      t.same(await data(browser), { n: 1 })
    })

    await t.test('what else a request set goes along when its update has to run again', async (t) => {
      const browser = await start({ n: 0, list: [1], read: [1] })
      const slow = await hold(app, browser, ({ session }) => {
        session.get('read')
        session.set('mine', 1)
        ;(session.get('list') as number[]).push(2)
        session.update('n', (n) => (n as number) + 1)
      })
      await act(browser, ({ session }) => session.setMany({ n: 10, theirs: 1, read: [2] }))
      await slow.finish()
      t.same(await data(browser), { n: 11, list: [1, 2], read: [2], mine: 1, theirs: 1 })
    })

    await t.test('a value changed inside after its update is written as it is', async (t) => {
      const browser = await start({ list: [1] })
      const slow = await hold(app, browser, ({ session }) => {
        (session.update('list', (list) => [...list as number[], 2]) as number[]).push(3)
        session.update('n', () => 1)
      })
      await act(browser, ({ session }) => session.set('list', [9]))
      await slow.finish()
      t.same(await data(browser), { list: [1, 2, 3], n: 1 })
    })

    await t.test('after save, get gives the counter as it was stored', async (t) => {
      const browser = await start({ n: 0 })
      const slow = await hold(app, browser, async ({ session }) => {
        session.update('n', (n) => (n as number) + 1)
        await session.save()
        return { n: session.get('n') }
      })
      await act(browser, ({ session }) => session.set('n', 41))
      t.same((await slow.finish()).json(), { n: 42 })
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

    await t.test('two logouts at once both answer, and the session is gone', async (t) => {
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
