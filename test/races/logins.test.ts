// A login that takes its time, and what becomes of the session it began from.
import { setCookies } from '../fixtures/app.js'
import { HOUR, MINUTE, SECOND } from '../fixtures/clock.js'
import { races, type Act, type Race } from '../fixtures/race.js'

const login: Act = (session) => { session.regenerate(); session.set('userId', 42) }

/** What others do to the session while the password is checked, and whether it lives on. */
const inBetween: Record<string, { act: Act, after: number, lives: boolean }> = {
  'shows the last flash': { act: (session) => { session.pop('cart') }, after: SECOND, lives: false },
  'logs out': { act: (session) => session.destroy(), after: SECOND, lives: false },
  'empties it': { act: (session) => session.clear(), after: SECOND, lives: false },
  'logs in': { act: (session) => { session.regenerate('all'); session.set('userId', 41) }, after: SECOND, lives: false },
  'rotates its token': { act: (session) => session.rotate(), after: SECOND, lives: true },
  'stores something': { act: (session) => session.set('other', 1), after: SECOND, lives: true },
  'renews it': { act: (session) => session.touch(), after: 50 * MINUTE, lives: true },
  'does nothing until it expires': { act: () => {}, after: 2 * HOUR, lives: false }
}

async function logInWhile (race: Race, { act, after }: { act: Act, after: number }, how: Act) {
  const browser = await race.browser({ cart: 'pear' })
  const finish = await race.hold(browser, how)
  await race.go(browser, act)
  race.clock.advance(after)
  const response = await finish()
  browser.receive(response)
  return { browser, response }
}

races({
  'a login succeeds, whatever happens to the session it began from': async (t, race) => {
    for (const [what, other] of Object.entries(inBetween)) {
      const { browser, response } = await logInWhile(race, other, login)
      t.same([response.statusCode, setCookies(response).length], [200, 1], `another request ${what}`)
      t.same(await race.data(browser), { userId: 42 }, 'with nothing from before')
    }
  },

  'what a login keeps comes along from a session that lives, as it is then, and from no other': async (t, race) => {
    for (const [what, other] of Object.entries(inBetween)) {
      const { browser } = await logInWhile(race, other, (session) => { session.regenerate(['cart', 'other']); session.set('userId', 42) })
      const stored = what === 'stores something' ? { other: 1 } : {}
      t.same(await race.data(browser), { ...(other.lives && { cart: 'pear', ...stored }), userId: 42 }, `another request ${what}`)
    }
  },

  'a step-up under way says so where the session ends or another one is faster, and never answers 200 without a cookie': async (t, race) => {
    const others = { ...inBetween, 'proves its user': { act: (session) => session.reauthenticated(), after: SECOND, lives: false } satisfies typeof inBetween[string] }
    for (const [what, other] of Object.entries(others)) {
      const { response } = await logInWhile(race, other, (session) => session.reauthenticated())
      // a popped key leaves an empty session behind
      const lives = other.lives || what === 'shows the last flash'
      t.same([response.statusCode, setCookies(response).length], lives ? [200, 1] : [401, 0], `another request ${what}`)
    }
  },

  'a login that the same browser sends twice ends in one session, and the other one has ended': async (t, race) => {
    const browser = await race.browser({ cart: 'pear' })
    const finishes = [await race.hold(browser, login), await race.hold(browser, login)]
    for (const finish of finishes) {
      race.clock.advance(5 * SECOND)
      browser.receive(await finish())
    }
    t.same(await race.data(browser), { userId: 42 })
  }
})
