// What is saved, and what happens to the cookie: every way a request can treat
// its session, with and without one, on every store.
import t from 'tap'
import type { Session } from '../index.js'
import { Browser, buildApp, setCookies } from './fixtures/app.js'
import { FakeClock, MINUTE } from './fixtures/clock.js'
import { everyStore, recorded, type StoreFunction } from './fixtures/stores.js'

interface Row {
  readonly act: (session: Session) => void
  /** Calls on the store after the read, where no session was loaded, and where one was. */
  readonly without: readonly StoreFunction[]
  readonly with: readonly StoreFunction[]
  /** What becomes of the cookie. */
  readonly cookieWithout: 'set' | 'none'
  readonly cookieWith: 'set' | 'cleared' | 'none'
  /** What the browser's session holds afterwards. */
  readonly dataWithout: object
  readonly dataWith: object
  /** Minutes that go by before the request. */
  readonly after?: number
}

const nothing = { without: [], cookieWithout: 'none', dataWithout: {} } as const
const unchanged = { with: [], cookieWith: 'none', dataWith: { a: 1 } } as const
const ended = { with: ['destroy'], cookieWith: 'cleared', dataWith: {} } as const

const rows: Record<string, Row> = {
  'is left alone': { act: () => {}, ...nothing, ...unchanged },
  'is read': { act: (session) => { session.get('a'); session.has('b'); session.data() }, ...nothing, ...unchanged },
  'is read when renewal is due': { act: (session) => { session.get('a') }, after: 7, ...nothing, ...unchanged, with: ['touch'] },
  'is left alone when renewal is due': { act: () => {}, after: 7, ...nothing, ...unchanged, with: ['touch'] },
  'is touched': { act: (session) => session.touch(), after: 1, ...nothing, ...unchanged, with: ['touch'] },
  'is changed': { act: (session) => session.set('b', 2), without: ['create'], cookieWithout: 'set', dataWithout: { b: 2 }, with: ['update'], cookieWith: 'none', dataWith: { a: 1, b: 2 } },
  'is changed and changed back': { act: (session) => { session.set('a', 2); session.set('a', 1) }, without: ['create'], cookieWithout: 'set', dataWithout: { a: 1 }, ...unchanged },
  'is changed and then emptied': { act: (session) => { session.set('b', 2); session.clear() }, ...nothing, ...ended },
  'is emptied by clear': { act: (session) => session.clear(), ...nothing, ...ended },
  'is emptied by the last remove': { act: (session) => session.remove('a'), ...nothing, ...ended },
  'is cleared and then set': { act: (session) => { session.clear(); session.set('b', 2) }, without: ['create'], cookieWithout: 'set', dataWithout: { b: 2 }, with: ['update'], cookieWith: 'none', dataWith: { b: 2 } },
  'is destroyed': { act: (session) => session.destroy(), ...nothing, ...ended },
  'is set and then destroyed': { act: (session) => { session.set('b', 2); session.destroy() }, ...nothing, ...ended },
  'is destroyed and then set': { act: (session) => { session.destroy(); session.set('b', 2) }, without: ['create'], cookieWithout: 'set', dataWithout: { b: 2 }, with: ['destroy', 'create'], cookieWith: 'set', dataWith: { b: 2 } },
  'is destroyed and then regenerated': { act: (session) => { session.destroy(); session.regenerate() }, ...nothing, ...ended },
  'is regenerated': { act: (session) => session.regenerate(), without: ['create'], cookieWithout: 'set', dataWithout: {}, with: ['replace'], cookieWith: 'set', dataWith: {} },
  'is regenerated twice': { act: (session) => { session.regenerate(['a']); session.regenerate() }, without: ['create'], cookieWithout: 'set', dataWithout: {}, with: ['replace'], cookieWith: 'set', dataWith: {} },
  'is regenerated keeping a key': { act: (session) => session.regenerate(['a']), without: ['create'], cookieWithout: 'set', dataWithout: {}, with: ['replace'], cookieWith: 'set', dataWith: { a: 1 } },
  'is regenerated and then destroyed': { act: (session) => { session.regenerate(); session.destroy() }, ...nothing, ...ended },
  'is regenerated and then set': { act: (session) => { session.regenerate(); session.set('b', 2) }, without: ['create'], cookieWithout: 'set', dataWithout: { b: 2 }, with: ['replace'], cookieWith: 'set', dataWith: { b: 2 } },
  'is rotated': { act: (session) => session.rotate(), without: ['create'], cookieWithout: 'set', dataWithout: {}, with: ['replace'], cookieWith: 'set', dataWith: { a: 1 } },
  'is rotated and changed': { act: (session) => { session.set('b', 2); session.rotate() }, without: ['create'], cookieWithout: 'set', dataWithout: { b: 2 }, with: ['replace'], cookieWith: 'set', dataWith: { a: 1, b: 2 } },
  'gets another lifetime': { act: (session) => session.lifetime({ idle: '10m' }), ...nothing, with: ['update'], cookieWith: 'set', dataWith: { a: 1 } },
  'gets another lifetime while it is empty': { act: (session) => { session.lifetime({ persistent: true }); session.remove('zzz') }, ...nothing, with: ['update'], cookieWith: 'set', dataWith: { a: 1 } }
}

for (const { kind, makeStore } of everyStore) {
  for (const [title, row] of Object.entries(rows)) {
    t.test(`on ${kind}, a session that ${title}`, async (t) => {
      const clock = new FakeClock()
      const { store, calls } = recorded(makeStore(clock))
      const app = await buildApp(t, { store, clock })
      app.get('/seed', async (request) => { request.session.set('a', 1) })
      app.get('/act', async (request) => { await vanish(); row.act(request.session) })
      app.get('/vanish', async (request) => ({ sessionId: request.session.sessionId }))
      app.get('/data', async (request) => request.session.data())
      let vanish: () => unknown = () => {}

      const act = async (browser: Browser) => {
        clock.advance((row.after ?? 0) * MINUTE)
        const before = browser.cookies['sid']
        calls.length = 0
        const response = await browser.visit('/act')
        t.equal(response.statusCode, 200)
        const lines = setCookies(response)
        t.ok(lines.length <= 1, 'sets one cookie at most')
        const cookie = lines.length === 0 ? 'none' : browser.cookies['sid'] === undefined ? 'cleared' : 'set'
        return { cookie, before, made: [...calls] }
      }

      await t.test('where none was loaded', async (t) => {
        const browser = new Browser(app)
        const { cookie, made } = await act(browser)
        t.same(made, row.without)
        t.equal(cookie, row.cookieWithout)
        t.same((await browser.visit('/data')).json(), row.dataWithout)
      })

      await t.test('where one was loaded', async (t) => {
        const browser = new Browser(app)
        await browser.visit('/seed')
        const { cookie, before, made } = await act(browser)
        t.same(made, ['read', ...row.with])
        t.equal(cookie, row.cookieWith)
        t.same((await browser.visit('/data')).json(), row.dataWith)
        const changesId = row.with.includes('replace') || row.with.includes('destroy')
        t.equal(browser.cookies['sid'] === before, !changesId)
        if (changesId) t.same((await app.inject({ url: '/data', cookies: { sid: String(before) } })).json(), {}, 'the old cookie opens nothing')
      })

      await t.test('where its record vanished meanwhile', async (t) => {
        const browser = new Browser(app)
        await browser.visit('/seed')
        const { sessionId } = (await browser.visit('/vanish')).json()
        clock.advance((row.after ?? 0) * MINUTE)
        vanish = () => store.destroy(sessionId)
        const response = await browser.visit('/act')
        t.equal(response.statusCode, 200)
        t.equal(await store.read(sessionId), null, 'it does not come back')
        const startsAnew = row.with.includes('create')
        t.equal(setCookies(response).length, row.with.includes('destroy') ? 1 : 0)
        t.same((await browser.visit('/data')).json(), startsAnew ? row.dataWith : {})
      })
    })
  }

  t.test(`on ${kind}, a cookie with an id that is not known is left alone`, async (t) => {
    const { store, calls } = recorded(makeStore())
    const app = await buildApp(t, { store })
    app.get('/', async (request) => request.session.data())
    app.get('/set', async (request) => { request.session.set('a', 1) })
    const unknown = Buffer.alloc(32, 7).toString('base64url')
    const response = await app.inject({ url: '/', cookies: { sid: unknown } })
    t.same(setCookies(response), [])
    t.same(calls, ['read'])
    const written = await app.inject({ url: '/set', cookies: { sid: unknown } })
    t.notMatch(setCookies(written)[0], unknown, 'and is never adopted')
    t.same(calls, ['read', 'read', 'create'])
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
