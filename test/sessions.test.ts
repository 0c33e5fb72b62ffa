// app.sessions: sessions outside a request.
import t from 'tap'
import { requireSession, type IssueOptions, type Session } from '../index.js'
import { Browser, buildApp, gate, setCookies } from './fixtures/app.js'
import { runApp } from './fixtures/process.js'
import { everyStore, memoryStore, recorded } from './fixtures/stores.js'

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}`, async (t) => {
    await t.test('load gives the session that a cookie header opens, and an empty one otherwise', async (t) => {
      const app = await buildApp(t, { store: makeStore() })
      const { headers, sessionId } = await app.sessions.issue({ user: 1 })
      const session = await app.sessions.load(`a=b; ${headers.cookie}; c=d`)
      t.same([session.get('user'), session['user'], session.sessionId, session.isNew], [1, 1, sessionId, false])
      for (const header of [undefined, '', 'sid=x', 'other=1']) {
        const nobody = await app.sessions.load(header)
        t.same([nobody.data(), nobody.isNew], [{}, true])
      }
    })

    await t.test('a session of a given age is as old as it says, and was used just now', async (t) => {
      const clock = { now: () => 1_000_000_000 }
      const app = await buildApp(t, { store: makeStore(clock), clock, idleTimeout: '1h', absoluteTimeout: '24h' })
      app.get('/pay', { preHandler: requireSession('user', { fresh: '5m' }) }, async ({ session }) => session.data())
      const issue = async (options?: IssueOptions) => (await app.sessions.issue({ user: 1 }, options)).headers.cookie
      const old = await app.sessions.load(await issue({ createdAt: clock.now() - 7_200_000 }))
      t.same([old.createdAt, old.expiresAt], [992_800_000, 1_003_600_000])
      const last = await app.sessions.load(await issue({ createdAt: clock.now() - 86_000_000 }))
      t.equal(last.expiresAt, 1_000_400_000, 'never past its absolute deadline')
      const remembered = await app.sessions.load(await issue({ lifetime: { idle: '30d', absolute: '30d', persistent: true } }))
      t.same([remembered.createdAt, remembered.expiresAt], [1_000_000_000, 1_000_000_000 + 30 * 86_400_000])
      const pay = async (options?: IssueOptions) => (await app.inject({ url: '/pay', headers: { cookie: await issue(options) } })).statusCode
      t.same([await pay(), await pay({ createdAt: clock.now() - 300_000 }), await pay({ createdAt: clock.now() - 300_001 })], [200, 200, 401])

      old.regenerate('all')
      t.same([old.createdAt, await old.save().catch(({ code }) => code)], [1_000_000_000, 'FST_KEEP_COOKIE_NOT_DELIVERABLE'], 'a login of its own counts from now')
    })

    await t.test('a loaded session saves by hand, merges, and learns of the logout', async (t) => {
      const app = await buildApp(t, { store: makeStore() })
      app.get('/data', async ({ session }) => session.data())
      app.get('/set', async ({ session }) => session.set('theirs', 1))
      app.get('/logout', async ({ session }) => session.destroy())
      const { headers, cookies } = await app.sessions.issue({ user: 1 })
      const browser = new Browser(app)
      Object.assign(browser.cookies, cookies)

      const socket = await app.sessions.load(headers.cookie)
      await browser.visit('/set')
      socket.set('mine', 1)
      t.equal(await socket.save(), true)
      t.same((await browser.visit('/data')).json(), { user: 1, mine: 1, theirs: 1 })
      await socket.reload()
      t.equal(socket.get('theirs'), 1)

      await browser.visit('/logout')
      socket.set('late', 1)
      t.equal(await socket.save(), false)
      t.same(socket.data(), {})
      t.equal(await socket.save(), false, 'and stays so')
      t.same((await app.sessions.load(headers.cookie)).data(), {})
    })

    await t.test('saves of one session that overlap lose nothing that is marked meanwhile', async (t) => {
      const app = await buildApp(t, { store: makeStore() })
      const overlap = async (first: (session: Session) => unknown, then: (session: Session) => unknown) => {
        const { headers } = await app.sessions.issue({ n: 0, a: 1, user: 1 })
        const socket = await app.sessions.load(headers.cookie)
        const steps = [first(socket), socket.save(), then(socket), socket.save()]
        await Promise.all(steps)
        return (await app.sessions.load(headers.cookie)).data()
      }
      const take = (session: Session) => session.take('n')
      const set = (session: Session) => session.setMany({ a: 2 })
      const count = (session: Session) => session.update('n', (n) => (n as number) + 1)
      t.same(await overlap(set, (session) => session.setMany({ a: 3, b: 1 })), { n: 0, a: 3, b: 1, user: 1 })
      t.same(await overlap(set, (session) => { session.remove('a') }), { n: 0, user: 1 })
      t.same(await overlap(count, count), { n: 2, a: 1, user: 1 })
      t.same(await overlap(set, count), { n: 1, a: 2, user: 1 })
      t.same(await overlap(take, take), { a: 1, user: 1 })
      t.same(await overlap(take, set), { a: 2, user: 1 })
      t.same(await overlap(set, (session) => session.destroy()), {})
      t.same(await overlap((session) => { session.update('n', () => 1).catch(() => {}) }, (session) => session.destroy()), {})
      t.same(await overlap(set, (session) => { session.clear(); session.set('c', 1) }), { c: 1 })
      t.same(await overlap((session) => { session.remove('n'); session.remove('a') }, (session) => { session.remove('user') }), {})
      t.same(await overlap((session) => session.touch(), (session) => { session.touch(); set(session) }), { n: 0, a: 2, user: 1 })
    })

    await t.test('what is changed while an update meets another change is saved as well', async (t) => {
      const store = makeStore()
      const app = await buildApp(t, { store })
      for (const [then, left] of [[(session: Session) => session.destroy(), {}], [(session: Session) => session.set('late', 1), { n: 11, late: 1 }]] as const) {
        const { headers, sessionId } = await app.sessions.issue({ n: 0 })
        const socket = await app.sessions.load(headers.cookie)
        await store.update(sessionId, { clear: false, set: { n: '10' }, remove: [] })
        const updating = socket.update('n', (n) => (n as number) + 1)
        then(socket)
        await updating
        await socket.save()
        await socket.reload()
        t.same((await app.sessions.load(headers.cookie)).data(), left)
      }
    })

    await t.test('a request that does not wait for its own save, or saves twice at once, has one session and one cookie', async (t) => {
      const { store, calls } = recorded(makeStore())
      const app = await buildApp(t, { store })
      app.get('/data', async ({ session }) => session.data())
      app.get('/', async ({ session }) => { session.set('a', 1); session.save().catch(t.threw); session.set('b', 2) })
      app.get('/twice', async ({ session }) => { session.set('a', 1); await Promise.all([session.save(), session.save()]); session.set('b', 2) })
      app.get('/again', async ({ session }) => { session.regenerate(['a']); session.save().catch(t.threw); session.regenerate(['a']); session.set('b', 2) })
      for (const url of ['/', '/twice', '/again']) {
        const browser = new Browser(app)
        if (url === '/again') Object.assign(browser.cookies, (await app.sessions.issue({ a: 1, gone: 1 })).cookies)
        calls.length = 0
        const response = await browser.visit(url)
        t.equal(setCookies(response).length, 1)
        t.equal(calls.filter((name) => name === 'create').length, url === '/again' ? 2 : 1, 'one for each session that begins')
        t.same((await browser.visit('/data')).json(), { a: 1, b: 2 }, url)
      }
    })

    await t.test('a request that begins anew while its save learns of a logout has a new session, and any other has none', async (t) => {
      const { store } = recorded(makeStore())
      const app = await buildApp(t, { store })
      let mark: (session: Session) => void = () => {}
      app.get('/data', async ({ session }) => session.data())
      app.get('/', async ({ session }) => {
        session.set('late', 1)
        await store.destroy(session.sessionId)
        const saving = session.save()
        mark(session)
        session.set('user', 2)
        await saving
      })
      const afterwards = async (what: typeof mark) => {
        mark = what
        const browser = new Browser(app)
        Object.assign(browser.cookies, (await app.sessions.issue({ user: 1 })).cookies)
        await browser.visit('/')
        return (await browser.visit('/data')).json()
      }
      t.same(await afterwards((session) => session.regenerate()), { user: 2 })
      t.same(await afterwards((session) => session.destroy()), { user: 2 })
      t.same(await afterwards((session) => session.touch()), {})
      t.same(await afterwards(() => {}), {})
    })

    await t.test('a loaded session can end the session', async (t) => {
      const app = await buildApp(t, { store: makeStore() })
      const { headers } = await app.sessions.issue({ user: 1 })
      const session = await app.sessions.load(headers.cookie)
      session.destroy()
      await session.save()
      t.same((await app.sessions.load(headers.cookie)).data(), {})
    })

    await t.test('without a response no new cookie can be delivered, and save says so before it stores anything', async (t) => {
      const { store, calls } = recorded(makeStore())
      const app = await buildApp(t, { store })
      const { headers } = await app.sessions.issue({ user: 1 })
      calls.length = 0
      for (const header of [undefined, headers.cookie]) {
        const session = await app.sessions.load(header)
        session.set('a', 1)
        session.regenerate(['a'])
        await t.rejects(session.save(), { code: 'FST_KEEP_COOKIE_NOT_DELIVERABLE' })
      }
      const session = await app.sessions.load(headers.cookie)
      session.destroy()
      session.set('a', 1)
      await t.rejects(session.save(), { code: 'FST_KEEP_COOKIE_NOT_DELIVERABLE' })
      t.same(calls, ['read', 'read'])
      t.throws(() => session.options({ path: '/x' }), { code: 'FST_KEEP_INVALID_ARGUMENT', message: /no response/ })
    })

    await t.test('issue gives what inject and fetch need, signed where the app signs', async (t) => {
      for (const secret of [undefined, 'a secret of at least 32 bytes, really']) {
        const app = await buildApp(t, { store: makeStore(), ...(secret !== undefined && { secret }), cookie: { name: 'id' } })
        app.get('/', async ({ session }) => session.data())
        const { cookies, headers } = await app.sessions.issue({ when: new Date(0) })
        t.same((await app.inject({ url: '/', cookies })).json(), { when: '1970-01-01T00:00:00.000Z' })
        t.same((await app.inject({ url: '/', headers })).json(), { when: '1970-01-01T00:00:00.000Z' })
        t.same((await app.inject({ url: '/', cookies, headers })).statusCode, 200)
      }
    })

    await t.test('issue makes a session even of nothing', async (t) => {
      const app = await buildApp(t, { store: makeStore() })
      const { sessionId, headers } = await app.sessions.issue()
      t.equal((await app.sessions.load(headers.cookie)).sessionId, sessionId)
    })
  })
}

t.test('two sessions in one app keep apart, even in one store', async (t) => {
  const store = memoryStore()
  const app = await buildApp(t, { store })
  await app.register((await import('../index.js')).default, { store, property: 'adminSession', cookie: { name: 'admin', path: '/admin', sameSite: 'strict' }, idleTimeout: '5m' })
  const admin = (request: unknown) => (request as { adminSession: { get (key: string): unknown, set (key: string, value: unknown): void, expiresAt: number } }).adminSession
  const adminSessions = (app as unknown as { adminSessions: typeof app.sessions }).adminSessions
  app.get('/', async (request) => ({ user: request.session.get('user') ?? null, admin: admin(request).get('user') ?? null }))
  app.get('/both', async (request) => { request.session.set('user', 'u'); admin(request).set('user', 'a') })
  const browser = new Browser(app)
  const response = await browser.visit('/both')
  t.match(setCookies(response), [/^sid=.*; Path=\/; HttpOnly; SameSite=Lax$/, /^admin=.*; Path=\/admin; HttpOnly; SameSite=Strict$/])
  t.equal(response.headers.vary, 'Cookie')
  t.same((await browser.visit('/')).json(), { user: 'u', admin: 'a' })
  const swapped = { sid: String(browser.cookies['admin']), admin: String(browser.cookies['sid']) }
  t.same((await app.inject({ url: '/', cookies: swapped })).json(), { user: null, admin: null }, 'a cookie of one opens nothing as the other')
  t.same([app.sessions.stats().created, adminSessions.stats().created], [1, 1])
  const { cookies } = await adminSessions.issue({ user: 'x' })
  t.same((await app.inject({ url: '/', cookies })).json(), { user: null, admin: 'x' })
})

t.test('a corrupt value in a session without a request is absent, and logged by its id', async (t) => {
  const lines: string[] = []
  const store = memoryStore()
  const app = await buildApp(t, { store }, { logger: { level: 'warn', stream: { write: (line: string) => lines.push(line) } } })
  const { sessionId, headers } = await app.sessions.issue({ a: 1, b: 2 })
  store.update(sessionId, { clear: false, set: { a: '{' }, remove: [] })
  t.same((await app.sessions.load(headers.cookie)).data(), { b: 2 })
  t.equal(lines.length, 1)
  t.match(lines[0], sessionId)
})

t.test('a guard can ask for the other session', async (t) => {
  const { default: session, requireSession } = await import('../index.js')
  const app = await buildApp(t)
  await app.register(session, { property: 'adminSession', cookie: { name: 'admin' } })
  app.get('/', { preHandler: requireSession('user', { property: 'adminSession' }) }, async () => 'in')
  t.equal((await app.inject({ url: '/', cookies: (await app.sessions.issue({ user: 1 })).cookies })).statusCode, 401)
  const { cookies } = await (app as unknown as { adminSessions: typeof app.sessions }).adminSessions.issue({ user: 1 })
  t.equal((await app.inject({ url: '/', cookies })).body, 'in')
})

t.test('closing the app closes the store, if it can be closed', async (t) => {
  let closed = 0
  const store = Object.assign(memoryStore(), { close: () => { closed++ } })
  const app = await buildApp(t, { store })
  await app.close()
  t.equal(closed, 1)
  const { store: plain } = recorded(memoryStore())
  await (await buildApp(t, { store: plain })).close()
})

t.test('a process that made sessions ends by itself', async (t) => {
  const { stdout } = await runApp(`
    const app = Fastify()
    app.register(session)
    app.get('/', async (request) => { request.session.set('a', 1) })
    console.log((await app.inject('/')).statusCode)
  `)
  t.equal(stdout.trim(), '200')
})

for (const { kind, makeStore } of everyStore) {
  t.test(`on ${kind}, a session ends at the store by its public id, as docs/security.md says`, async (t) => {
    const store = makeStore()
    const app = await buildApp(t, { store })
    let id = ''
    app.get('/login', async ({ session }) => { session.regenerate(); session.set('user', 1); id = session.sessionId })
    app.get('/me', async ({ session }) => session.data())
    const loaded = gate()
    const mayEnd = gate()
    app.get('/slow', async ({ session }) => { loaded.open(); await mayEnd.passed; session.set('late', 1) })
    const browser = new Browser(app)
    await browser.visit('/login')
    t.same((await browser.visit('/me')).json(), { user: 1 })
    const slow = app.inject({ url: '/slow', cookies: { ...browser.cookies } })
    slow.catch(() => {})
    await loaded.passed
    await store.destroy(id)
    mayEnd.open()
    t.same(setCookies(await slow), [])
    t.same((await browser.visit('/me')).json(), {})
  })
}

t.test('issue() refuses what cannot work', async (t) => {
  const clock = { now: () => 1_000_000_000 }
  const app = await buildApp(t, { clock })
  const refusal = async (options: unknown) => app.sessions.issue({}, options as IssueOptions).then(() => 'issued', ({ code, message }) => `${String(code)} ${String(message)}`)
  t.match(await refusal(null), 'FST_KEEP_INVALID_ARGUMENT')
  t.match(await refusal({ createAt: 1 }), /did you mean createdAt/i)
  for (const createdAt of ['yesterday', 0, -1, 1.5, NaN, Infinity, new Date(), null]) t.match(await refusal({ createdAt }), /FST_KEEP_INVALID_ARGUMENT.*milliseconds since the epoch/)
  t.match(await refusal({ createdAt: clock.now() - 86_400_000 }), /a session lives for 86400000 ms at most/)
  t.match(await refusal({ createdAt: clock.now() - 86_400_000, lifetime: { absolute: '48h' } }), 'issued')
  t.match(await refusal({ lifetime: { idle: '48h' } }), /FST_KEEP_INVALID_ARGUMENT.*beyond the absolute/)
})
