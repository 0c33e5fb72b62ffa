// What is saved, and what happens to the cookie: every way a request can treat its
// session, by everything that its cookie can be, on every store.
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import type { Session } from '../index.js'
import { isEnded } from '../lib/record/record.js'
import { Browser, buildApp, setCookies } from './fixtures/app.js'
import { FakeClock, MINUTE, SECOND } from './fixtures/clock.js'
import { recorded, type StoreFunction } from './fixtures/stores.js'
import type { SessionStore } from '../types/store.js'
import { withPostgres } from './fixtures/with-postgres.js'

type Cookie = 'set' | 'cleared' | 'none'

/** What a request does to the store after the read, and to the cookie, and what the browser's session holds then. */
interface Outcome {
  readonly calls: readonly StoreFunction[]
  readonly cookie: Cookie
  readonly data: object
  /** 200, where it is left out. */
  readonly status?: number
}

interface Row {
  readonly act: (session: Session) => void
  /** Minutes that go by before the request. */
  readonly after?: number
  /** Where no session was loaded. */
  readonly without: Outcome
  /** Where one was, by its current token. */
  readonly with: Outcome
  /** By an earlier token that still opens it; left out: as by the current one. */
  readonly earlier?: Outcome
  /** Where the session has ended: while the request runs, or shortly before it. */
  readonly ended?: Outcome
  /** By a token that a step-up left behind. */
  readonly late?: Outcome
}

const seeded = { a: 1, z: 1 }
const nothing: Outcome = { calls: [], cookie: 'none', data: {} }
const untouched: Outcome = { calls: [], cookie: 'none', data: seeded }
const renewed: Outcome = { calls: ['touch'], cookie: 'none', data: seeded }
const logout: Outcome = { calls: ['destroy'], cookie: 'cleared', data: {} }
const endedNothing: Outcome = { calls: ['destroy'], cookie: 'none', data: {} }
const refused: Outcome = { calls: [], cookie: 'none', data: {}, status: 401 }
const created = (data: object): Outcome => ({ calls: ['create'], cookie: 'set', data })
const updated = (data: object, cookie: Cookie = 'none'): Outcome => ({ calls: ['update'], cookie, data })
const replaced = (data: object): Outcome => ({ calls: ['create', 'destroy'], cookie: 'set', data })
/** A logout, and what was set after it. */
const restarted = (data: object): Outcome => ({ calls: ['destroy', 'create'], cookie: 'set', data })

const rows: Record<string, Row> = {
  'is left alone': { act: () => {}, without: nothing, with: untouched },
  'is read': { act: (session) => { session.get('a'); session.has('b'); session.data() }, without: nothing, with: untouched },
  'is read when renewal is due': { act: (session) => { session.get('a') }, after: 7, without: nothing, with: renewed },
  'is left alone when renewal is due': { act: () => {}, after: 7, without: nothing, with: renewed },
  'is touched': { act: (session) => session.touch(), after: 1, without: nothing, with: renewed },
  'is changed': { act: (session) => session.set('b', 2), without: created({ b: 2 }), with: updated({ ...seeded, b: 2 }) },
  'is changed and changed back': { act: (session) => { session.set('a', 2); session.set('a', 1) }, without: created({ a: 1 }), with: untouched },
  'loses a key': { act: (session) => session.remove('a'), without: nothing, with: updated({ z: 1 }) },
  'loses its last key by remove': { act: (session) => { session.remove('z'); session.remove('a') }, without: nothing, with: updated({}) },
  'loses its last key by pop': { act: (session) => { session.remove('z'); session.pop('a') }, without: nothing, with: updated({}) },
  'is cleared': { act: (session) => session.clear(), without: nothing, with: logout, ended: endedNothing },
  'is changed and then cleared': { act: (session) => { session.set('b', 2); session.clear() }, without: nothing, with: logout, ended: endedNothing },
  'is cleared, then set and emptied again': { act: (session) => { session.clear(); session.set('b', 2); session.remove('b') }, without: nothing, with: logout, ended: endedNothing },
  'is cleared and then set': { act: (session) => { session.clear(); session.set('b', 2) }, without: created({ b: 2 }), with: updated({ b: 2 }) },
  'is destroyed': { act: (session) => session.destroy(), without: nothing, with: logout, ended: endedNothing, late: logout },
  'is set and then destroyed': { act: (session) => { session.set('b', 2); session.destroy() }, without: nothing, with: logout, ended: endedNothing, late: logout },
  'is destroyed and then set': { act: (session) => { session.destroy(); session.set('b', 2) }, without: created({ b: 2 }), with: restarted({ b: 2 }), ended: restarted({ b: 2 }), late: restarted({ b: 2 }) },
  'is destroyed and then rotated': { act: (session) => { session.destroy(); session.rotate() }, without: nothing, with: logout, ended: endedNothing, late: logout },
  'is destroyed and then regenerated': { act: (session) => { session.destroy(); session.regenerate('all') }, without: nothing, with: logout, ended: endedNothing, late: logout },
  'is destroyed, regenerated and set': { act: (session) => { session.destroy(); session.regenerate(); session.set('b', 2) }, without: created({ b: 2 }), with: restarted({ b: 2 }), ended: restarted({ b: 2 }), late: restarted({ b: 2 }) },
  'is rotated': { act: (session) => session.rotate(), without: nothing, with: updated(seeded, 'set'), earlier: untouched },
  'is rotated twice': { act: (session) => { session.rotate(); session.rotate() }, without: nothing, with: updated(seeded, 'set'), earlier: untouched },
  'is rotated and changed': { act: (session) => { session.set('b', 2); session.rotate() }, without: created({ b: 2 }), with: updated({ ...seeded, b: 2 }, 'set'), earlier: updated({ ...seeded, b: 2 }) },
  'is rotated and then cleared': { act: (session) => { session.rotate(); session.clear() }, without: nothing, with: logout, ended: endedNothing },
  'is rotated and then destroyed': { act: (session) => { session.rotate(); session.destroy() }, without: nothing, with: logout, ended: endedNothing, late: logout },
  'is proved again': { act: (session) => session.reauthenticated(), without: refused, with: updated(seeded, 'set'), ended: refused, late: refused },
  'is proved again and rotated': { act: (session) => { session.reauthenticated(); session.rotate() }, without: refused, with: updated(seeded, 'set'), ended: refused, late: refused },
  'is set and proved again': { act: (session) => { session.set('b', 2); session.reauthenticated() }, without: created({ b: 2 }), with: updated({ ...seeded, b: 2 }, 'set'), ended: refused, late: refused },
  'is regenerated': { act: (session) => session.regenerate(), without: nothing, with: replaced({}) },
  'is regenerated keeping a key': { act: (session) => session.regenerate(['a']), without: nothing, with: replaced({ a: 1 }) },
  'is regenerated keeping all': { act: (session) => session.regenerate('all'), without: nothing, with: replaced(seeded) },
  'is regenerated by two lists': { act: (session) => { session.regenerate(['a', 'z']); session.regenerate(['z', 'b']) }, without: nothing, with: replaced({ z: 1 }) },
  'is regenerated keeping all, then nothing': { act: (session) => { session.regenerate('all'); session.regenerate() }, without: nothing, with: replaced({}) },
  'is regenerated and then destroyed': { act: (session) => { session.regenerate(); session.destroy() }, without: nothing, with: logout, ended: endedNothing, late: logout },
  'is regenerated and then set': { act: (session) => { session.regenerate(); session.set('b', 2) }, without: created({ b: 2 }), with: replaced({ b: 2 }), ended: created({ b: 2 }), late: created({ b: 2 }) },
  'is set and regenerated keeping all': { act: (session) => { session.set('b', 2); session.regenerate('all') }, without: created({ b: 2 }), with: replaced({ ...seeded, b: 2 }), ended: created({ b: 2 }), late: created({ b: 2 }) },
  'is set and regenerated keeping nothing': { act: (session) => { session.set('b', 2); session.regenerate() }, without: nothing, with: replaced({}) },
  'is regenerated and proved again': { act: (session) => { session.regenerate('all'); session.reauthenticated() }, without: refused, with: replaced(seeded), late: refused },
  'gets another lifetime': { act: (session) => session.lifetime({ idle: '10m' }), without: nothing, with: updated(seeded, 'set'), earlier: updated(seeded) },
  'gets another lifetime and loses nothing': { act: (session) => { session.lifetime({ persistent: true }); session.remove('zzz') }, without: nothing, with: updated(seeded, 'set'), earlier: updated(seeded) }
}

/** What a request that came for an ended session leaves: nothing, unless the row says more. */
const dropped: Outcome = { calls: [], cookie: 'none', data: {} }

interface Stage {
  readonly app: FastifyInstance
  readonly clock: FakeClock
  readonly store: SessionStore
  readonly calls: StoreFunction[]
  /** Runs in the handler, before the row's own act. */
  meet: () => unknown
  visit (cookies: Record<string, string>, url?: string): Promise<LightMyRequestResponse>
  /** A browser with a session that holds `seeded`. */
  seeded (): Promise<Browser>
  idOf (browser: Browser): Promise<string>
}

async function stageOf (t: Test, makeStore: (clock?: FakeClock) => SessionStore, row: Row | null): Promise<Stage> {
  const clock = new FakeClock()
  const { store, calls } = recorded(makeStore(clock))
  const app = await buildApp(t, { store, clock })
  const stage: Stage = {
    app,
    clock,
    store,
    calls,
    meet: () => {},
    visit: (cookies, url = '/act') => app.inject({ url, cookies }),
    seeded: async () => {
      const browser = new Browser(app)
      await browser.visit('/seed')
      return browser
    },
    idOf: async (browser) => (await browser.visit('/id')).json().id
  }
  app.get('/act', async ({ session }) => { await stage.meet(); row?.act(session) })
  app.get('/seed', async ({ session }) => session.setMany(seeded))
  app.get('/id', async ({ session }) => ({ id: session.sessionId }))
  app.get('/data', async ({ session }) => session.data())
  app.get('/rotate', async ({ session }) => session.rotate())
  app.get('/prove', async ({ session }) => session.reauthenticated())
  app.get('/logout', async ({ session }) => session.destroy())
  return stage
}

/** Visits as the browser, and compares with what the row says. */
async function check (t: Test, stage: Stage, browser: Browser, expected: Outcome, first: readonly StoreFunction[]): Promise<void> {
  stage.calls.length = 0
  const response = await browser.visit('/act')
  const made = [...stage.calls]
  const lines = setCookies(response)
  t.equal(response.statusCode, expected.status ?? 200)
  t.ok(lines.length <= 1, 'sets one cookie at most')
  t.equal(lines.length === 0 ? 'none' : browser.cookies['sid'] === undefined ? 'cleared' : 'set', expected.cookie)
  t.same(made, [...first, ...expected.calls])
  t.same((await browser.visit('/data')).json(), expected.data)
}

const stores = await withPostgres()

for (const { kind, makeStore } of stores) {
  for (const [title, row] of Object.entries(rows)) {
    t.test(`on ${kind}, a session that ${title}`, async (t) => {
      const stage = await stageOf(t, makeStore, row)
      const { app, clock, store } = stage
      const wait = () => clock.advance((row.after ?? 0) * MINUTE)
      const isReplaced = row.with.calls.includes('create') || row.with.calls.includes('destroy')

      await t.test('where none was loaded', async (t) => {
        await check(t, stage, new Browser(app), row.without, [])
      })

      await t.test('where one was loaded', async (t) => {
        const browser = await stage.seeded()
        const before = { ...browser.cookies }
        const id = await stage.idOf(browser)
        wait()
        await check(t, stage, browser, row.with, ['read'])
        t.equal(await stage.idOf(browser) === id, !isReplaced, 'the id changes with the session')
        t.equal(isEnded(await store.read(id)), isReplaced, 'and the old one has ended')
        t.equal(browser.cookies['sid'] === before['sid'], row.with.cookie === 'none' || (title.startsWith('gets')))
        const isProved = row.with.calls.length === 1 && title.includes('proved')
        if (isReplaced || isProved) t.same((await stage.visit(before, '/data')).json(), {}, 'the old cookie opens nothing')
        else t.same((await stage.visit(before, '/data')).json(), row.with.data, 'the old cookie opens it still')
      })

      await t.test('where an earlier token opened it', async (t) => {
        const browser = await stage.seeded()
        const other = new Browser(app)
        Object.assign(other.cookies, browser.cookies)
        await other.visit('/rotate')
        wait()
        await check(t, stage, browser, row.earlier ?? row.with, ['read'])
      })

      await t.test('where it ends while the request runs', async (t) => {
        const browser = await stage.seeded()
        const id = await stage.idOf(browser)
        wait()
        stage.meet = () => store.destroy(id)
        const { status = 200, cookie, data } = row.ended ?? dropped
        const response = await browser.visit('/act')
        stage.meet = () => {}
        t.equal(response.statusCode, title === 'is regenerated and proved again' ? 200 : status)
        t.equal(setCookies(response).length, cookie === 'none' ? 0 : 1)
        t.ok(isEnded(await store.read(id)), 'it does not come back')
        t.same((await browser.visit('/data')).json(), data)
      })

      await t.test('where it ended shortly before', async (t) => {
        const browser = await stage.seeded()
        await stage.visit(browser.cookies, '/logout')
        clock.advance(59 * SECOND)
        const { status, ...rest } = row.ended ?? dropped
        const isCleared = row.with.calls[0] === 'destroy' && !('late' in row)
        const proved = title === 'is regenerated and proved again' ? 401 : status
        await check(t, stage, browser, { ...rest, ...(isCleared && { calls: [] }), ...(proved !== undefined && { status: proved }) }, ['read'])
      })

      await t.test('where a step-up left its token behind', async (t) => {
        const browser = await stage.seeded()
        const other = new Browser(app)
        Object.assign(other.cookies, browser.cookies)
        await other.visit('/prove')
        clock.advance(59 * SECOND)
        await check(t, stage, browser, row.late ?? dropped, ['read'])
        const survives = !(row.late?.calls.includes('destroy') ?? false)
        t.same((await other.visit('/data')).json(), survives ? seeded : {}, 'only a logout reaches the session')
      })
    })
  }

  t.test(`on ${kind}, a minute after the end a request with the cookie is one without`, async (t) => {
    for (const end of ['/logout', '/prove']) {
      const stage = await stageOf(t, makeStore, { ...rows['is changed'] as Row })
      const browser = await stage.seeded()
      await stage.visit(browser.cookies, end)
      stage.clock.advance(MINUTE)
      await check(t, stage, browser, created({ b: 2 }), ['read'])
    }
  })

  t.test(`on ${kind}, a logout ends the session under every earlier token, however old`, async (t) => {
    for (const change of ['/rotate', '/prove']) {
      const stage = await stageOf(t, makeStore, { ...rows['is destroyed'] as Row })
      const browser = await stage.seeded()
      const other = new Browser(stage.app)
      Object.assign(other.cookies, browser.cookies)
      await other.visit(change)
      stage.clock.advance(20 * MINUTE)
      await other.visit('/data')
      await check(t, stage, browser, logout, ['read'])
      t.same((await other.visit('/data')).json(), {})
    }
  })

  t.test(`on ${kind}, a logout ends every session that the cookies open`, async (t) => {
    for (const [title, calls] of [['is destroyed', ['destroy', 'destroy']], ['is cleared', ['destroy']]] as const) {
      const stage = await stageOf(t, makeStore, { ...rows[title] as Row })
      const both = [await stage.seeded(), await stage.seeded()]
      const cookie = both.map(({ cookies }) => `sid=${cookies['sid']}`).join('; ')
      stage.calls.length = 0
      const response = await stage.app.inject({ url: '/act', headers: { cookie } })
      t.match(setCookies(response), [/^sid=; Max-Age=0/])
      t.same(stage.calls, ['read', 'read', ...calls])
      const left = await Promise.all(both.map(async ({ cookies }) => (await stage.visit(cookies, '/data')).json()))
      t.same(left.filter((data) => 'a' in data).length, 2 - calls.length, title)
    }
  })

  t.test(`on ${kind}, two cookies of one session are one session`, async (t) => {
    const stage = await stageOf(t, makeStore, { ...rows['is destroyed'] as Row })
    const browser = await stage.seeded()
    const before = browser.cookies['sid']
    await browser.visit('/rotate')
    await browser.visit('/data')
    for (const order of [[before, browser.cookies['sid']], [browser.cookies['sid'], before]]) {
      stage.calls.length = 0
      const response = await stage.app.inject({ url: '/data', headers: { cookie: order.map((value) => `sid=${value}`).join('; ') } })
      t.same([response.json(), stage.calls], [seeded, ['read', 'read']])
    }
    stage.calls.length = 0
    await stage.app.inject({ url: '/act', headers: { cookie: `sid=${before}; sid=${browser.cookies['sid']}` } })
    t.same(stage.calls, ['read', 'read', 'destroy'])
    t.equal(stage.app.sessions.stats().destroyed, 1)
  })

  t.test(`on ${kind}, a cookie with an id or a secret that is not known is left alone`, async (t) => {
    const stage = await stageOf(t, makeStore, { ...rows['is changed'] as Row })
    const { app, calls } = stage
    const known = String((await stage.seeded()).cookies['sid'])
    for (const unknown of [Buffer.alloc(48, 7).toString('base64url'), known.slice(0, 24) + 'x'.repeat(40)]) {
      calls.length = 0
      const response = await app.inject({ url: '/data', cookies: { sid: unknown } })
      t.same([response.json(), setCookies(response), calls], [{}, [], ['read']])
      const written = await app.inject({ url: '/act', cookies: { sid: unknown } })
      t.notMatch(setCookies(written)[0], unknown.slice(0, 24), 'and is never adopted')
      t.same(calls, ['read', 'read', 'create'])
      const out = await app.inject({ url: '/logout', cookies: { sid: unknown } })
      t.same([setCookies(out), calls.slice(3)], [[], ['read']], 'and ends nothing')
    }
    t.same((await stage.visit({ sid: known }, '/data')).json(), seeded)
  })

  t.test(`on ${kind}, 404, HEAD and OPTIONS create nothing and set no cookie`, async (t) => {
    const { store, calls } = recorded(makeStore())
    const app = await buildApp(t, { store })
    app.get('/', async (request) => request.session.get('a') ?? 'nothing')
    app.options('/', async () => '')
    for (const [method, url] of [['GET', '/'], ['HEAD', '/'], ['OPTIONS', '/'], ['GET', '/nowhere'], ['POST', '/nowhere']] as const) {
      t.same(setCookies(await app.inject({ method, url })), [], `${method} ${url}`)
    }
    t.same(calls, [])
  })
}
