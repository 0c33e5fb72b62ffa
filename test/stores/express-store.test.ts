import { EventEmitter } from 'node:events'
import t, { type Test } from 'tap'
import type { EndedSession, SessionLifetime, SessionRecord, SessionRenewal, SessionStore } from '../../index.js'
import { isRecord } from '../../lib/record/record.js'
import { fromExpressStore, type ExpressStore } from '../../lib/stores/express/express-store.js'
import { foreignSession } from '../../lib/stores/express/foreign-session.js'
import { Turns } from '../../lib/stores/turns.js'
import { Browser, buildApp, gate, setCookies } from '../fixtures/app.js'
import { FakeClock, HOUR, MINUTE, SECOND } from '../fixtures/clock.js'
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
  return {
    values: { userId: '42' },
    createdAt: now,
    expiresAt: now + HOUR,
    absoluteExpiresAt: now + 24 * HOUR,
    version: 0,
    owner: null,
    about: null,
    lifetime: null,
    verifier: 'v',
    earlier: [],
    generation: 0,
    shown: true,
    ...parts
  }
}

/** The record that is there. */
async function recordIn (store: SessionStore, id: string): Promise<SessionRecord> {
  const found = await store.read(id)
  if (!isRecord(found)) throw new Error(`no record, but ${JSON.stringify(found)}`)
  return found
}

/** A renewal to this deadline, of a record that was made at this time. */
function renewalTo (expiresAt: number, madeAt: number, parts: Partial<SessionRenewal> = {}): SessionRenewal {
  return { renewTo: expiresAt, atMost: expiresAt, tolerance: HOUR, ifLifetime: null, ifAbsoluteExpiresAt: madeAt + 24 * HOUR, ...parts }
}

/** What the store holds of ours under this id. */
function contentIn (store: MapStore, id: string): SessionRecord | EndedSession {
  return JSON.parse(store.rows.get(id)?.['fastify-keep'])
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
  const found = await recordIn(adapted, 'id') as { values: Record<string, string> }
  found.values.a = 'tampered'
  t.strictSame((await recordIn(adapted, 'id')).values, { a: '1' })
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
      await session.update('count', (count) => Number(count) + 1)
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
  t.strictSame([...store.rows.keys()].map((id) => Object.keys(contentIn(store, id))), [['endedAt']], 'nothing but the mark of its end is left')
})

t.test('regenerate leaves one session, under the new id', async (t) => {
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
  t.strictSame([...store.rows.keys()].filter((id) => isRecord(contentIn(store, id))), [body])
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
    ['/login', ['get', 'get', 'set', 'get', 'set']],
    ['/logout', ['get', 'get', 'set']]
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
    const absent = () => Object.assign(new Error('no such file'), { code: 'ENOENT' })
    store.get = (id, callback) => good.rows.has(id) ? good.get(id, callback) : callback(absent())
    store.destroy = (id, callback) => good.rows.has(id) ? good.destroy(id, callback) : callback(absent())
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
    t.strictSame([...store.rows.keys()].filter((id) => isRecord(contentIn(store, id))), [])
    t.equal(await fromExpressStore(store).destroy('nobody'), 'missing')
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
    for (const [name, url] of [['get', '/'], ['set', '/'], ['set', '/logout']] as const) {
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

t.test('a call that waited too long for its turn is refused, and writes nothing', async (t) => {
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
  t.notOk('third' in (await recordIn(adapted, 'id')).values)
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
  t.equal((await recordIn(fromExpressStore(store, { clock }), sessionId)).expiresAt, clock.now() + HOUR)
})

t.test('renewals that wait for their turn share one write, and one that moves nothing writes nothing', async (t) => {
  const clock = new FakeClock()
  const { store, calls } = slowRows()
  const adapted = fromExpressStore(store, { clock })
  const now = clock.now()
  await adapted.create('id', recordAt(now))
  const writes = async (...deadlines: number[]) => {
    calls.length = 0
    const answers = await Promise.all(deadlines.map((expiresAt) => adapted.touch('id', renewalTo(expiresAt, now))))
    t.strictSame(new Set(answers), new Set(['done']))
    return [calls.filter((name) => name === 'set').length, (await recordIn(adapted, 'id')).expiresAt - now]
  }
  t.strictSame(await writes(now + 2 * HOUR, now + 3 * HOUR, now + 2 * HOUR), [1, 3 * HOUR], 'those that wait share the latest')
  t.strictSame(await writes(now + 3 * HOUR), [0, 3 * HOUR])
  t.strictSame(await writes(now + 2 * HOUR), [0, 3 * HOUR], 'a renewal takes nothing back')
  t.strictSame(await writes(now + 3 * HOUR + 1), [1, 3 * HOUR + 1])
  t.strictSame(await writes(now + HOUR), [1, HOUR], 'unless the deadline lies too far ahead')
  // begun while the first is being written
  const first = adapted.touch('id', renewalTo(now + 2 * HOUR, now))
  while (calls.at(-1) !== 'set') await new Promise(setImmediate)
  const second = adapted.touch('id', renewalTo(now + 3 * HOUR, now))
  t.strictSame(await Promise.all([first, second]), ['done', 'done'])
  t.equal((await recordIn(adapted, 'id')).expiresAt, now + 3 * HOUR)
  t.equal((await recordIn(adapted, 'id')).version, 0)
})

t.test('renewals that share a write keep their own conditions and answers', async (t) => {
  const clock = new FakeClock()
  const { store, calls } = slowRows()
  const adapted = fromExpressStore(store, { clock })
  const now = clock.now()
  const lifetime: SessionLifetime = { idle: HOUR, absolute: 24 * HOUR, persistent: true }
  await adapted.create('id', recordAt(now, { lifetime }))
  calls.length = 0
  t.strictSame(await Promise.all([
    adapted.touch('id', renewalTo(now + 4 * HOUR, now)),
    adapted.touch('id', renewalTo(now + 2 * HOUR, now, { ifLifetime: lifetime })),
    adapted.touch('id', renewalTo(now + 5 * HOUR, now, { ifLifetime: lifetime, ifAbsoluteExpiresAt: now + 25 * HOUR })),
    adapted.touch('id', renewalTo(now + 6 * HOUR, now, { ifLifetime: { ...lifetime, persistent: false } }))
  ]), ['stale', 'done', 'stale', 'stale'])
  t.strictSame(calls, ['get', 'set'])
  t.equal((await recordIn(adapted, 'id')).expiresAt, now + 2 * HOUR)
  calls.length = 0
  t.equal(await adapted.touch('id', renewalTo(now + 4 * HOUR, now)), 'stale')
  t.strictSame(calls, ['get'])
})

t.test('renewals that share a write share its failure, and its end; the next one begins anew', async (t) => {
  const clock = new FakeClock()
  const { store } = slowRows()
  const adapted = fromExpressStore(store, { clock })
  const now = clock.now()
  await adapted.create('id', recordAt(now))
  const touches = () => Promise.allSettled([2, 3].map((hours) => adapted.touch('id', renewalTo(now + hours * HOUR, now))))
  store.get = (_id, callback) => callback(new Error('down'))
  t.match(await touches(), [{ status: 'rejected', reason: { message: 'down' } }, { status: 'rejected', reason: { message: 'down' } }])
  delete (store as Partial<MapStore>).get
  t.match(await touches(), [{ value: 'done' }, { value: 'done' }])
  await adapted.destroy('id')
  t.match(await touches(), [{ value: 'missing' }, { value: 'missing' }])
})

t.test('the mark of an ended session holds nothing else, is there for a minute, and stands in the way of no other', async (t) => {
  const clock = new FakeClock()
  const store = new MapStore()
  const adapted = fromExpressStore(store, { clock })
  const endedAt = clock.now()
  await adapted.create('id', recordAt(endedAt))
  t.equal(await adapted.destroy('id'), 'done')
  t.strictSame(contentIn(store, 'id'), { endedAt })
  t.equal(store.rows.get('id')?.cookie.expires.getTime(), endedAt + MINUTE)
  t.strictSame(await adapted.read('id'), { endedAt })
  t.equal(await adapted.update('id', { clear: false, set: { a: '1' }, remove: [] }), 'missing')
  t.equal(await adapted.touch('id', renewalTo(endedAt + 2 * HOUR, endedAt)), 'missing')
  t.equal(await adapted.destroy('id'), 'missing')
  t.strictSame(await adapted.read('id'), { endedAt }, 'a second logout leaves the mark')
  clock.advance(MINUTE - 1)
  t.strictSame(await adapted.read('id'), { endedAt })
  clock.advance(1)
  t.equal(await adapted.read('id'), null)
  await adapted.create('other', recordAt(clock.now()))
  await adapted.destroy('other')
  t.equal(await adapted.create('other', recordAt(clock.now())), true)
  t.equal((await recordIn(adapted, 'other')).version, 0)
})

t.test('a session ends only while the conditions hold', async (t) => {
  const store = new MapStore()
  const adapted = fromExpressStore(store)
  await adapted.create('id', recordAt(Date.now(), { version: 3, generation: 2 }))
  for (const condition of [{ ifGeneration: 1 }, { ifVersion: 2 }, { ifGeneration: 0 }, { ifVersion: 0 }, { ifGeneration: 2, ifVersion: 2 }, { ifGeneration: 1, ifVersion: 3 }]) {
    t.equal(await adapted.destroy('id', condition), 'conflict')
  }
  t.equal((await recordIn(adapted, 'id')).version, 3)
  t.equal(await adapted.destroy('id', { ifGeneration: 2, ifVersion: 3 }), 'done')
  t.equal(await adapted.destroy('id', { ifGeneration: 2, ifVersion: 3 }), 'missing')
})

t.test('a toJSON that somebody gave to every object, array and string changes nothing in the record', async (t) => {
  const prototypes = [Object.prototype, Array.prototype, String.prototype, Number.prototype]
  const store = new MapStore()
  const adapted = fromExpressStore(store)
  const earlier = [{ verifier: 'u', until: 7, opens: true }]
  const given = recordAt(Date.now(), { values: { toJSON: '1', ['__proto__']: '2', a: '3' }, earlier, lifetime: { idle: HOUR, absolute: HOUR, persistent: false } })
  for (const prototype of prototypes) Object.defineProperty(prototype, 'toJSON', { configurable: true, value: () => 'polluted' })
  try {
    await adapted.create('id', given)
    await adapted.update('id', { clear: false, set: { b: '4' }, remove: [] })
  } finally {
    for (const prototype of prototypes) delete (prototype as { toJSON?: unknown }).toJSON
  }
  const found = await recordIn(adapted, 'id')
  t.strictSame(Object.entries(found.values), [['toJSON', '1'], ['__proto__', '2'], ['a', '3'], ['b', '4']])
  t.strictSame({ ...found, values: {} }, { ...given, values: {}, version: 1 })
})

t.test('a row that is too deep for the stack at hand is a failure, and not a corrupt session', async (t) => {
  const store = new MapStore()
  // not a deep object: the JSON of newer versions of V8 needs no stack for one
  const deep = { toJSON: (): unknown => deep.toJSON() }
  t.throws(() => foreignSession({ cookie: {}, deep }, 0), RangeError)
  const { parse } = JSON
  t.teardown(() => { JSON.parse = parse })
  // as it would be on a stack that is nearly used up
  JSON.parse = () => { throw new RangeError('Maximum call stack size exceeded') }
  store.rows.set('id', { cookie: {}, 'fastify-keep': '{}' })
  await t.rejects(async () => { await fromExpressStore(store).read('id') }, RangeError)
})

/** Lets no write through until told. */
function gateOf (store: MapStore): { pass (): void } {
  store.set = () => {}
  return { pass: () => { delete (store as Partial<MapStore>).set } }
}

t.test('turns that have ended leave nothing behind', async (t) => {
  const turns = new Turns()
  const results = await Promise.allSettled(['a', 'b', 'a'].map((id, index) => turns.take(id, 1000, async () => {
    if (index === 1) throw new Error('no')
    return index
  })))
  t.match(results, [{ value: 0 }, { reason: /no/ }, { value: 2 }])
  await new Promise(setImmediate)
  t.equal(turns.size, 0)
})

t.test('a session that has expired is not written, and not there, whatever the store says', async (t) => {
  const clock = new FakeClock()
  const store = new MapStore()
  const adapted = fromExpressStore(store, { clock })
  await adapted.create('expired', recordAt(clock.now(), { expiresAt: clock.now() }))
  t.equal(store.rows.size, 0)
  const madeAt = clock.now()
  await adapted.create('id', recordAt(madeAt))
  clock.advance(HOUR)
  t.equal(await adapted.touch('id', renewalTo(clock.now() + HOUR, madeAt)), 'missing')
  t.equal(await adapted.update('id', { clear: false, set: {}, remove: [], expiresAt: clock.now() + HOUR }), 'missing')
  t.ok(store.rows.has('id'))
  t.strictSame(await Promise.all([adapted.read('id'), adapted.read('id')]), [null, null])
  t.ok(store.rows.has('id'), 'reading removes nothing')
  t.equal(await adapted.destroy('id', { ifVersion: 0 }), 'missing')
  t.ok(store.rows.has('id'), 'nor does an end under a condition')
  t.equal(await adapted.destroy('id'), 'missing')
  t.notOk(store.rows.has('id'), 'a logout does: elsewhere the session may have been renewed')
})

t.test('what another library wrote is no session here, and left alone', async (t) => {
  const clock = new FakeClock()
  const store = new MapStore()
  const adapted = fromExpressStore(store, { clock })
  const now = clock.now()
  const expires = new Date(now + 10 * SECOND)
  const dated = { cookie: { originalMaxAge: 10 * SECOND, expires }, userId: 42, cart: { items: ['apple'] }, __lastAccess: 1, lastModified: 1 }
  store.rows.set('dated', dated)
  t.equal(await adapted.read('dated'), null)
  t.equal(await adapted.update('dated', { clear: true, set: {}, remove: [] }), 'missing')
  t.equal(await adapted.touch('dated', renewalTo(now + HOUR, now)), 'missing')
  t.equal(await adapted.destroy('dated', { ifGeneration: 0 }), 'missing')
  t.equal(store.rows.get('dated'), dated)

  t.strictSame(foreignSession(dated, now), { entries: [['userId', 42], ['cart', { items: ['apple'] }]], expiresAt: expires.getTime(), isPersistent: true })
  for (const undated of [{ cookie: { originalMaxAge: null, expires: null, toJSON () { return {} } }, userId: 42 }, { userId: 42 }, { cookie: null, userId: 42 }]) {
    t.strictSame(foreignSession(undated, now), { entries: [['userId', 42]], expiresAt: now + 24 * HOUR, isPersistent: false })
  }
})

t.test('what is no session of anybody is none', async (t) => {
  const store = new MapStore()
  const adapted = fromExpressStore(store)
  const circle: Row = {}
  circle.self = circle
  const deep = JSON.parse('['.repeat(600) + ']'.repeat(600))
  for (const foreign of [circle, { cookie: { expires: 'some day' }, userId: 42 }, { cookie: {}, deep }]) t.equal(foreignSession(foreign, 0), null)
  store.rows.set('text', 'a text' as unknown as Row)
  t.equal(await adapted.read('text'), null)
  const good = JSON.stringify(recordAt(Date.now()))
  const corrupt = ['', 'null', '[]', '42', '{}', good.slice(1), good.replace('"v"', '7'), good.replace('"generation":0', '"generation":"0"'), '{"endedAt":"now"}', '{"endedAt":-1}', '{"format":9,"data":"AAAA"}']
  for (const [index, text] of corrupt.entries()) {
    const id = `corrupt ${index}`
    store.rows.set(id, { cookie: {}, 'fastify-keep': text })
    const found = await adapted.read(id)
    t.ok(found !== null && !isRecord(found) && !('endedAt' in found), `no record is handed out for ${text}`)
    t.equal(await adapted.update(id, { clear: false, set: { a: '1' }, remove: [] }), 'missing')
    t.equal(await adapted.destroy(id, { ifVersion: 0 }), 'missing')
    t.equal(store.rows.get(id)?.['fastify-keep'], text, 'it is left as it is')
    t.equal(await adapted.destroy(id), 'missing')
    t.notOk(store.rows.has(id))
  }
})

t.test('what is no store, and a timeout that is none, are refused with a hint', async (t) => {
  const refused = (t: Test, run: () => unknown, message: RegExp) => t.throws(run, { code: 'FST_KEEP_INVALID_OPTION', message })
  refused(t, () => fromExpressStore(new Map() as unknown as ExpressStore), /option store is .*Map.*lacks destroy/)
  refused(t, () => fromExpressStore(null as unknown as ExpressStore), /option store is null/)
  refused(t, () => fromExpressStore(new MapStore(), { timeout: 'soon' as '5m' }), /option timeout is 'soon'/)
})
