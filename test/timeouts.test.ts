// When sessions end, by a clock that the test moves.
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { SessionOptions } from '../index.js'
import { isEnded } from '../lib/record/record.js'
import { Browser, buildApp, setCookies } from './fixtures/app.js'
import { FakeClock, HOUR, MINUTE, SECOND } from './fixtures/clock.js'
import { everyStore, memoryStore, recorded, wrapped } from './fixtures/stores.js'
import type { SessionStore } from '../types/store.js'

const DAY = 24 * HOUR

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}`, async (t) => {
    const start = async (options: SessionOptions = {}, begin: (request: FastifyRequest) => void = () => {}) => {
      const clock = new FakeClock()
      const { store, calls } = recorded(makeStore(clock))
      const app = await buildApp(t, { store, clock, ...options })
      let act: (request: FastifyRequest) => unknown = () => {}
      app.get('/', async (request) => { await act(request); return request.session.data() })
      const browser = new Browser(app)
      const visit = async (next: typeof act = () => {}) => { act = next; return browser.visit('/') }
      await visit((request) => { request.session.set('user', 1); begin(request) })
      calls.length = 0
      const isIn = async () => 'user' in (await visit()).json()
      return { app, clock, store, calls, browser, visit, isIn }
    }

    await t.test('an unused session ends exactly at its idle deadline', async (t) => {
      const before = await start({ idleTimeout: '30m' })
      before.clock.advance(30 * MINUTE - 1)
      t.equal(await before.isIn(), true)
      const after = await start({ idleTimeout: '30m' })
      after.clock.advance(30 * MINUTE)
      t.equal(await after.isIn(), false)
    })

    await t.test('use renews the idle deadline, without end up to the absolute one', async (t) => {
      const { clock, isIn } = await start({ idleTimeout: '1h', absoluteTimeout: '5h' })
      for (let hours = 0; hours < 9; hours++) {
        clock.advance(HOUR / 2)
        t.equal(await isIn(), true)
      }
      clock.advance(HOUR / 2 - 1)
      t.equal(await isIn(), true)
      clock.advance(1)
      t.equal(await isIn(), false)
    })

    await t.test('the absolute deadline holds for writes and rotations, and starts again with regenerate', async (t) => {
      const { clock, visit, isIn } = await start({ idleTimeout: '1h', absoluteTimeout: '2h' })
      clock.advance(50 * MINUTE)
      await visit(({ session }) => session.set('x', 1))
      clock.advance(50 * MINUTE)
      await visit(({ session }) => session.rotate())
      clock.advance(20 * MINUTE)
      t.equal(await isIn(), false)
      await visit(({ session }) => session.set('user', 2))
      clock.advance(59 * MINUTE)
      await visit(({ session }) => session.regenerate(['user']))
      clock.advance(50 * MINUTE)
      await visit()
      clock.advance(50 * MINUTE)
      t.equal(await isIn(), true)
    })

    await t.test('reads inside the first tenth of the idle timeout cost no write', async (t) => {
      const { clock, calls, isIn } = await start({ idleTimeout: '100m' })
      for (let i = 0; i < 100; i++) { clock.advance(5 * SECOND); await isIn() }
      t.same([...new Set(calls)], ['read'])
      clock.advance(2 * MINUTE)
      await isIn()
      t.equal(calls.at(-1), 'touch')
      await isIn()
      t.equal(calls.at(-1), 'read', 'and then not again')
    })

    await t.test('a write inside the first tenth does not move the deadline, a later one does', async (t) => {
      const { clock, visit, store, app, browser } = await start({ idleTimeout: '100m' })
      const { sessionId, expiresAt } = await app.sessions.load(`sid=${browser.cookies['sid']}`)
      clock.advance(9 * MINUTE)
      await visit(({ session }) => session.set('x', 1))
      t.match(await store.read(sessionId), { expiresAt })
      clock.advance(2 * MINUTE)
      await visit(({ session }) => session.set('x', 2))
      t.match(await store.read(sessionId), { expiresAt: expiresAt + 11 * MINUTE })
    })

    await t.test('touch moves the deadline at once', async (t) => {
      const { clock, visit, isIn } = await start({ idleTimeout: '1h' })
      clock.advance(MINUTE)
      await visit(({ session }) => session.touch())
      clock.advance(59 * MINUTE + 30 * SECOND)
      t.equal(await isIn(), true)
    })

    await t.test('close to the absolute deadline there is nothing left to renew', async (t) => {
      const { clock, calls, isIn } = await start({ idleTimeout: '1h', absoluteTimeout: '1h' })
      clock.advance(30 * MINUTE)
      await isIn()
      t.same(calls, ['read'])
    })

    await t.test('a session gets a lifetime of its own, and keeps it', async (t) => {
      const long = await start({}, ({ session }) => session.lifetime({ idle: '30d', absolute: '30d', persistent: true }))
      const short = await start({}, ({ session }) => session.lifetime({ idle: '1m' }))
      const normal = await start()
      for (const { clock } of [long, short, normal]) clock.advance(2 * MINUTE)
      t.same([await long.isIn(), await short.isIn(), await normal.isIn()], [true, false, true])
      for (const { clock } of [long, normal]) clock.advance(20 * DAY)
      t.same([await long.isIn(), await normal.isIn()], [true, false])
      long.clock.advance(10 * DAY)
      t.equal(await long.isIn(), false, 'the absolute limit of its own holds')
    })

    await t.test('a session that is not persistent has a cookie without a date', async (t) => {
      const { visit } = await start()
      const [line] = setCookies(await visit(({ session }) => session.rotate()))
      t.notMatch(line, /max-age|expires/i)
    })

    await t.test('the cookie of a persistent session and its record have one deadline, also after renewal', async (t) => {
      const { app, browser, clock, visit } = await start({}, ({ session }) => session.lifetime({ idle: '10d', absolute: '30d', persistent: true }))
      const agree = async (line: string | undefined) => {
        const { expiresAt } = await app.sessions.load(`sid=${browser.cookies['sid']}`)
        t.equal(Date.parse(/Expires=([^;]+)/.exec(String(line))?.[1] ?? ''), expiresAt)
        t.equal(Number(/Max-Age=(\d+)/.exec(String(line))?.[1]) * SECOND, expiresAt - clock.now())
      }
      clock.advance(MINUTE)
      await agree(setCookies(await visit(({ session }) => session.touch()))[0])
      clock.advance(HOUR)
      t.same(setCookies(await visit(({ session }) => session.set('x', 1))), [], 'no cookie while the deadline stays')
      clock.advance(2 * DAY)
      await agree(setCookies(await visit())[0])
      clock.advance(2 * DAY)
      await agree(setCookies(await visit(({ session }) => session.set('x', 2)))[0])
    })

    await t.test('taking persistence back makes it a browser-session cookie again', async (t) => {
      const { visit } = await start({}, ({ session }) => session.lifetime({ persistent: true }))
      const [line] = setCookies(await visit(({ session }) => session.lifetime({ persistent: false })))
      t.match(line, /^sid=/)
      t.notMatch(line, /max-age/i)
    })

    await t.test('regenerate keeps the lifetime of its own, counted anew, unless another is given', async (t) => {
      const { clock, visit, isIn } = await start({}, ({ session }) => session.lifetime({ idle: '10d', absolute: '30d', persistent: true }))
      for (let i = 0; i < 3; i++) { clock.advance(9 * DAY); t.equal(await isIn(), true) }
      t.match(setCookies(await visit(({ session }) => session.regenerate(['user'])))[0], /max-age=864000;/i)
      clock.advance(9 * DAY)
      t.equal(await isIn(), true)
      t.notMatch(setCookies(await visit(({ session }) => { session.regenerate(['user']); session.lifetime({ idle: '1h', absolute: '1h', persistent: false }) }))[0], /max-age/i)
      clock.advance(HOUR)
      t.equal(await isIn(), false)
    })

    await t.test('what begins after a logout has the lifetime of the options', async (t) => {
      const { clock, visit, isIn } = await start({}, ({ session }) => session.lifetime({ idle: '10d', absolute: '30d', persistent: true }))
      t.notMatch(setCookies(await visit(({ session }) => { session.destroy(); session.set('user', 2) }))[0], /max-age/i)
      clock.advance(HOUR)
      t.equal(await isIn(), false)
    })

    await t.test('reauthenticated keeps the lifetime of its own, and counts both deadlines anew', async (t) => {
      const { clock, visit, isIn } = await start({}, ({ session }) => session.lifetime({ idle: '10d', absolute: '11d' }))
      clock.advance(9 * DAY)
      await visit(({ session }) => session.reauthenticated())
      clock.advance(9 * DAY)
      t.equal(await isIn(), true)
      clock.advance(2 * DAY)
      t.equal(await isIn(), false)
    })

    await t.test('use counts from arrival: a slow request that found the session alive stores its change', async (t) => {
      const { clock, visit, store, app, browser } = await start({ idleTimeout: '1h' })
      const { sessionId } = await app.sessions.load(`sid=${browser.cookies['sid']}`)
      clock.advance(HOUR - 1)
      await visit(({ session }) => { clock.advance(29 * MINUTE); session.set('x', 1) })
      const arrived = clock.now() - 29 * MINUTE
      t.match(await store.read(sessionId), { expiresAt: arrived + HOUR, values: { x: '1' } })
    })

    await t.test('less than half of the idle timeout left is renewed before the handler, more is not', async (t) => {
      for (const [minutes, renewed] of [[30, false], [31, true]] as const) {
        const { clock, visit, calls } = await start({ idleTimeout: '1h' })
        clock.advance(minutes * MINUTE)
        let before: readonly string[] = []
        await visit(() => { before = [...calls] })
        t.same(before, renewed ? ['read', 'touch'] : ['read'])
        t.same(calls, ['read', 'touch'], 'and once in any case')
      }
    })

    await t.test('a clock that goes back ends nothing', async (t) => {
      const { clock, isIn } = await start()
      clock.advance(-5 * HOUR)
      t.equal(await isIn(), true)
    })
  })
}

t.test('a store that never expires anything is not believed, and its record is left alone', async (t) => {
  for (const deadline of ['expiresAt', 'absoluteExpiresAt'] as const) {
    const clock = new FakeClock()
    const inner = memoryStore()
    const stale: SessionStore = wrapped(inner, () => {})
    const { read } = stale
    stale.read = async (id) => {
      const record = await read(id)
      return record === null || isEnded(record) ? record : { ...record, expiresAt: clock.now() + HOUR, absoluteExpiresAt: clock.now() + HOUR, [deadline]: clock.now() }
    }
    const app = await buildApp(t, { store: stale, clock: { now: () => clock.now() }, absoluteTimeout: '400d', idleTimeout: '400d' })
    const { cookies } = await app.sessions.issue({ user: 1 })
    app.get('/', async ({ session }) => session.data())
    const response = await app.inject({ url: '/', cookies })
    t.same([response.json(), setCookies(response)], [{}, []])
    t.equal(inner.size, 1, 'loading never destroys anything')
  }
})
