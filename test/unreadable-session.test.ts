// A store that reads and refuses writes, and a session that could not be read.
import t, { type Test } from 'tap'
import type { SessionOptions } from '../index.js'
import { Browser, buildApp, setCookies } from './fixtures/app.js'
import { FakeClock, HOUR } from './fixtures/clock.js'
import { everyStore, wrapped, type StoreFunction } from './fixtures/stores.js'
import type { SessionStore } from '../types/store.js'

async function start (t: Test, store: SessionStore, options: SessionOptions = {}) {
  const refused = new Set<StoreFunction>()
  const failing = wrapped(store, (name) => { if (refused.has(name)) throw new Error("READONLY You can't write against a read only replica.") })
  const app = await buildApp(t, { store: failing, ...options })
  const browser = new Browser(app)
  Object.assign(browser.cookies, (await app.sessions.issue({ user: 1 })).cookies)
  return { app, browser, refused }
}

for (const { kind, makeStore } of everyStore) {
  t.test(`reload() and save() of a session that could not be read ask ${kind} again`, async (t) => {
    const { app, browser, refused } = await start(t, makeStore(), { onStoreError: 'anonymous' })
    app.get('/reload', async ({ session }) => {
      const before = session.get('user') ?? null
      refused.delete('read')
      await session.reload()
      session.set('reloaded', true)
      return [before, session.get('user')]
    })
    app.get('/save', async ({ session }) => {
      refused.delete('read')
      const saved = await session.save()
      session.set('saved', true)
      return [saved, session.get('user')]
    })
    app.get('/still', async ({ session }) => {
      const code = (error: { code: string }) => error.code
      return [await session.save().catch(code), await session.reload().catch(code), await session.update('user', () => 1).catch(code), await session.take('user').catch(code), session.get('user') ?? null]
    })
    app.get('/data', async ({ session }) => session.data())
    refused.add('read')
    t.same((await browser.visit('/still')).json(), ['FST_KEEP_STORE', 'FST_KEEP_STORE', 'FST_KEEP_STORE', 'FST_KEEP_STORE', null])
    t.same((await browser.visit('/reload')).json(), [null, 1])
    refused.add('read')
    t.same((await browser.visit('/save')).json(), [true, 1])
    t.same((await browser.visit('/data')).json(), { user: 1, reloaded: true, saved: true })
    refused.add('read')
    const session = await app.sessions.load(`sid=${browser.cookies['sid']}`)
    refused.delete('read')
    await session.reload()
    t.equal(session.get('user'), 1, 'without a request, too')
    refused.add('read')
    const other = await app.sessions.load(`sid=${browser.cookies['sid']}`)
    refused.delete('read')
    t.equal(await other.save(), true)
    t.equal(other.get('user'), 1)
  })

  t.test(`while ${kind} reads and refuses writes, who is logged in can read on, and nothing is confirmed`, async (t) => {
    for (const onStoreError of ['fail', 'anonymous'] as const) {
      const clock = new FakeClock()
      const { app, browser, refused } = await start(t, makeStore(clock), { clock, onStoreError })
      app.get('/read', async ({ session }) => ({ user: session.get('user') ?? null }))
      app.get('/set', async ({ session }) => session.set('user', 2))
      app.get('/rotate', async ({ session }) => session.rotate())
      app.get('/login', async ({ session }) => { session.regenerate(['user']) })
      await browser.visit('/rotate')
      for (const name of ['create', 'update', 'touch', 'destroy'] as const) refused.add(name)
      for (const quarters of [0, 1, 1, 1]) {
        clock.advance(quarters * HOUR / 4)
        const response = await browser.visit('/read')
        t.same([response.statusCode, response.json(), setCookies(response)], [200, { user: 1 }, []], 'the first use of a new token, and renewals, are not needed')
      }
      for (const url of ['/set', '/rotate', '/login']) {
        const response = await browser.visit(url)
        t.same([response.statusCode, setCookies(response)], [503, []], url)
      }
      refused.clear()
      t.same((await browser.visit('/read')).json(), { user: 1 })
    }
  })
}

for (const { kind, makeStore } of everyStore) {
  t.test(`update() and take() on ${kind} first save what concerns the whole session`, async (t) => {
    const { app, browser } = await start(t, makeStore())
    app.get('/clear', async ({ session }) => { session.clear(); session.set('b', 1); return [await session.update('user', (user) => user ?? 'none'), session.data()] })
    app.get('/login', async ({ session }) => { session.regenerate(['user']); return [await session.update('user', (user) => `${String(user)}!`), await session.take('b') ?? null] })
    app.get('/data', async ({ session }) => session.data())
    t.same((await browser.visit('/clear')).json(), ['none', { b: 1, user: 'none' }])
    const response = await browser.visit('/login')
    t.same([response.json(), setCookies(response).length], [['none!', null], 1])
    t.same((await browser.visit('/data')).json(), { user: 'none!' })
  })
}

t.test('options() and lifetime() refuse what they do not know, and say what was meant', async (t) => {
  const { app, browser } = await start(t, everyStore[0]?.makeStore() as SessionStore)
  let given: [call: 'options' | 'lifetime', argument: unknown] = ['options', {}]
  app.get('/', async ({ session }) => {
    try {
      (session[given[0]] as (argument: unknown) => void)(given[1])
      return 'accepted'
    } catch (error) {
      return `${(error as { code: string }).code}: ${(error as Error).message}`
    }
  })
  const refused: ReadonlyArray<[...typeof given, message: RegExp]> = [
    ['options', { samesite: 'strict' }, /samesite 'strict': there is no such option; did you mean sameSite\?/],
    ['options', { colour: 'red' }, /colour 'red': there is no such option; the options are path, domain/],
    ['options', { maxAge: 5 }, /maxAge 5: write session\.lifetime\(\{ idle, persistent: true \}\)/],
    ['options', { sameSite: 'none' }, /secure 'auto': sameSite 'none' needs secure: true/],
    ['options', null, /null: give an object such as/],
    ['lifetime', { idel: '1h' }, /idel: there is no such option; did you mean idle\?/],
    ['lifetime', { maxAge: 5 }, /maxAge: write idle and absolute/],
    ['lifetime', { persistent: 'yes' }, /persistent 'yes': give true or false/],
    ['lifetime', { idle: '25h' }, /beyond the absolute one .* give absolute, too/],
    ['lifetime', { absolute: '30m' }, /beyond the absolute one/],
    ['lifetime', { idle: '2h', absolute: '1h' }, /beyond the absolute one/],
    ['lifetime', 5, /5: give an object such as/]
  ]
  for (const [call, argument, message] of refused) {
    given = [call, argument]
    const { body } = await browser.visit('/')
    t.match(body, /^FST_KEEP_INVALID_ARGUMENT: /)
    t.match(body, message)
  }
  for (const accepted of [['options', { sameSite: undefined }], ['options', { userInfo: 'of csrf protection' }], ['lifetime', {}], ['lifetime', { idle: '24h' }], ['lifetime', { idle: '30d', absolute: '30d' }]] as const) {
    given = [...accepted]
    t.equal((await browser.visit('/')).body, 'accepted')
  }
})
