import { EventEmitter } from 'node:events'
import t, { type Test } from 'tap'
import type { SessionRecord } from '../../index.js'
import { isRecord } from '../../lib/session-record.js'
import { fromExpressStore, type ExpressStore } from '../../lib/stores/express-store.js'
import { Turns } from '../../lib/turns.js'
import { Browser, buildApp, gate, setCookies } from '../fixtures/app.js'
import { FakeClock, HOUR, SECOND } from '../fixtures/clock.js'
import { liveObjectStore } from '../fixtures/live-object-store.js'

type Row = Record<string, any>

/** A store with what it holds in sight. */
class MapStore implements ExpressStore {
  readonly rows = new Map<string, Row>()

  get (id: string, callback: (error?: unknown, session?: unknown) => void): unknown {
    return callback(null, this.rows.get(id))
  }

  set (id: string, session: object, callback: (error?: unknown) => void): unknown {
    this.rows.set(id, session)
    return callback()
  }

  destroy (id: string, callback: (error?: unknown) => void): unknown {
    this.rows.delete(id)
    return callback()
  }
}

function recordAt (now: number, parts: Partial<SessionRecord> = {}): SessionRecord {
  return { values: { userId: '42' }, createdAt: now, expiresAt: now + HOUR, absoluteExpiresAt: now + 24 * HOUR, version: 0, generation: 0, owner: null, lifetime: null, ...parts }
}

t.test('a store gets a cookie with real dates, and the milliseconds that are left', async (t) => {
  const clock = new FakeClock()
  const store = new MapStore()
  await fromExpressStore(store, { clock }).create('id', recordAt(clock.now()))
  const { cookie } = store.rows.get('id') as Row
  t.ok(cookie.expires instanceof Date)
  t.equal(cookie.expires.getTime(), clock.now() + HOUR)
  t.equal(cookie.maxAge, HOUR)
  t.equal(cookie.originalMaxAge, HOUR)
  t.strictSame(JSON.parse(JSON.stringify(cookie)), { originalMaxAge: HOUR, expires: new Date(clock.now() + HOUR).toISOString(), httpOnly: true, path: '/' })
})

t.test('what a store writes into a session does not get among the data of the user', async (t) => {
  const store = new MapStore()
  store.set = (id, session, callback) => MapStore.prototype.set.call(store, id, Object.assign(session, { __lastAccess: 1, lastModified: new Date(), surprise: true }), callback)
  const app = await buildApp(t, { store: fromExpressStore(store) })
  app.get('/', async ({ session }) => {
    session.set('cookie', 'of the user')
    session.set('__lastAccess', 'of the user too')
    return session.data()
  })
  app.get('/data', async ({ session }) => session.data())
  const browser = new Browser(app)
  await browser.visit('/')
  t.strictSame((await browser.visit('/data')).json(), { cookie: 'of the user', __lastAccess: 'of the user too' })
})

t.test('a store that holds on to objects shares none with anybody', async (t) => {
  const store = liveObjectStore()
  const adapted = fromExpressStore(store)
  const given = { a: '1' }
  await adapted.create('id', recordAt(Date.now(), { values: given }))
  given.a = 'tampered'
  const found = await adapted.read('id') as { values: Record<string, string> }
  found.values.a = 'tampered'
  t.strictSame((await adapted.read('id'))?.values, { a: '1' })
})

t.test('requests of one process that change a session at once all win, through two adapters of one store too', async (t) => {
  const store = new MapStore()
  // between reading and writing, everybody else gets a turn
  store.get = (id, callback) => setImmediate(() => MapStore.prototype.get.call(store, id, callback))
  store.set = (id, session, callback) => setImmediate(() => MapStore.prototype.set.call(store, id, session, callback))
  const apps = await Promise.all([1, 2].map(async () => {
    const app = await buildApp(t, { store: fromExpressStore(store) })
    app.get('/begin', async ({ session }) => { session.set('count', 0) })
    app.get('/:key', async ({ session, params }) => {
      session.set((params as { key: string }).key, true)
      session.update('count', (count) => Number(count) + 1)
    })
    app.get('/data', async ({ session }) => session.data())
    return app
  }))
  const [one, other] = apps
  const browser = new Browser(one!)
  await browser.visit('/begin')
  const keys = Array.from({ length: 20 }, (_, index) => `key${index}`)
  await Promise.all(keys.map((key, index) => apps[index % 2]!.inject({ url: `/${key}`, cookies: browser.cookies })))
  const data = (await other!.inject({ url: '/data', cookies: browser.cookies })).json()
  t.strictSame(Object.keys(data).sort(), ['count', ...keys].sort())
  t.equal(data.count, 20)
})

t.test('a logout beats a slow writer of the same process', async (t) => {
  const store = new MapStore()
  const loaded = gate()
  const loggedOut = gate()
  const app = await buildApp(t, { store: fromExpressStore(store) })
  app.get('/login', async ({ session }) => { session.set('userId', 42) })
  app.get('/slow', async ({ session }) => {
    loaded.open()
    await loggedOut.passed
    session.set('late', true)
  })
  app.get('/logout', async ({ session }) => { session.destroy() })
  const browser = new Browser(app)
  await browser.visit('/login')
  const slow = app.inject({ url: '/slow', cookies: browser.cookies }).then(setCookies)
  await loaded.passed
  await browser.visit('/logout')
  loggedOut.open()
  t.strictSame(await slow, [])
  t.equal(store.rows.size, 0)
})

t.test('regenerate leaves one row, under the new id', async (t) => {
  const store = new MapStore()
  const app = await buildApp(t, { store: fromExpressStore(store) })
  app.get('/begin', async ({ session }) => { session.set('a', 1) })
  app.get('/login', async ({ session }) => {
    session.regenerate()
    session.set('userId', 42)
    return session.sessionId
  })
  const browser = new Browser(app)
  await browser.visit('/begin')
  const { body } = await browser.visit('/login')
  t.strictSame([...store.rows.keys()], [body])
})

t.test('a request costs no more calls of the store than the guide says', async (t) => {
  const calls: string[] = []
  const store = new MapStore()
  for (const name of ['get', 'set', 'destroy'] as const) {
    store[name] = (...args: never[]) => {
      calls.push(name)
      return (MapStore.prototype[name] as (...args: never[]) => unknown).apply(store, args)
    }
  }
  const app = await buildApp(t, { store: fromExpressStore(store) })
  app.get('/read', async ({ session }) => session.data())
  app.get('/write', async ({ session }) => session.update('count', (count) => Number(count ?? 0) + 1))
  app.get('/login', async ({ session }) => session.regenerate())
  app.get('/logout', async ({ session }) => session.destroy())
  const browser = new Browser(app)
  const costs: Array<[url: string, calls: string[]]> = [
    ['/read', []],
    ['/write', ['get', 'set']],
    ['/read', ['get']],
    ['/write', ['get', 'get', 'set']],
    ['/login', ['get', 'get', 'set', 'destroy']],
    ['/logout', ['get', 'destroy']]
  ]
  for (const [url, expected] of costs) {
    calls.length = 0
    t.equal((await browser.visit(url)).statusCode, 200)
    t.strictSame(calls, expected, url)
  }
})

const troubles: Record<string, (store: MapStore, good: MapStore) => void> = {
  'calls back twice' (store, good) {
    store.get = (id, callback) => { good.get(id, callback); good.get(id, () => callback(new Error('again'))) }
    store.set = (id, session, callback) => { good.set(id, session, callback); callback(new Error('again')) }
  },
  'calls back, and fulfils a promise before' (store, good) {
    store.get = async (id, callback) => { setImmediate(() => good.get(id, callback)) }
    store.set = async (id, session, callback) => { setImmediate(() => good.set(id, session, callback)) }
  },
  'calls back, and rejects besides' (store, good) {
    store.get = async (id, callback) => { good.get(id, callback); throw new Error('besides') }
    store.set = async (id, session, callback) => { good.set(id, session, callback); throw new Error('besides') }
  },
  'answers ENOENT for what is not there' (store, good) {
    const gone = () => Object.assign(new Error('no such file'), { code: 'ENOENT' })
    store.get = (id, callback) => good.rows.has(id) ? good.get(id, callback) : callback(gone())
    store.destroy = (id, callback) => good.rows.has(id) ? good.destroy(id, callback) : callback(gone())
  },
  'emits disconnect' (store) {
    Object.assign(store, EventEmitter.prototype)
    ;(store as unknown as EventEmitter).emit('disconnect')
  }
}

for (const [title, spoil] of Object.entries(troubles)) {
  t.test(`a store that ${title} serves as any other`, async (t) => {
    const store = new MapStore()
    spoil(store, Object.setPrototypeOf({ rows: store.rows }, MapStore.prototype))
    const app = await buildApp(t, { store: fromExpressStore(store) })
    app.get('/', async ({ session }) => session.update('count', (count) => Number(count ?? 0) + 1))
    app.get('/logout', async ({ session }) => { session.destroy() })
    const browser = new Browser(app)
    for (const count of ['1', '2', '3']) t.equal((await browser.visit('/')).body, count)
    await browser.visit('/logout')
    t.equal(store.rows.size, 0)
    await fromExpressStore(store).destroy('nobody')
  })
}

const failures: Record<string, ExpressStore['get']> = {
  'calls back with an error': (_id, callback) => callback(new Error('down')),
  'calls back with a text for an error': (_id, callback) => callback('down'), // eslint-disable-line n/no-callback-literal
  throws: () => { throw new Error('down') },
  'rejects and never calls back': async () => { throw new Error('down') },
  'rejects with nothing': () => Promise.reject(undefined), // eslint-disable-line prefer-promise-reject-errors
  'never calls back': () => {},
  'cannot find the socket of its server': (_id, callback) => callback(Object.assign(new Error('down'), { code: 'ENOENT', syscall: 'connect' }))
}

for (const [title, fail] of Object.entries(failures)) {
  t.test(`a store that ${title} is answered with 503, for every one of its functions`, async (t) => {
    const store = new MapStore()
    const app = await buildApp(t, { store: fromExpressStore(store, { timeout: 20 }) })
    app.get('/', async ({ session }) => session.update('count', (count) => Number(count ?? 0) + 1))
    app.get('/logout', async ({ session }) => { session.destroy() })
    const browser = new Browser(app)
    await browser.visit('/')
    for (const [name, url] of [['get', '/'], ['set', '/'], ['destroy', '/logout']] as const) {
      store[name] = (...args: unknown[]) => fail('', args.at(-1) as () => void)
      const response = await app.inject({ url, cookies: browser.cookies })
      t.equal(response.statusCode, 503, name)
      t.notMatch(response.body, /down|call back/)
      delete (store as Partial<MapStore>)[name]
    }
    t.equal((await browser.visit('/')).body, '2', 'and works again when the store does')
  })
}

t.test('a write to a place that is not there is a failure, and not taken for an absent session', async (t) => {
  const store = new MapStore()
  store.set = (_id, _session, callback) => callback(Object.assign(new Error('no such directory'), { code: 'ENOENT', syscall: 'open' }))
  const app = await buildApp(t, { store: fromExpressStore(store) })
  app.get('/', async ({ session }) => { session.set('a', 1) })
  const response = await app.inject('/')
  t.equal(response.statusCode, 503)
  t.strictSame(setCookies(response), [])
})

t.test('whoever waited too long for a turn is refused, and writes nothing', async (t) => {
  const store = new MapStore()
  const adapted = fromExpressStore(store, { timeout: 30 })
  await adapted.create('id', recordAt(Date.now()))
  const writes = gateOf(store)
  const change = async (key: string) => adapted.update('id', { clear: false, set: { [key]: '1' }, remove: [] })
  const [first, second, third] = [change('first'), change('second'), change('third')]
  await t.rejects(first, /did not call back within 30 ms/)
  await t.rejects(second)
  await t.rejects(third, /busy with this session/)
  writes.pass()
  t.equal(await change('fourth'), 'done')
  t.notOk('third' in ((await adapted.read('id'))?.values ?? {}))
})

/** A store of 20 ms a call, and how often each function was called. */
function slowRows (): { store: MapStore, calls: string[] } {
  const store = new MapStore()
  const calls: string[] = []
  for (const name of ['get', 'set', 'destroy'] as const) {
    store[name] = (...args: unknown[]) => {
      calls.push(name)
      setTimeout(() => (MapStore.prototype[name] as Function).apply(store, args), 20)
    }
  }
  return { store, calls }
}

t.test('sixty reads at once when a renewal is due cost one write, and all are answered', async (t) => {
  const clock = new FakeClock()
  const { store, calls } = slowRows()
  const app = await buildApp(t, { clock, store: fromExpressStore(store, { clock }) })
  app.get('/', async ({ session }) => ({ userId: session.get('userId') }))
  const { cookies, sessionId } = await app.sessions.issue({ userId: 42 })
  clock.advance(HOUR / 4)
  calls.length = 0
  const responses = await Promise.all(Array.from({ length: 60 }, () => app.inject({ url: '/', cookies })))
  t.strictSame(new Set(responses.map(({ statusCode, body }) => `${statusCode} ${body}`)), new Set(['200 {"userId":42}']))
  t.equal(calls.filter((name) => name === 'set').length, 1)
  t.equal((await fromExpressStore(store, { clock }).read(sessionId))?.expiresAt, clock.now() + HOUR)
})

t.test('renewals that come one after the other write only what moves the deadline', async (t) => {
  const clock = new FakeClock()
  const { store, calls } = slowRows()
  const adapted = fromExpressStore(store, { clock })
  await adapted.create('id', recordAt(clock.now()))
  const writes = async (...deadlines: number[]) => {
    calls.length = 0
    const answers = await Promise.all(deadlines.map((expiresAt) => adapted.touch('id', expiresAt)))
    t.strictSame(new Set(answers), new Set([true]))
    return [calls.filter((name) => name === 'set').length, Number((await adapted.read('id'))?.expiresAt) - clock.now()]
  }
  const now = clock.now()
  t.strictSame(await writes(now + 2 * HOUR, now + 3 * HOUR, now + 1), [1, 3 * HOUR], 'those that wait share the latest')
  t.strictSame(await writes(now + 3 * HOUR), [0, 3 * HOUR])
  t.strictSame(await writes(now + 3 * HOUR + SECOND), [0, 3 * HOUR], 'not for a second')
  t.strictSame(await writes(now + 3 * HOUR + SECOND + 1), [1, 3 * HOUR + SECOND + 1])
  t.strictSame(await writes(now + SECOND), [1, SECOND], 'a deadline can be moved back')
  t.strictSame(await writes(now + SECOND + 5), [0, SECOND])
  t.strictSame(await writes(now + SECOND + 50), [1, SECOND + 50], 'the shorter the lifetime, the more a moment counts')
  // begun while the first is being written
  const first = adapted.touch('id', now + HOUR)
  while (calls.at(-1) !== 'set') await new Promise(setImmediate)
  const second = adapted.touch('id', now + 2 * HOUR)
  t.strictSame(await Promise.all([first, second]), [true, true])
  t.equal((await adapted.read('id'))?.expiresAt, now + 2 * HOUR)
})

t.test('renewals that share a write share its failure, and its end; the next one begins anew', async (t) => {
  const clock = new FakeClock()
  const { store } = slowRows()
  const adapted = fromExpressStore(store, { clock })
  await adapted.create('id', recordAt(clock.now()))
  const touches = () => Promise.allSettled([adapted.touch('id', clock.now() + 2 * HOUR), adapted.touch('id', clock.now() + 3 * HOUR)])
  store.get = (_id, callback) => callback(new Error('down'))
  t.match(await touches(), [{ status: 'rejected', reason: { message: 'down' } }, { status: 'rejected', reason: { message: 'down' } }])
  delete (store as Partial<MapStore>).get
  t.match(await touches(), [{ value: true }, { value: true }])
  await adapted.destroy('id')
  t.match(await touches(), [{ value: false }, { value: false }])
})

t.test('a row that is too deep for the stack at hand is a failure, and not a corrupt session', async (t) => {
  const store = new MapStore()
  const deep: Row = {}
  let inner = deep
  for (let depth = 0; depth < 100_000; depth++) inner = inner['a'] = {}
  store.rows.set('deep', { cookie: {}, deep })
  await t.rejects(async () => { await fromExpressStore(store).read('deep') }, RangeError)
})

/** Lets no write through until told. */
function gateOf (store: MapStore): { pass (): void } {
  store.set = () => {}
  return { pass: () => { delete (store as Partial<MapStore>).set } }
}

t.test('turns that are over leave nothing behind', async (t) => {
  const turns = new Turns()
  const results = await Promise.allSettled(['a', 'b', 'a'].map((id, index) => turns.take(id, 1000, async () => {
    if (index === 1) throw new Error('no')
    return index
  })))
  t.match(results, [{ value: 0 }, { reason: /no/ }, { value: 2 }])
  await new Promise(setImmediate)
  t.equal(turns.size, 0)
})

t.test('a session whose time has come is not written, and not there, whatever the store says', async (t) => {
  const clock = new FakeClock()
  const store = new MapStore()
  const adapted = fromExpressStore(store, { clock })
  await adapted.create('over', recordAt(clock.now(), { expiresAt: clock.now() }))
  t.equal(store.rows.size, 0)
  await adapted.create('id', recordAt(clock.now()))
  clock.advance(HOUR)
  t.equal(await adapted.touch('id', clock.now() + HOUR), false)
  t.ok(store.rows.has('id'))
  t.strictSame(await Promise.all([adapted.read('id'), adapted.read('id')]), [null, null])
  t.ok(store.rows.has('id'), 'reading removes nothing')
})

t.test('a session that another library wrote can be read', async (t) => {
  const clock = new FakeClock()
  const store = new MapStore()
  const adapted = fromExpressStore(store, { clock })
  const expires = new Date(clock.now() + 10 * SECOND)
  store.rows.set('dated', { cookie: { originalMaxAge: 10 * SECOND, expires }, userId: 42, cart: { items: ['apple'] }, __lastAccess: 1, lastModified: 1 })
  store.rows.set('undated', { cookie: { originalMaxAge: null, expires: null, toJSON () { return {} } }, userId: 42 })
  store.rows.set('bare', { userId: 42 })

  t.strictSame(await adapted.read('dated'), {
    values: { userId: '42', cart: '{"items":["apple"]}' },
    createdAt: 0,
    expiresAt: expires.getTime(),
    absoluteExpiresAt: expires.getTime(),
    version: 0,
    generation: 0,
    owner: null,
    lifetime: { idle: 10 * SECOND, absolute: 10 * SECOND, persistent: true, from: clock.now() }
  })
  for (const id of ['undated', 'bare']) {
    t.match(await adapted.read(id), { values: { userId: '42' }, expiresAt: clock.now() + 24 * HOUR, lifetime: null }, id)
  }
  clock.advance(10 * SECOND)
  t.equal(await adapted.read('dated'), null)
})

t.test('what is no session of anybody is none', async (t) => {
  const store = new MapStore()
  const adapted = fromExpressStore(store)
  const circle: Row = {}
  circle.self = circle
  store.rows.set('circle', circle)
  store.rows.set('some day', { cookie: { expires: 'some day' }, userId: 42 })
  for (const id of store.rows.keys()) {
    const found = await adapted.read(id)
    t.equal(found !== null && isRecord(found), false, id)
  }
  store.rows.set('text', 'a text' as unknown as Row)
  t.equal(await adapted.read('text'), null)
})

t.test('what is no store, and a timeout that is none, are refused with the mend', async (t) => {
  const refused = (t: Test, run: () => unknown, message: RegExp) => t.throws(run, { code: 'FST_KEEP_INVALID_OPTION', message })
  refused(t, () => fromExpressStore(new Map() as unknown as ExpressStore), /option store is .*Map.*lacks destroy/)
  refused(t, () => fromExpressStore(null as unknown as ExpressStore), /option store is null/)
  refused(t, () => fromExpressStore(new MapStore(), { timeout: 'soon' as '5m' }), /option timeout is 'soon'/)
})
