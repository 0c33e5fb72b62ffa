// A logout that waits, for an identity provider perhaps, while other requests go on.
import { setCookies, type Browser } from '../fixtures/app.js'
import { MINUTE, SECOND } from '../fixtures/clock.js'
import { races, type Act, type Race } from '../fixtures/race.js'

const logout: Act = (session) => session.destroy()

const others: Record<string, { act: Act, after?: number }> = {
  reads: { act: (session) => session.data() },
  sets: { act: (session) => session.set('a', 1) },
  counts: { act: (session) => session.update('n', (n) => Number(n ?? 0) + 1) },
  renews: { act: (session) => session.touch(), after: 30 * MINUTE },
  rotates: { act: (session) => session.rotate() },
  'rotates, and is used': { act: (session) => session.rotate(), after: 5 * MINUTE },
  'proves its user': { act: (session) => session.reauthenticated() },
  'gives a lifetime': { act: (session) => session.lifetime({ idle: '20h', persistent: true }) }
}

/** Every cookie that the browser ever had. */
async function opens (race: Race, browser: Browser, cookies: ReadonlyArray<Record<string, string>>) {
  const open: object[] = []
  for (const each of cookies) {
    Object.assign(browser.cookies, each)
    open.push(await race.data(browser))
  }
  return open
}

races({
  'a logout that waits ends the session, whatever another request did to it': async (t, race) => {
    for (const [what, { act, after = SECOND }] of Object.entries(others)) {
      const browser = await race.browser({ userId: 42 })
      const cookies = [{ ...browser.cookies }]
      const finish = await race.hold(browser, logout)
      await race.go(browser, act)
      cookies.push({ ...browser.cookies })
      race.clock.advance(after)
      await race.go(browser, (session) => session.get('userId'))
      const response = await finish()
      t.match(setCookies(response), [/^sid=;.*Max-Age=0/], `another request ${what}`)
      t.same(await opens(race, browser, cookies), [{}, {}], 'and no cookie of it opens anything')
    }
  },

  'a request that is under way when its user logs out stores nothing and sends no cookie': async (t, race) => {
    for (const [what, { act }] of Object.entries(others)) {
      const browser = await race.browser({ userId: 42 })
      const cookies = [{ ...browser.cookies }]
      const finish = await race.hold(browser, act)
      await race.go(browser, logout)
      race.clock.advance(30 * SECOND)
      const response = await finish()
      t.equal(response.statusCode, what === 'counts' || what === 'proves its user' ? 401 : 200, `which ${what}`)
      t.same(setCookies(response), [])
      t.same(await opens(race, browser, cookies), [{}])
    }
  },

  'a logout in three tabs at once is one event, and clears one cookie': async (t, race) => {
    const browser = await race.browser({ userId: 42 })
    const finishes = [await race.hold(browser, logout), await race.hold(browser, logout), await race.hold(browser, logout)]
    const lines: string[][] = []
    for (const finish of finishes) {
      race.clock.advance(SECOND)
      lines.push(setCookies(await finish()))
    }
    t.same(lines.map(({ length }) => length).sort(), [0, 0, 1])
    t.equal(race.apps[0].sessions.stats().destroyed + race.apps[1].sessions.stats().destroyed, 1)
  }
})

races({
  "with saveOn: 'success' an error keeps nothing of a login, and never undoes a logout": async (t, race) => {
    for (const begin of ['regenerate', 'destroy'] as const) {
      for (const isLate of [false, true]) {
        const browser = await race.browser({ cart: 1 })
        const finish = await race.hold(browser, (session) => {
          session[begin]()
          session.set('userId', 42)
          throw new Error('the audit log is down')
        })
        if (isLate) await race.go(browser, (session) => session.rotate())
        race.clock.advance(SECOND)
        const response = await finish()
        t.equal(response.statusCode, 500)
        if (begin === 'regenerate') t.same(setCookies(response), [])
        else t.match(setCookies(response), [/^sid=;/])
        t.same(await race.data(browser), begin === 'regenerate' ? { cart: 1 } : {}, `${begin}${isLate ? ', while the token changes' : ''}`)
      }
    }
  }
}, { saveOn: 'success' })
