// Whose session it is: listed, revoked and limited by owner, on every store that can.
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import session, { type SessionOptions } from '../index.js'
import { RedisStore } from '../lib/stores/redis/redis-store.js'
import { fromExpressStore } from '../lib/stores/express/express-store.js'
import type { Clock } from '../types/options.js'
import type { SessionStore } from '../types/store.js'
import { Browser, gate, setCookies } from './fixtures/app.js'
import { FakeClock, HOUR, MINUTE } from './fixtures/clock.js'
import { liveObjectStore } from './fixtures/live-object-store.js'
import { findProgram } from './needs.js'
import { connectIoRedis } from './fixtures/redis-clients.js'
import { startRedis } from './fixtures/redis.js'
import { startPostgres } from './fixtures/postgres.js'
import { postgresStore } from './fixtures/postgres-clients.js'
import { sqliteStore } from './fixtures/sqlite.js'
import { memoryStore, recorded, slowStore, wrapped } from './fixtures/stores.js'

type MakeStore = (t: Test, clock: Clock) => Promise<SessionStore>

// one server for all of them, with a table for each
let tables = 0
let started: Promise<string> | null = null
function server (): Promise<string> {
  started ??= startPostgres(t)
  return started
}

const stores: Record<string, MakeStore> = {
  'a store that answers at once': async (_t, clock) => memoryStore(clock),
  'a slow store': async (_t, clock) => slowStore(clock),
  SQLite: async (_t, clock) => sqliteStore({ clock }),
  ...(findProgram('redis') !== null && {
    Redis: async (t: Test, clock: Clock) => new RedisStore({ client: await connectIoRedis(t, await startRedis(t)), clock })
  }),
  ...(findProgram('postgres') !== null && {
    PostgreSQL: async (t: Test, clock: Clock) => postgresStore(t, await server(), { clock, table: `owners_${++tables}` })
  })
}

interface Body { user?: unknown, keep?: string[] | 'all', values?: Record<string, unknown>, id?: string, owner?: string, persistent?: boolean }

/** Logs in as a handler of an app does, and shows who is logged in. */
async function shop (t: Test, options: SessionOptions): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(session, { ownerKey: 'user', ...options })
  app.get('/', async ({ session }) => ({ ...session.data(), id: session.sessionId }))
  app.post('/login', async ({ session, body }) => {
    const { user, keep = [], values = {}, persistent } = body as Body
    session.regenerate(keep)
    if (persistent !== undefined) session.lifetime({ persistent })
    if (user !== undefined) session.set('user', user)
    session.setMany(values)
    return 'in'
  })
  app.post('/set', async ({ session, body }) => { session.setMany((body as Body).values ?? {}); return 'set' })
  app.post('/remove', async ({ session }) => session.remove('user'))
  app.post('/clear', async ({ session }) => { session.clear(); return 'cleared' })
  app.post('/logout', async ({ session }) => { session.destroy(); return 'out' })
  app.post('/rotate', async ({ session }) => { session.rotate(); return 'rotated' })
  app.post('/step-up', async ({ session }) => { session.reauthenticated(); return 'proved' })
  app.post('/others', async ({ session }) => ({ ended: await app.sessions.revokeAll(session.get('user') as string, { except: session }) }))
  return app
}

async function login (app: FastifyInstance, user: unknown, headers: Record<string, string> = {}): Promise<Browser> {
  const browser = new Browser(app)
  await browser.visit('/login', { method: 'POST', body: { user }, headers })
  return browser
}

const post = (browser: Browser, url: string, body: object = {}) => browser.visit(url, { method: 'POST', body })
const user = async (browser: Browser): Promise<unknown> => (await browser.visit('/')).json().user
const idOf = async (browser: Browser): Promise<string> => (await browser.visit('/')).json().id
const idsOf = async (app: FastifyInstance, owner: string | number) => (await app.sessions.list(owner)).map(({ sessionId }) => sessionId).sort()

for (const [kind, makeStore] of Object.entries(stores)) {
  const test = (title: string, run: (t: Test, store: SessionStore, clock: FakeClock) => Promise<void>) => {
    t.test(`on ${kind}, ${title}`, async (t) => {
      const clock = new FakeClock()
      await run(t, await makeStore(t, clock), clock)
    })
  }

  test('a user has the sessions that they logged in with, and nobody else does', async (t, store, clock) => {
    const app = await shop(t, { store, clock })
    const [one, two, other] = [await login(app, 42), await login(app, '42'), await login(app, 7)]
    t.same(await idsOf(app, 42), [await idOf(one), await idOf(two)].sort(), 'a number and its text are one owner')
    t.same(await idsOf(app, '7'), [await idOf(other)])
    t.same(await app.sessions.list('nobody'), [])
    const [entry] = await app.sessions.list(7)
    t.same(Object.keys(entry ?? {}).sort(), ['about', 'createdAt', 'current', 'expiresAt', 'lastSeenAt', 'sessionId'])
    t.notOk(JSON.stringify(entry).includes(other.cookies.sid?.slice(24) as string), 'no secret')
  })

  test('the list says when, which one this is, and what the app described', async (t, store, clock) => {
    const describe = ({ headers }: FastifyRequest) => ({ agent: headers['user-agent'] ?? '', phone: true })
    const app = await shop(t, { store, clock, describe })
    const started = clock.now()
    const first = await login(app, 'ada', { 'user-agent': 'first' })
    clock.advance(30 * MINUTE)
    const second = await login(app, 'ada', { 'user-agent': 'x'.repeat(5000) })
    clock.advance(20 * MINUTE)
    await user(first)
    const list = await app.sessions.list('ada', { current: await idOf(second) })
    t.match(list, [
      { current: true, about: { agent: 'x'.repeat(256) }, createdAt: started + 30 * MINUTE },
      { current: false, about: { agent: 'first', phone: true }, createdAt: started, lastSeenAt: started + 50 * MINUTE, expiresAt: clock.now() + HOUR }
    ])
  })

  test('rotation and step-up keep a session listed, logout, emptying, expiry and removing the key do not', async (t, store, clock) => {
    const app = await shop(t, { store, clock })
    const browser = await login(app, 'ada')
    const id = await idOf(browser)
    await post(browser, '/rotate')
    await post(browser, '/step-up')
    t.same(await idsOf(app, 'ada'), [id])
    for (const url of ['/logout', '/clear', '/remove']) {
      const leaving = await login(app, 'ada')
      await post(leaving, url)
      t.same(await idsOf(app, 'ada'), [id], url)
    }
    clock.advance(2 * HOUR)
    t.same(await app.sessions.list('ada'), [])
  })

  test('a session that is used stays listed beyond its first deadline, with or without changes', async (t, store, clock) => {
    const app = await shop(t, { store, clock })
    const [reads, writes, steps, remembered] = [await login(app, 'ada'), await login(app, 'ada'), await login(app, 'ada'), await login(app, 'ada')]
    await remembered.visit('/login', { method: 'POST', body: { keep: 'all', persistent: true } })
    const ids = [await idOf(reads), await idOf(writes), await idOf(steps), await idOf(remembered)].sort()
    for (let index = 0; index < 4; index++) {
      clock.advance(40 * MINUTE)
      await user(reads)
      await post(writes, '/set', { values: { index } })
      await post(steps, '/step-up')
      await user(remembered)
    }
    t.same(await idsOf(app, 'ada'), ids)
    t.equal(await app.sessions.revokeAll('ada'), 4)
    for (const browser of [reads, writes, steps, remembered]) t.equal(await user(browser), undefined)
  })

  test('a login leaves the session before it unlisted, of this user or another', async (t, store, clock) => {
    const app = await shop(t, { store, clock })
    const browser = await login(app, 'ada')
    const first = await idOf(browser)
    await post(browser, '/login', { user: 'ada' })
    t.same(await idsOf(app, 'ada'), [await idOf(browser)])
    t.not(await idOf(browser), first)
    await post(browser, '/login', { user: 'bob' })
    t.same([await idsOf(app, 'ada'), await idsOf(app, 'bob')], [[], [await idOf(browser)]])
    await post(browser, '/login', { keep: ['user'] })
    t.same(await idsOf(app, 'bob'), [await idOf(browser)])
    await post(browser, '/login', { values: { cart: 1 } })
    t.same(await idsOf(app, 'bob'), [])
  })

  test('an owner that is set or changed without a login moves the session, and warns once', async (t, store, clock) => {
    const app = await shop(t, { store, clock })
    const warnings: string[] = []
    const listen = ({ message }: Error) => { warnings.push(message) }
    process.on('warning', listen)
    t.teardown(() => process.off('warning', listen))
    const browser = new Browser(app)
    await post(browser, '/set', { values: { cart: 1 } })
    await post(browser, '/set', { values: { user: 'ada' } })
    const id = await idOf(browser)
    t.same(await idsOf(app, 'ada'), [id])
    await post(browser, '/set', { values: { user: 'bob', cart: 2 } })
    t.same([await idsOf(app, 'ada'), await idsOf(app, 'bob')], [[], [id]])
    await post(browser, '/set', { values: { user: 'bob' } })
    await post(browser, '/set', { values: { user: null } })
    t.same(await idsOf(app, 'bob'), [])
    await post(browser, '/set', { values: { user: 'ada' } })
    t.equal(await app.sessions.revokeAll('ada'), 1)
    t.equal(await user(browser), undefined)
    t.ok(warnings.length <= 1)
  })

  test('a session that was stored before the app listed sessions is listed when it is next renewed or changed', async (t, store, clock) => {
    const before = Fastify()
    t.teardown(() => before.close())
    await before.register(session, { store, clock })
    before.post('/login', async ({ session }) => { session.set('user', 'ada'); return 'in' })
    const [renewed, changed] = [new Browser(before), new Browser(before)]
    for (const browser of [renewed, changed]) await post(browser, '/login')
    const app = await shop(t, { store, clock })
    t.same(await app.sessions.list('ada'), [])
    const visit = (browser: Browser, url: string, method: 'GET' | 'POST', body?: object) => app.inject({ url, method, cookies: browser.cookies, ...(body && { body }) })
    clock.advance(10 * MINUTE)
    await visit(renewed, '/', 'GET')
    t.equal((await app.sessions.list('ada')).length, 1)
    await visit(changed, '/set', 'POST', { values: { cart: 1 } })
    t.equal((await app.sessions.list('ada')).length, 2)
    t.equal(await app.sessions.revokeAll('ada'), 2)
  })

  test('revoke ends one session, and with an owner only theirs', async (t, store, clock) => {
    const app = await shop(t, { store, clock })
    const [ada, bob] = [await login(app, 'ada'), await login(app, 'bob')]
    const [adas, bobs] = [await idOf(ada), await idOf(bob)]
    t.equal(await app.sessions.revoke(bobs, { owner: 'ada' }), false)
    t.equal(await user(bob), 'bob')
    t.equal(await app.sessions.revoke(adas, { owner: 'ada' }), true)
    t.same([await user(ada), await app.sessions.list('ada')], [undefined, []])
    t.equal(await app.sessions.revoke(adas, { owner: 'ada' }), false, 'it has ended')
    t.equal(await app.sessions.revoke(bobs), true, 'an administrator needs no owner')
    for (const strange of ['', 'x', '../../etc', ada.cookies.sid as string, null, 7, {}]) t.equal(await app.sessions.revoke(strange as string, { owner: 'ada' }), false)
  })

  test('revokeAll ends every session of a user, but one where that is asked for', async (t, store, clock) => {
    const app = await shop(t, { store, clock })
    const browsers = await Promise.all(Array.from({ length: 4 }, () => login(app, 'ada')))
    const bob = await login(app, 'bob')
    const [current] = browsers as [Browser]
    t.same((await post(current, '/others')).json(), { ended: 3 })
    t.same(await Promise.all(browsers.map(user)), ['ada', undefined, undefined, undefined])
    t.equal(await app.sessions.revokeAll('ada', { except: await idOf(current) }), 0)
    t.equal(await app.sessions.revokeAll('ada'), 1)
    t.equal(await app.sessions.revokeAll('ada'), 0)
    t.same([await user(current), await user(bob)], [undefined, 'bob'])
  })

  test('a new login and the end of all others go together in one request', async (t, store, clock) => {
    const app = await shop(t, { store, clock })
    app.post('/password', async ({ session }) => {
      session.regenerate(['user'])
      return { ended: await app.sessions.revokeAll('ada', { except: session }) }
    })
    const [here, there] = [await login(app, 'ada'), await login(app, 'ada')]
    t.same((await post(here, '/password')).json(), { ended: 1 })
    t.same([await user(here), await user(there)], ['ada', undefined])
    t.same(await idsOf(app, 'ada'), [await idOf(here)])
  })

  test('what a login keeps of a session that is revoked at that moment is not stored', async (t, store, clock) => {
    const app = await shop(t, { store, clock })
    const [begun, revoked] = [gate(), gate()]
    app.post('/slow', async ({ session }) => {
      session.regenerate('all')
      session.set('note', 'kept')
      begun.open()
      await revoked.passed
      return 'done'
    })
    const browser = await login(app, 'ada')
    const slow = app.inject({ url: '/slow', method: 'POST', cookies: browser.cookies })
    await begun.passed
    await app.sessions.revokeAll('ada')
    revoked.open()
    const response = await slow
    t.same([response.statusCode, response.json().code, setCookies(response)], [401, 'FST_KEEP_SESSION_ENDED', []])
    t.same(await app.sessions.list('ada'), [])
  })

  test('beyond the limit a login ends the session that would expire first', async (t, store, clock) => {
    const app = await shop(t, { store, clock, maxPerOwner: 2 })
    const browsers: Browser[] = []
    for (let index = 0; index < 3; index++) {
      browsers.push(await login(app, 'ada'))
      clock.advance(MINUTE)
    }
    t.same(await Promise.all(browsers.map(user)), [undefined, 'ada', 'ada'])
    await post(browsers[1] as Browser, '/login', { user: 'ada' })
    t.same(await Promise.all(browsers.map(user)), [undefined, 'ada', 'ada'], 'a login over a session of the user needs no room')
  })

  test('of sixty parallel logins exactly five stay', async (t, store, clock) => {
    const app = await shop(t, { store, clock, maxPerOwner: 5 })
    const browsers = await Promise.all(Array.from({ length: 60 }, () => login(app, 'ada')))
    const users = await Promise.all(browsers.map(user))
    t.equal(users.filter((each) => each === 'ada').length, 5)
    t.equal((await app.sessions.list('ada')).length, 5)
  })

  test('where the limit refuses, a login is a 409 that changes nothing, and can be caught', async (t, store, clock) => {
    const app = await shop(t, { store, clock, maxPerOwner: 1, onLimit: 'refuse' })
    app.post('/careful', async ({ session }, reply) => {
      session.regenerate(['cart'])
      session.set('user', 'ada')
      try {
        await session.save()
      } catch (error) {
        return reply.code(200).send({ caught: (error as { code: string }).code, user: session.get('user') ?? null, cart: session.get('cart') })
      }
      return 'in'
    })
    const first = await login(app, 'ada')
    const visitor = new Browser(app)
    await post(visitor, '/set', { values: { cart: 1 } })
    const before = await idOf(visitor)
    const response = await post(visitor, '/login', { user: 'ada' })
    t.same([response.statusCode, response.json().code, setCookies(response)], [409, 'FST_KEEP_SESSION_LIMIT', []])
    t.same((await post(visitor, '/careful')).json(), { caught: 'FST_KEEP_SESSION_LIMIT', user: null, cart: 1 })
    t.equal((await post(visitor, '/set', { values: { user: 'ada' } })).statusCode, 409)
    t.match((await visitor.visit('/')).json(), { cart: 1, id: before })
    t.equal((await post(new Browser(app), '/set', { values: { user: 'ada' } })).statusCode, 409)
    t.equal((await app.sessions.list('ada')).length, 1)
    await post(first, '/logout')
    t.equal((await post(visitor, '/login', { user: 'ada' })).statusCode, 200)
    const several = await Promise.all(Array.from({ length: 20 }, () => post(new Browser(app), '/login', { user: 'bob' })))
    t.equal(several.filter(({ statusCode }) => statusCode === 200).length, 1)
  })

  test('a session whose record was lost keeps nobody out', async (t, store, clock) => {
    const app = await shop(t, { store, clock, maxPerOwner: 1, onLimit: 'refuse' })
    const browser = await login(app, 'ada')
    await store.destroy(await idOf(browser))
    t.equal((await post(new Browser(app), '/login', { user: 'ada' })).statusCode, 200)
    await store.destroy((await app.sessions.list('ada'))[0]?.sessionId as string)
    t.same(await app.sessions.list('ada'), [])
  })

  test('two registrations on one store have lists of their own', async (t, store, clock) => {
    const app = await shop(t, { store, clock })
    await app.register(session, { store, clock, property: 'adminSession', cookie: { name: 'admin' }, ownerKey: 'user' })
    await login(app, 'ada')
    const { adminSessions } = app as unknown as { adminSessions: FastifyInstance['sessions'] }
    await adminSessions.issue({ user: 'ada' })
    t.same([(await app.sessions.list('ada')).length, (await adminSessions.list('ada')).length], [1, 1])
    t.equal(await adminSessions.revokeAll('ada'), 1)
    t.equal((await app.sessions.list('ada')).length, 1)
  })

  test('a list that was lost is made again by those who come back', async (t, store, clock) => {
    const app = await shop(t, { store, clock })
    const browser = await login(app, 'ada')
    const { owner } = await store.read(await idOf(browser)) as { owner: string }
    await store.owners?.remove(owner, [await idOf(browser)])
    clock.advance(10 * MINUTE)
    await user(browser)
    t.same(await idsOf(app, 'ada'), [await idOf(browser)])
  })
}

t.test('reading costs nothing more, a renewal one step, a login one, a logout one', async (t) => {
  const clock = new FakeClock()
  const { store, calls } = recorded(memoryStore(clock))
  const app = await shop(t, { store, clock, maxPerOwner: 5 })
  const asked = async (work: () => Promise<unknown>) => {
    calls.length = 0
    await work()
    return [...calls] as string[]
  }
  const browser = new Browser(app)
  t.same(await asked(() => post(browser, '/login', { user: 'ada' })), ['create', 'add'])
  t.same(await asked(() => user(browser)), ['read'])
  t.same(await asked(() => post(browser, '/set', { values: { cart: 1 } })), ['read', 'update'])
  clock.advance(10 * MINUTE)
  t.same(await asked(() => user(browser)), ['read', 'renew', 'touch'])
  clock.advance(10 * MINUTE)
  t.same(await asked(() => post(browser, '/set', { values: { cart: 2 } })), ['read', 'renew', 'update'])
  t.same(await asked(() => post(browser, '/rotate')), ['read', 'update'])
  t.same(await asked(() => post(browser, '/login', { user: 'ada' })), ['read', 'update', 'create', 'add', 'destroy', 'remove'])
  t.same(await asked(() => post(browser, '/logout')), ['read', 'destroy', 'remove'])
})

t.test('events say why a session was ended', async (t) => {
  const { subscribe, unsubscribe } = await import('node:diagnostics_channel')
  const heard: unknown[] = []
  const listen = (message: unknown) => { heard.push((message as { reason?: string }).reason) }
  subscribe('fastify-keep:destroyed', listen)
  t.teardown(() => { unsubscribe('fastify-keep:destroyed', listen) })
  const app = await shop(t, { maxPerOwner: 1 })
  await login(app, 'ada')
  const browser = await login(app, 'ada')
  await app.sessions.revoke(await idOf(browser))
  await login(app, 'ada')
  await app.sessions.revokeAll('ada')
  await post(await login(app, 'ada'), '/logout')
  await post(await login(app, 'bob'), '/clear')
  t.same(heard, ['limit', 'revoked', 'revoked', 'logout', 'logout'])
})

t.test('what can be no owner is refused where it is set, listed and revoked', async (t) => {
  const app = await shop(t, {})
  const browser = new Browser(app)
  for (const strange of ['', 1.5, {}, ['ada'], true]) {
    const response = await post(browser, '/login', { user: strange })
    t.same([response.statusCode, response.json().code], [500, 'FST_KEEP_INVALID_OWNER'], JSON.stringify(strange))
  }
  for (const strange of ['', undefined, null, NaN, {}, true] as string[]) {
    await t.rejects(app.sessions.list(strange), { code: 'FST_KEEP_INVALID_OWNER' })
    await t.rejects(app.sessions.revokeAll(strange), { code: 'FST_KEEP_INVALID_OWNER' })
    await t.rejects(app.sessions.revoke('x'.repeat(24), { owner: strange }), { code: 'FST_KEEP_INVALID_OWNER' })
  }
  t.equal((await post(browser, '/login', { user: 2 ** 53 - 1 })).statusCode, 200)
})

t.test('options of the calls that nobody knows, or that name no session, are refused', async (t) => {
  const app = await shop(t, {})
  const invalid = { code: 'FST_KEEP_INVALID_ARGUMENT' }
  await t.rejects(app.sessions.revokeAll('ada', { exept: 'x' } as object), { ...invalid, message: /sessions.revokeAll\(\) .*did you mean except/ })
  await t.rejects(app.sessions.revokeAll('ada', { except: undefined } as unknown as object), invalid)
  await t.rejects(app.sessions.list('ada', { current: {} } as unknown as object), invalid)
  await t.rejects(app.sessions.list('ada', null as unknown as object), invalid)
  await t.rejects(app.sessions.revoke('x', { user: 'ada' } as object), invalid)
})

t.test('without ownerKey one session can be revoked, and no user be asked for', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(session)
  const { sessionId } = await app.sessions.issue({ user: 'ada' })
  await t.rejects(app.sessions.list('ada'), { code: 'FST_KEEP_NOT_LISTED', message: /ownerKey/ })
  await t.rejects(app.sessions.revokeAll('ada'), { code: 'FST_KEEP_NOT_LISTED' })
  t.equal(await app.sessions.revoke(sessionId), true)
  t.equal(await app.sessions.revoke(sessionId), false)
})

t.test('update and take leave the owner alone', async (t) => {
  const app = await shop(t, {})
  app.post('/update', async ({ session }) => session.update('user', () => 'bob'))
  app.post('/take', async ({ session }) => session.take('user'))
  const browser = await login(app, 'ada')
  for (const url of ['/update', '/take']) t.match((await post(browser, url)).json(), { code: 'FST_KEEP_INVALID_ARGUMENT', message: /'user', by which sessions are listed/ })
  t.equal(await user(browser), 'ada')
})

t.test('a description that fails, or that nobody could keep, fails no login', async (t) => {
  const answers: unknown[] = [
    () => { throw new Error('no') }, null, undefined, 'text', { deep: {} }, { f () {} }, { n: NaN, kept: 1 },
    Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`name${index}`, 'x'.repeat(1000)])), { ['x'.repeat(1000)]: 1 }, { cut: '🔑'.repeat(500) }
  ]
  let next = 0
  const app = await shop(t, {
    describe: () => {
      const answer = answers[next++]
      return (typeof answer === 'function' ? answer() : answer) as Record<string, string>
    }
  })
  while (next < answers.length) t.equal(await user(await login(app, 'ada')), 'ada')
  const abouts = (await app.sessions.list('ada')).map(({ about }) => JSON.stringify(about))
  t.equal(abouts.length, answers.length)
  t.ok(abouts.every((about) => about.length < 16 * 400))
  t.ok(abouts.includes('{"kept":1}'))
})

t.test('a store that cannot list sessions, and options that miss another, stop the start', async (t) => {
  const start = async (options: SessionOptions) => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(session, options)
  }
  const { read, create, update, touch, destroy } = wrapped(memoryStore(), () => {})
  for (const store of [fromExpressStore(liveObjectStore()), { read, create, update, touch, destroy }, { read, create, update, touch, destroy, owners: {} as never }]) {
    await t.rejects(start({ store, ownerKey: 'user' }), { code: 'FST_KEEP_INVALID_OPTION', message: /ownerKey is 'user': this store cannot list sessions by owner/ })
  }
  const refused: Array<[SessionOptions, RegExp]> = [
    [{ maxPerOwner: 5 }, /maxPerOwner is 5: it needs ownerKey/],
    [{ onLimit: 'refuse' }, /onLimit is 'refuse': it needs ownerKey/],
    [{ describe: () => ({}) }, /describe is .*: it needs ownerKey/],
    [{ ownerKey: 'user', onLimit: 'refuse' }, /it needs maxPerOwner/],
    [{ ownerKey: 'user', maxPerOwner: 0 }, /whole number above 0/],
    [{ ownerKey: 'user', maxPerOwner: 5, onLimit: 'end' as 'refuse' }, /'end-oldest' or 'refuse'/],
    [{ ownerKey: 7 as unknown as string }, /give the key/],
    [{ ownerKey: 'user', describe: 7 as never }, /give a function/]
  ]
  for (const [options, message] of refused) await t.rejects(start(options), { code: 'FST_KEEP_INVALID_OPTION', message })
})

t.test('a description that comes later is none, is told, and ends no process', async (t) => {
  const rejections: unknown[] = []
  const listen = (reason: unknown) => { rejections.push(reason) }
  process.on('unhandledRejection', listen)
  t.teardown(() => process.off('unhandledRejection', listen))
  const lines: string[] = []
  const late = async () => { throw new Error('too late') }
  const thenable = () => ({ get then () { throw new Error('no') } })
  for (const describe of [late, async () => ({ agent: 'later' }), thenable, () => new Proxy({}, { get () { throw new Error('no') }, ownKeys () { throw new Error('no') } })]) {
    const app = Fastify({ logger: { level: 'warn', stream: { write: (line: string) => { lines.push(line) } } } })
    t.teardown(() => app.close())
    await app.register(session, { ownerKey: 'user', describe: describe as never })
    app.post('/login', async ({ session }) => { session.set('user', 'ada'); return 'in' })
    t.equal((await app.inject({ method: 'POST', url: '/login' })).statusCode, 200)
    t.match(await app.sessions.list('ada'), [{ about: null }])
  }
  await new Promise((resolve) => { setTimeout(resolve, 10) })
  t.same(rejections, [])
  t.equal(lines.length, 4)
})
