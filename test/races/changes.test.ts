// Changes of one session by requests that overlap, and by one request while its own save is under way.
import { setCookies } from '../fixtures/app.js'
import { HOUR, MINUTE, SECOND } from '../fixtures/clock.js'
import { races, type Act } from '../fixtures/race.js'

const marks: Record<string, Act> = {
  touch: (session) => session.touch(),
  set: (session) => session.set('z', 1),
  lifetime: (session) => session.lifetime({ idle: '30m' }),
  options: (session) => session.options({ sameSite: 'strict' }),
  nothing: () => {}
}

races({
  'the last flash that is shown takes nothing along that another request adds, before or after': async (t, race) => {
    for (const drop of [(session) => session.pop('flash'), (session) => session.remove('flash'), (session) => session.take('flash')] as Act[]) {
      const browser = await race.browser({ flash: 'hi' })
      const before = await race.hold(browser, (session) => session.set('cart', ['apple']))
      const after = await race.hold(browser, (session) => session.set('list', 1))
      await before()
      await race.go(browser, async (session) => { await drop(session) })
      race.clock.advance(MINUTE)
      await after()
      t.same(await race.data(browser), { cart: ['apple'], list: 1 })
    }
  },

  'a change of the token loses nothing that others store under the old one': async (t, race) => {
    const browser = await race.browser({ n: 0 })
    const acts: Act[] = [
      async (session) => { await session.update('n', (n) => Number(n) + 1) },
      (session) => session.set('a', 1),
      (session) => session.lifetime({ idle: '2h' }),
      async (session) => { await session.update('n', (n) => Number(n) + 1) }
    ]
    const finishes = []
    for (const act of acts) finishes.push(await race.hold(browser, act))
    await race.go(browser, (session) => session.rotate())
    for (const finish of finishes) {
      race.clock.advance(20 * SECOND)
      const response = await finish()
      t.same([response.statusCode, setCookies(response)], [200, []])
    }
    t.same(await race.data(browser), { n: 2, a: 1 })
  },

  'a cookie that moves with its deadline is not sent again where another request has changed it, or its lifetime': async (t, race) => {
    const others: Act[] = [(session) => session.rotate(), (session) => session.reauthenticated(), (session) => session.lifetime({ persistent: false })]
    const acts: Act[] = [(session) => session.get('n'), (session) => session.touch(), (session) => session.set('a', 1), (session) => session.lifetime({ persistent: true })]
    for (const other of others) {
      for (const act of acts) {
        const browser = await race.browser({ n: 0 })
        await race.go(browser, (session) => session.lifetime({ idle: '20h', persistent: true }))
        race.clock.advance(3 * HOUR)
        const finish = await race.hold(browser, act)
        await race.go(browser, other)
        race.clock.advance(5 * MINUTE)
        const response = await finish()
        const isLast = act === acts[3] && other === others[2]
        t.same([response.statusCode, setCookies(response).length], [200, isLast ? 1 : 0], `${other}, ${act}`)
        t.match(await race.data(browser), { n: 0 })
      }
    }
  },

  'of two lists of keys to keep both count, also where another request writes in between': async (t, race) => {
    for (const isOvertaken of [false, true]) {
      const browser = await race.browser({ a: 1, b: 2, c: 3 })
      const finish = await race.hold(browser, (session) => {
        session.regenerate(['a', 'b'])
        session.regenerate(['b', 'c'])
        return session.data()
      })
      if (isOvertaken) await race.go(browser, (session) => session.set('b', 4))
      race.clock.advance(SECOND)
      const response = await finish()
      browser.receive(response)
      t.same(response.json(), { b: 2 })
      t.same(await race.data(browser), { b: isOvertaken ? 4 : 2 })
    }
  },

  'a clear that is saved runs once, whatever is changed while its save is under way': async (t, race) => {
    for (const [mark, change] of Object.entries(marks)) {
      const browser = await race.browser({ a: 1 })
      let saved = () => {}
      const isSaved = new Promise<void>((resolve) => { saved = resolve })
      let goOn = () => {}
      const mayGoOn = new Promise<void>((resolve) => { goOn = resolve })
      const finish = await race.hold(browser, async (session) => {
        session.clear()
        session.set('b', 2)
        const saving = session.save()
        change(session)
        t.equal(await saving, true)
        saved()
        await mayGoOn
      })
      const response = finish()
      await isSaved
      race.clock.advance(MINUTE)
      await race.go(browser, (session) => session.set('x', 1))
      goOn()
      await response
      t.same(await race.data(browser), { b: 2, x: 1, ...(mark === 'set' && { z: 1 }) }, mark)
    }
  },

  'a token that is saved changes once, whatever is changed while its save is under way': async (t, race) => {
    let changes = 0
    for (const begin of ['rotate', 'reauthenticated', 'regenerate'] as const) {
      for (const [mark, change] of Object.entries(marks)) {
        const browser = await race.browser({ a: 1 })
        const finish = await race.hold(browser, async (session) => {
          if (begin === 'regenerate') session.regenerate('all')
          else session[begin]()
          const saving = session.save()
          change(session)
          await saving
          return { id: session.sessionId }
        })
        const response = await finish()
        browser.receive(response)
        t.equal(setCookies(response).length, 1, `${begin}, ${mark}`)
        const { id } = response.json()
        t.same((await race.go(browser, (session) => ({ id: session.sessionId }))).json(), { id })
        const { rotated, reauthenticated, regenerated } = race.apps[1].sessions.stats()
        t.equal(rotated + reauthenticated + regenerated, ++changes, 'at the store, too')
      }
    }
  },

  'fifty guesses at once count to fifty, and a coupon is taken once': async (t, race) => {
    const browser = await race.browser({ coupon: 'x' })
    const counts: Array<() => Promise<{ json (): unknown }>> = []
    for (let i = 0; i < 25; i++) {
      counts.push(await race.hold(browser, async (session) => ({ n: await session.update('tries', (n) => Number(n ?? 0) + 1) })))
      counts.push(await race.hold(browser, async (session) => ({ coupon: await session.take('coupon') ?? null })))
    }
    const answers = (await Promise.all(counts.map(async (finish) => (await finish()).json()))) as Array<{ n?: number, coupon?: string | null }>
    t.same(answers.flatMap(({ n }) => n ?? []).sort((a, b) => a - b), Array.from({ length: 25 }, (_, i) => i + 1))
    t.same(answers.flatMap(({ coupon }) => coupon ?? []), ['x'])
    t.same(await race.data(browser), { tries: 25 })
  }
})

races({
  'a session that several requests make too large together can be shrunk': async (t, race) => {
    const browser = await race.browser({ step: 0 })
    const finishes = []
    for (const key of ['a', 'b', 'c']) finishes.push(await race.hold(browser, (session) => session.set(key, key.repeat(6000))))
    const statuses = []
    for (const finish of finishes) statuses.push((await finish()).statusCode)
    t.same(statuses, [200, 500, 500])
    race.clock.advance(MINUTE)
    t.equal((await race.go(browser, (session) => { session.remove('a') })).statusCode, 200)
    t.equal((await race.go(browser, (session) => session.set('step', 1))).statusCode, 200)
    t.same(await race.data(browser), { step: 1 })
  }
}, { maxSize: 10_000 })
