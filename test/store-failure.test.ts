// What a client and an app see while the store fails, answers late or not at all.
import { hash } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t, { type Test } from 'tap'
import { requireSession, type SessionOptions } from '../index.js'
import { TooManyKeysError } from '../lib/errors.js'
import { Browser, buildApp, gate, setCookies } from './fixtures/app.js'
import { FakeClock, HOUR } from './fixtures/clock.js'
import { everyStore, memoryStore, wrapped, type StoreFunction } from './fixtures/stores.js'
import { goodRecord } from './fixtures/good-record.js'
import type { SessionRecord, SessionStore } from '../types/store.js'

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
  const broken = Object.fromEntries((['read', 'create', 'update', 'touch', 'destroy'] as const).map((name) => [name, (...args: never[]) => {
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
  app.get('/rotate', async ({ session }) => session.rotate())
  app.get('/reauthenticated', async ({ session }) => session.reauthenticated())
  app.get('/clear', async ({ session }) => session.clear())
  app.get('/count', async ({ session }) => session.update('user', (user) => Number(user) + 1))
  app.get('/take', async ({ session }) => session.take('user'))
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

  for (const [name, url] of [['create', '/write'], ['update', '/write'], ['update', '/by-hand'], ['update', '/count'], ['update', '/take'], ['update', '/rotate'], ['update', '/reauthenticated'], ['create', '/regenerate'], ['destroy', '/regenerate'], ['destroy', '/clear']] as const) {
    for (const onStoreError of ['fail', 'anonymous'] as const) {
      t.test(`when ${name} ${fault} for ${url} under '${onStoreError}', nothing is confirmed`, async (t) => {
        const { app, browser, faulty } = await start(t, { onStoreError })
        const isNew = name === 'create' && url === '/write'
        if (isNew) delete browser.cookies['sid']
        faulty.set(name, fault)
        const response = await browser.visit(url)
        t.equal(response.statusCode, 503)
        t.equal(response.json().code, code)
        t.notMatch(response.body, /redis|password/)
        t.same(setCookies(response), [])
        t.equal(app.sessions.stats().storeErrors, 1, 'the store is asked once')
        faulty.clear()
        t.same((await browser.visit('/read')).json(), { user: isNew ? null : 1 })
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

  t.test(`when touch ${fault}, before the handler or after it, the answer stands and one line is logged`, async (t) => {
    for (const onStoreError of ['fail', 'anonymous'] as const) {
      for (const unused of [HOUR / 4, 0.9 * HOUR]) {
        const { app, browser, clock, faulty, lines } = await start(t, { onStoreError })
        clock.advance(unused)
        faulty.set('touch', fault)
        lines.length = 0
        const response = await browser.visit('/private')
        t.same([response.statusCode, response.body, setCookies(response)], [200, 'private', []])
        t.equal(lines.filter((line) => line.includes('could not be renewed')).length, 1)
        t.notMatch(lines.join(''), /could not be saved|could not be loaded/)
        t.equal(app.sessions.stats().storeErrors, 1)
        faulty.clear()
        t.same((await browser.visit('/read')).json(), { user: 1 })
        clock.advance(unused)
        t.same((await browser.visit('/read')).json(), { user: 1 }, 'the next request has renewed it')
      }
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
  t.same((await app.inject({ url: '/', cookies })).json(), { code: 'FST_KEEP_STORE', cause: `store.read() failed: ${SECRET}`, user: null })
  faulty.clear()
  faulty.set('update', 'rejects')
  t.same((await app.inject({ url: '/', cookies })).json(), { code: 'FST_KEEP_STORE', cause: `store.update() failed: ${SECRET}`, user: 1 })
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
  app.get('/set', async ({ session }) => session.rotate())
  const { cookies } = await app.sessions.issue({ user: 1 })
  t.match((await app.inject({ url: '/', cookies })).json(), { statusCode: 503, code: 'FST_KEEP_CONFLICT' })
})

const DAYS_400 = 400 * 24 * HOUR

t.test('a corrupt record or value is absent, one line in the log, and is left where it is', async (t) => {
  const token = 'A'.repeat(24) + 'B'.repeat(40)
  const good = goodRecord({ values: { user: '1', other: '2' }, expiresAt: Date.now() + HOUR, absoluteExpiresAt: Date.now() + 24 * HOUR, verifier: hash('sha256', token, 'base64url') })
  const lifetime = { idle: 1000, absolute: 1000, persistent: true }
  const corruptRecords: unknown[] = [
    42, 'text', true, [], {}, { ...good, values: null }, { ...good, values: [] }, { ...good, values: { user: 1 } }, { ...good, values: 'x' },
    ...['createdAt', 'expiresAt', 'absoluteExpiresAt', 'version'].flatMap((field) => [undefined, null, '1', NaN, -1, 1.5, 1e300, {}].map((value) => ({ ...good, [field]: value }))),
    ...['createdAt', 'expiresAt', 'absoluteExpiresAt'].map((field) => ({ ...good, [field]: 8.64e15 + 1 })),
    { ...good, lifetime: 5 }, { ...good, lifetime: {} }, { ...good, lifetime: { ...lifetime, persistent: 'yes' } },
    ...['idle', 'absolute'].flatMap((field) => [0, -1, 1.5, NaN, '1000', null, DAYS_400 + 1].map((value) => ({ ...good, lifetime: { ...lifetime, [field]: value } }))),
    { ...good, createdAt: 0, lifetime: { ...lifetime, absolute: 9e15 } },
    ...[undefined, null, 1, {}].map((verifier) => ({ ...good, verifier })),
    ...[undefined, null, -1, 1.5, '1'].map((generation) => ({ ...good, generation })),
    ...[undefined, null, 1, 'true'].map((shown) => ({ ...good, shown })),
    ...[undefined, null, {}, 'x', [null], [1], [{}], [{ verifier: 'x', until: 'soon', opens: true }], [{ verifier: 'x', until: 1, opens: 1 }], [{ until: 1, opens: true }]].map((earlier) => ({ ...good, earlier }))
  ]
  const corruptValues = ['', '{', 'undefined', '~', '~[', '~{"a":1}', '~[[5]]', '\0', '"\\u'].map((user) => ({ ...good, values: { ...good.values, user } }))
  for (const record of [...corruptRecords, ...corruptValues]) {
    const isValue = (corruptValues as unknown[]).includes(record)
    const lines: string[] = []
    const calls: StoreFunction[] = []
    const reasons: unknown[] = []
    const store: SessionStore = { ...wrapped(memoryStore(), (name) => { calls.push(name) }), read: () => record as never, update: () => { calls.push('update'); return 'done' } }
    const app = await buildApp(t, { store }, { logger: { level: 'warn', stream: { write: (line: string) => lines.push(line) } } })
    app.get('/', { preHandler: requireSession('user') }, async () => 'in')
    app.get('/has', { preHandler: requireSession((session) => session.has('user')) }, async () => 'in')
    app.get('/data', async ({ session }) => ({ ...session.data(), user: session.get('user') ?? null }))
    app.get('/looks', async ({ session }) => [session.has('user'), session.remove('user'), Object.keys(session).sort()])
    app.get('/pops', async ({ session }) => ({ popped: session.pop('user') ?? null }))
    app.get('/begins', async ({ session }) => session.update('user', (user) => user === undefined ? 'absent' : 'there'))
    const visit = (url: string) => app.inject({ url, cookies: { sid: token } })
    const listen = (message: unknown) => { reasons.push((message as { reason: string }).reason) }
    subscribe('fastify-keep:rejected', listen)
    const response = await visit('/data')
    unsubscribe('fastify-keep:rejected', listen)
    t.same([response.statusCode, response.json()], [200, isValue ? { user: null, other: 2 } : { user: null }], JSON.stringify(record))
    t.same(reasons, ['corrupt'])
    t.same(setCookies(response), [], 'the cookie is left alone')
    for (const url of ['/', '/has']) t.equal((await visit(url)).statusCode, 401)
    t.same((await visit('/pops')).json(), { popped: null })
    t.same(calls, [], 'nothing is removed or written')
    t.equal(lines.length, 1, 'logged once, however often the browser comes')
    t.notMatch(lines[0], /BBBB|user/)
    t.match(lines[0], /sessionId.*cannot be decoded/)
    t.same((await visit('/looks')).json(), [false, false, isValue ? ['other'] : []])
    t.equal((await visit('/begins')).body, 'absent')
    if (isValue) t.same(calls, ['update', 'update'], 'what is set or removed by name is saved')
  }
})

t.test('the log remembers which corrupt records it has named, but not all for good', async (t) => {
  const lines: string[] = []
  const store = { ...wrapped(memoryStore(), () => {}), read: () => ({}) as never }
  const app = await buildApp(t, { store }, { logger: { level: 'warn', stream: { write: (line: string) => lines.push(line) } } })
  const visit = (number: number) => app.inject({ url: '/', cookies: { sid: String(number).padStart(24, 'A').padEnd(64, 'A') } })
  for (let number = 0; number <= 10_000; number += 10) await visit(number)
  t.equal(lines.length, 1001)
  await visit(10_000)
  t.equal(lines.length, 1001)
  await visit(0)
  t.equal(lines.length, 1002)
})

t.test('an expired record is left to its store: a reader that is behind cannot remove what was renewed since', async (t) => {
  const clock = new FakeClock()
  const memory = memoryStore(clock)
  let behind: SessionRecord | null = null
  const store = { ...wrapped(memory, () => {}), read: (id: string) => behind ?? memory.read(id) }
  const app = await buildApp(t, { store, clock, idleTimeout: '1m' })
  app.get('/', async ({ session }) => ({ user: session.get('user') ?? null }))
  const { cookies, sessionId } = await app.sessions.issue({ user: 1 })
  behind = memory.read(sessionId) as SessionRecord
  const renewTo = clock.now() + HOUR
  t.equal(memory.touch(sessionId, { renewTo, atMost: renewTo, tolerance: 0, ifLifetime: null, ifAbsoluteExpiresAt: behind.absoluteExpiresAt }), 'done')
  clock.advance(60_000)
  t.same((await app.inject({ url: '/', cookies })).json(), { user: null })
  behind = null
  t.same((await app.inject({ url: '/', cookies })).json(), { user: 1 })
})

t.test('a full call stack says nothing about a value: the request fails and the session stays', async (t) => {
  const app = await buildApp(t)
  const under = (depth: number, run: () => unknown): unknown => depth === 0 ? run() : under(depth - 1, run)
  app.get('/deep', async ({ session }) => {
    // down until the stack ends, and then back up until there is just too little of it
    let depth = 1
    const dive = (): void => { depth++; dive() }
    try { dive() } catch {}
    for (let left = Math.floor(depth * 0.9); left > 0; left -= 50) {
      try {
        under(left, () => session.get('map'))
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        continue
      }
      break
    }
    return { user: session.get('user'), map: (session.get('map') as Map<string, number>).get('a') }
  })
  app.get('/overflow', async ({ session }) => {
    const dive = (): unknown => { session.get('map'); return dive() }
    return dive()
  })
  const { cookies } = await app.sessions.issue({ user: 1, map: new Map([['a', 1]]) })
  t.equal((await app.inject({ url: '/overflow', cookies })).statusCode, 500)
  t.same((await app.inject({ url: '/deep', cookies })).json(), { user: 1, map: 1 })
})

t.test('a value that becomes corrupt while a request holds it is absent for the next step', async (t) => {
  const memory = memoryStore()
  const app = await buildApp(t, { store: memory })
  const { cookies, sessionId } = await app.sessions.issue({ n: 1, user: 1 })
  app.get('/', async ({ session }) => {
    let isFirst = true
    const n = await session.update('n', (n) => {
      if (isFirst) memory.update(sessionId, { clear: false, set: { n: '{' }, remove: [] })
      isFirst = false
      return Number(n ?? 40) + 1
    })
    return { n }
  })
  const response = await app.inject({ url: '/', cookies })
  t.same([response.statusCode, setCookies(response)], [200, []])
  t.match(memory.read(sessionId), { values: { n: '41', user: '1' } })
})

t.test('parallel requests cannot outgrow maxSize together, and what is too large may shrink', async (t) => {
  for (const { kind, makeStore } of everyStore) {
    const app = await buildApp(t, { store: makeStore(), maxSize: 10_000 })
    const all = gate()
    let waiting = 0
    app.get('/big/:key', async ({ session, params }) => {
      const { key } = params as { key: string }
      if (++waiting === 20) all.open()
      await all.passed
      session.set(key, key.repeat(4000))
    })
    app.get('/size', async ({ session }) => JSON.stringify(session.data()).length)
    app.get('/step', async ({ session }) => session.set('step', 1))
    const { cookies } = await app.sessions.issue({ step: 0 })
    const visit = (url: string) => app.inject({ url, cookies })
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => visit(`/big/${String.fromCharCode(97 + index)}`)))
    t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 2, kind)
    t.equal(answers.filter((answer) => answer.statusCode === 500 && answer.json().code === 'FST_KEEP_TOO_LARGE').length, 18, kind)
    t.ok(Number((await visit('/size')).body) < 10_000, kind)

    const store = makeStore()
    const roomy = await buildApp(t, { store, maxSize: 30_000 })
    const tight = await buildApp(t, { store, maxSize: 10_000 })
    tight.get('/remove', async ({ session }) => session.remove('a'))
    tight.get('/shorten', async ({ session }) => session.set('b', 'b'.repeat(11_000)))
    tight.get('/grow', async ({ session }) => session.set('c', 1))
    tight.get('/step', async ({ session }) => session.set('step', 1))
    tight.get('/login', async ({ session }) => session.regenerate(['b']))
    const issued = await roomy.sessions.issue({ step: 0, a: 'a'.repeat(9000), b: 'b'.repeat(12_000) })
    for (const [url, status] of [['/step', 200], ['/grow', 500], ['/remove', 200], ['/grow', 500], ['/shorten', 200], ['/grow', 500], ['/login', 200]] as const) {
      t.equal((await tight.inject({ url, cookies: issued.cookies })).statusCode, status, `${kind} ${url}`)
    }
  }
})

t.test('a store that calls everything too large is a failing store', async (t) => {
  const app = await buildApp(t, { store: { ...wrapped(memoryStore(), () => {}), update: () => 'too-large' } })
  app.get('/', async ({ session }) => session.set('a', 1))
  app.get('/update', async ({ session }) => session.update('a', () => 1))
  const { cookies } = await app.sessions.issue({ user: 1 })
  for (const url of ['/', '/update']) t.match((await app.inject({ url, cookies })).json(), { statusCode: 503, code: 'FST_KEEP_STORE' })
})

t.test('an error that says what the app asked too much of reaches the app', async (t) => {
  for (const fail of [() => { throw new TooManyKeysError(2e6, 1e6) }, async () => { throw new TooManyKeysError(2e6, 1e6) }]) {
    const app = await buildApp(t, { store: { ...wrapped(memoryStore(), () => {}), create: fail } })
    app.get('/', async ({ session }) => session.set('a', 1))
    t.match((await app.inject('/')).json(), { statusCode: 500, code: 'FST_KEEP_TOO_MANY_KEYS' })
    t.equal(app.sessions.stats().storeErrors, 0)
  }
})

t.test('the function of an update that fails on the second run fails the request', async (t) => {
  const memory = memoryStore()
  const app = await buildApp(t, { store: memory })
  const { cookies, sessionId } = await app.sessions.issue({ n: 1 })
  app.get('/', async ({ session }) => {
    await session.update('n', (n) => {
      if (n !== 1) throw new Error('not again')
      memory.update(sessionId, { clear: false, set: { n: '5' }, remove: [] })
      return 2
    })
  })
  t.match((await app.inject({ url: '/', cookies })).json(), { statusCode: 500, message: 'not again' })
})

t.test('a clock that fails while a session is loaded fails the request, and is logged as what it is', async (t) => {
  const lines: string[] = []
  let isFailing = false
  const clock = { now: () => { if (isFailing) throw new Error('the clock stands'); return Date.now() } }
  const app = await buildApp(t, { clock }, { logger: { level: 'error', stream: { write: (line: string) => lines.push(line) } } })
  app.get('/', async ({ session }) => session.data())
  const { cookies } = await app.sessions.issue({ a: 1 })
  isFailing = true
  const response = await app.inject({ url: '/', cookies })
  isFailing = false
  t.equal(response.statusCode, 500)
  t.match(lines[0], /the clock stands.*the session could not be loaded/)
  t.same((await app.inject({ url: '/', cookies })).json(), { a: 1 })
})

t.test('an answer of the store that throws when it is looked at is a failure of the store', async (t) => {
  const answer = new Proxy({}, { has () { throw new Error('not to be looked at') } })
  const app = await buildApp(t, { store: { ...wrapped(memoryStore(), () => {}), read: () => answer as never } })
  app.get('/', async ({ session }) => session.data())
  const { cookies } = await app.sessions.issue({ a: 1 })
  t.match((await app.inject({ url: '/', cookies })).json(), { statusCode: 503, code: 'FST_KEEP_STORE' })
})
