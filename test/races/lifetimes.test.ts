// Time goes by while a request is under way, and another one moves the deadline.
import { HOUR, MINUTE, SECOND } from '../fixtures/clock.js'
import { races } from '../fixtures/race.js'

const DAY = 24 * HOUR

races({
  'a renewal under way does not shorten the lifetime that another request gives': async (t, race) => {
    const browser = await race.browser({ userId: 42 })
    race.clock.advance(10 * MINUTE)
    const poll = await race.hold(browser, (session) => session.get('userId'))
    await race.go(browser, (session) => session.lifetime({ idle: '30d', absolute: '30d', persistent: true }))
    await poll()
    race.clock.advance(29 * DAY)
    t.same(await race.data(browser), { userId: 42 })
  },

  'a renewal under way does not prolong what another request shortens': async (t, race) => {
    const browser = await race.browser({ userId: 42 })
    await race.go(browser, (session) => session.lifetime({ idle: '30d', absolute: '30d' }))
    race.clock.advance(4 * DAY)
    const polls = [
      await race.hold(browser, (session) => session.get('userId')),
      await race.hold(browser, (session) => session.touch()),
      await race.hold(browser, (session) => session.set('a', 1))
    ]
    await race.go(browser, (session) => session.lifetime({ idle: '5m', absolute: '5d' }))
    for (const poll of polls) t.equal((await poll()).statusCode, 200)
    race.clock.advance(6 * MINUTE)
    t.same(await race.data(browser), {})
  },

  'of two lifetimes given at once the later one holds, and both requests store what they set': async (t, race) => {
    const browser = await race.browser({ userId: 42 })
    const slow = await race.hold(browser, (session) => { session.lifetime({ idle: '2h' }); session.set('a', 1) })
    await race.go(browser, (session) => { session.lifetime({ idle: '20h' }); session.set('b', 1) })
    await slow()
    race.clock.advance(2 * HOUR - MINUTE)
    t.same(await race.data(browser), { userId: 42, a: 1, b: 1 })
    race.clock.advance(2 * HOUR + SECOND)
    t.same(await race.data(browser), {})
  },

  'a request that comes in time and ends late keeps its user logged in, and stores what it did': async (t, race) => {
    const browser = await race.browser({ userId: 42 })
    race.clock.advance(HOUR - 20 * SECOND)
    const upload = await race.hold(browser, (session) => session.set('report', 'done'))
    race.clock.advance(30 * SECOND)
    browser.receive(await upload())
    t.same(await race.data(browser), { userId: 42, report: 'done' })
  },

  'a reader that is behind takes nothing from a session that another request renews': async (t, race) => {
    const browser = await race.browser({ userId: 42 })
    race.clock.advance(HOUR - SECOND)
    const first = await race.hold(browser, (session) => session.get('userId'))
    const second = await race.hold(browser, (session) => session.data())
    race.clock.advance(2 * SECOND)
    await first()
    t.same((await second()).json(), { userId: 42 })
    t.same(await race.data(browser), { userId: 42 })
  },

  'a request that outlives the idle timeout stores nothing in a session that has expired, and says so': async (t, race) => {
    const browser = await race.browser({ userId: 42 })
    const slow = await race.hold(browser, async (session) => { session.set('a', 1); return { saved: await session.save() } })
    race.clock.advance(61 * MINUTE)
    const response = await slow()
    t.same([response.json(), response.headers['set-cookie']], [{ saved: false }, undefined])
    t.same(await race.data(browser), {})
  }
})
