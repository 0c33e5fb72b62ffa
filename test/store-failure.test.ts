// What a client and an app see while the store fails, answers late or not at all.
import t, { type Test } from 'tap'
import { requireSession, type SessionOptions } from '../index.js'
import { Browser, buildApp, setCookies } from './fixtures/app.js'
import { FakeClock, HOUR } from './fixtures/clock.js'
import { memoryStore, wrapped, type StoreFunction } from './fixtures/stores.js'
import type { SessionStore } from '../types/store.js'

const SECRET = 'password of redis://admin@10.0.0.1'
const never = new Promise(() => {})

type Fault = 'throws' | 'rejects' | 'never answers' | 'answers nonsense'

const faults: Record<Fault, () => unknown> = {
  throws: () => { throw new Error(SECRET) },
  rejects: async () => { throw new Error(SECRET) },
  'never answers': () => never,
  'answers nonsense': () => 42
}

/** A store that works until it is told which function fails, and how. */
function unreliable (store: SessionStore) {
  const faulty = new Map<StoreFunction, Fault>()
  const broken = Object.fromEntries((['read', 'create', 'update', 'touch', 'replace', 'destroy'] as const).map((name) => [name, (...args: never[]) => {
    const fault = faulty.get(name)
    return fault === undefined ? (store[name] as (...args: never[]) => unknown)(...args) : faults[fault]()
  }])) as unknown as SessionStore
  return { store: broken, faulty }
}

async function start (t: Test, options: SessionOptions = {}) {
  const lines: string[] = []
  const clock = new FakeClock()
  const { store, faulty } = unreliable(memoryStore(clock))
  const app = await buildApp(t, { store, clock, storeTimeout: 20, ...options }, { logger: { level: 'trace', stream: { write: (line: string) => lines.push(line) } } })
  let ran = 0
  app.get('/read', async ({ session }) => ({ user: session.get('user') ?? null }))
  app.get('/private', { preHandler: requireSession('user') }, async () => { ran++; return 'private' })
  app.get('/write', async ({ session }) => { session.set('x', 1); return 'written' })
  app.get('/regenerate', async ({ session }) => session.regenerate())
  app.get('/logout', async ({ session }) => session.destroy())
  app.get('/health', { config: { session: false } }, async () => 'ok')
  app.get('/by-hand', async ({ session }) => { session.set('x', 1); await session.save(); return 'saved' })
  const browser = new Browser(app)
  Object.assign(browser.cookies, (await app.sessions.issue({ user: 1 })).cookies)
  return { app, browser, clock, faulty, lines, ran: () => ran }
}

for (const fault of Object.keys(faults) as Fault[]) {
  const code = fault === 'never answers' ? 'FST_KEEP_STORE_TIMEOUT' : 'FST_KEEP_STORE'

  if (fault !== 'answers nonsense') {
    t.test(`when reading ${fault}`, async (t) => {
      const { app, browser, faulty, lines, ran } = await start(t)
      faulty.set('read', fault)
      for (const url of ['/read', '/private', '/write', '/logout', '/nowhere']) {
        const response = await browser.visit(url)
        t.equal(response.statusCode, 503, url)
        t.match(response.json(), { code, statusCode: 503 })
        t.notMatch(response.body, /redis|password/, 'the client is told nothing of the store')
        t.same(setCookies(response), [])
      }
      t.equal(ran(), 0)
      t.equal((await app.inject('/read')).statusCode, 200, 'who has no cookie does not notice')
      t.equal((await browser.visit('/health')).body, 'ok', 'nor does a route that opted out')
      if (fault !== 'never answers') t.match(lines.join(''), SECRET, 'the log is told')
      t.equal(app.sessions.stats().storeErrors, 5)
      await t.rejects(app.sessions.load(`sid=${browser.cookies['sid']}`), { code })
      faulty.clear()
      t.same((await browser.visit('/read')).json(), { user: 1 }, 'and when the store is back, so is the session')
    })

    t.test(`when reading ${fault} and the options say 'anonymous'`, async (t) => {
      const { app, browser, faulty, ran } = await start(t, { onStoreError: 'anonymous' })
      faulty.set('read', fault)
      t.same((await browser.visit('/read')).json(), { user: null })
      t.equal((await browser.visit('/private')).statusCode, 401, 'guards deny')
      t.equal(ran(), 0)
      for (const url of ['/write', '/regenerate', '/logout', '/by-hand']) {
        const response = await browser.visit(url)
        t.same([response.statusCode, response.json().code], [503, 'FST_KEEP_STORE'], `${url} throws`)
        t.same(setCookies(response), [])
      }
      const session = await app.sessions.load(`sid=${browser.cookies['sid']}`)
      t.same([session.get('user'), session.has('user'), Object.keys(session), session.isModified], [undefined, false, [], false])
      t.throws(() => session.set('a', 1), { code: 'FST_KEEP_STORE' })
      faulty.clear()
      t.same((await browser.visit('/read')).json(), { user: 1 })
    })
  }

  for (const [name, url] of [['create', '/write'], ['update', '/write'], ['update', '/by-hand'], ['replace', '/regenerate']] as const) {
    for (const onStoreError of ['fail', 'anonymous'] as const) {
      t.test(`when ${name} ${fault} for ${url} under '${onStoreError}', nothing is confirmed`, async (t) => {
        const { app, browser, faulty } = await start(t, { onStoreError })
        if (name === 'create') delete browser.cookies['sid']
        faulty.set(name, fault)
        const response = await browser.visit(url)
        t.equal(response.statusCode, 503)
        t.equal(response.json().code, code)
        t.notMatch(response.body, /redis|password/)
        t.same(setCookies(response), [])
        t.equal(app.sessions.stats().storeErrors, 1, 'the store is asked once')
        faulty.clear()
        t.same((await browser.visit('/read')).json(), { user: name === 'create' ? null : 1 })
      })
    }
  }

  if (fault !== 'answers nonsense') {
    t.test(`when destroy ${fault} at logout, the browser loses the cookie and the error is told`, async (t) => {
      const { browser, faulty } = await start(t)
      faulty.set('destroy', fault)
      const response = await browser.visit('/logout')
      t.same([response.statusCode, response.json().code], [503, code])
      t.match(setCookies(response), [/^sid=; Max-Age=0/])
      t.same(browser.cookies, {})
    })
  }

  t.test(`when touch ${fault}, a read-only request fails, or under 'anonymous' goes on`, async (t) => {
    for (const [onStoreError, status] of [['fail', 503], ['anonymous', 200]] as const) {
      const { browser, clock, faulty } = await start(t, { onStoreError })
      clock.advance(HOUR / 2)
      faulty.set('touch', fault)
      t.equal((await browser.visit('/read')).statusCode, status)
      faulty.clear()
      t.same((await browser.visit('/read')).json(), { user: 1 })
    }
  })
}

t.test('an error handler of the app sees the typed error, its cause, and a session it can read', async (t) => {
  const { store, faulty } = unreliable(memoryStore())
  const app = await buildApp(t, { store })
  app.setErrorHandler((error: Error & { code: string }, request, reply) => {
    reply.code(503).send({ code: error.code, cause: (error.cause as Error).message, user: request.session.get('user') ?? null })
  })
  app.get('/', async ({ session }) => session.set('a', 1))
  const { cookies } = await app.sessions.issue({ user: 1 })
  faulty.set('read', 'rejects')
  t.same((await app.inject({ url: '/', cookies })).json(), { code: 'FST_KEEP_STORE', cause: SECRET, user: null })
  faulty.clear()
  faulty.set('update', 'rejects')
  t.same((await app.inject({ url: '/', cookies })).json(), { code: 'FST_KEEP_STORE', cause: SECRET, user: 1 })
})

t.test('an answer that comes after the time is up does no harm', async (t) => {
  let answer: (error: Error) => void = () => {}
  const { store, faulty } = unreliable(memoryStore())
  const read = store.read
  store.read = (id) => faulty.has('read') ? new Promise((_resolve, reject) => { answer = reject }) : read(id)
  const app = await buildApp(t, { store, storeTimeout: 5 })
  app.get('/', async () => 'in')
  const { cookies } = await app.sessions.issue({ user: 1 })
  faulty.set('read', 'rejects')
  t.equal((await app.inject({ url: '/', cookies })).statusCode, 503)
  answer(new Error('late'))
  await new Promise(setImmediate)
  t.equal(app.sessions.stats().storeErrors, 1)
})

t.test('a store that says every new id is taken is a failing store', async (t) => {
  const app = await buildApp(t, { store: wrapped(memoryStore(), () => {}) })
  t.equal((await app.inject('/')).statusCode, 404)
  const full = await buildApp(t, { store: { ...wrapped(memoryStore(), () => {}), create: () => false } })
  full.get('/', async ({ session }) => session.set('a', 1))
  t.match((await full.inject('/')).json(), { statusCode: 503, code: 'FST_KEEP_STORE' })
})

t.test('an id that is taken is replaced by another, and the one who has it keeps it', async (t) => {
  const store = wrapped(memoryStore(), () => {})
  const create = store.create
  let refusals = 1
  store.create = (id, record) => refusals-- > 0 ? false : create(id, record)
  const app = await buildApp(t, { store })
  app.get('/', async ({ session }) => session.set('a', 1))
  app.get('/data', async ({ session }) => session.data())
  const browser = new Browser(app)
  t.equal((await browser.visit('/')).statusCode, 200)
  t.same((await browser.visit('/data')).json(), { a: 1 })
})

t.test('a session that others change without end gives up at last', async (t) => {
  const app = await buildApp(t, { store: { ...wrapped(memoryStore(), () => {}), update: () => 'conflict' } })
  app.get('/', async ({ session }) => session.update('n', () => 1))
  const { cookies } = await app.sessions.issue({ user: 1 })
  t.match((await app.inject({ url: '/', cookies })).json(), { statusCode: 503, code: 'FST_KEEP_CONFLICT' })
})

t.test('a broken record is no session, one line in the log, and removed', async (t) => {
  const good = { values: { user: '1' }, createdAt: 1, expiresAt: 9e15, absoluteExpiresAt: 9e15, version: 0, generation: 0, owner: null, lifetime: null }
  const broken: unknown[] = [
    42, 'text', true, [], {}, { ...good, values: null }, { ...good, values: [] }, { ...good, values: { user: 1 } }, { ...good, values: 'x' },
    ...['createdAt', 'expiresAt', 'absoluteExpiresAt', 'version'].flatMap((field) => [undefined, null, '1', NaN, -1, 1e300, {}].map((value) => ({ ...good, [field]: value }))),
    { ...good, lifetime: 5 }, { ...good, lifetime: {} }, { ...good, lifetime: { idle: -1, absolute: 1, persistent: true } }, { ...good, lifetime: { idle: 1, absolute: 1, persistent: 'yes' } },
    ...['', '{', 'undefined', '~', '~[', '~{"a":1}', '~[[5]]', '\0', '"\\u'].map((user) => ({ ...good, values: { user } }))
  ]
  for (const record of broken) {
    const lines: string[] = []
    const destroyed: string[] = []
    const store = { ...wrapped(memoryStore(), () => {}), read: () => record as never, destroy: (id: string) => { destroyed.push(id) } }
    const app = await buildApp(t, { store }, { logger: { level: 'warn', stream: { write: (line: string) => lines.push(line) } } })
    app.get('/', { preHandler: requireSession('user') }, async () => 'in')
    app.get('/data', async ({ session }) => ({ ...session.data(), user: session.get('user') ?? null }))
    const token = 'A'.repeat(43)
    const response = await app.inject({ url: '/data', cookies: { sid: token } })
    t.same([response.statusCode, response.json()], [200, { user: null }], JSON.stringify(record))
    t.equal(destroyed.length, 1)
    t.equal(lines.filter((line) => line.includes(String(destroyed[0])) && !line.includes(token)).length, 1)
    t.equal((await app.inject({ url: '/', cookies: { sid: token } })).statusCode, 401)
  }
})

t.test('a record that breaks while a request holds it ends the session instead of the process', async (t) => {
  const store = wrapped(memoryStore(), () => {})
  const app = await buildApp(t, { store })
  const { cookies, sessionId } = await app.sessions.issue({ n: 1, user: 1 })
  app.get('/', async ({ session }) => {
    session.update('n', (n) => (n as number) + 1)
    await store.update(sessionId, { clear: false, set: { n: '{' }, remove: [] })
    return 'done'
  })
  const response = await app.inject({ url: '/', cookies })
  t.same([response.statusCode, setCookies(response)], [200, []])
})

t.test('the function of an update that fails on the second run fails the request', async (t) => {
  const store = wrapped(memoryStore(), () => {})
  const app = await buildApp(t, { store })
  const { cookies, sessionId } = await app.sessions.issue({ n: 1 })
  app.get('/', async ({ session }) => {
    session.update('n', (n) => { if (n !== 1) throw new Error('not again'); return 2 })
    await store.update(sessionId, { clear: false, set: { n: '5' }, remove: [] })
    return 'done'
  })
  t.match((await app.inject({ url: '/', cookies })).json(), { statusCode: 500, message: 'not again' })
})
