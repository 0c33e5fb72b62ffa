// Stores that hold anything, and stores that do anything: no crash, no hang, and
// nobody is let through. KEEP_FUZZ_RUNS=200000 TAP_TIMEOUT=0 makes it a long run.
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { requireSession, type SessionOptions } from '../index.js'
import { RedisStore } from '../lib/stores/redis/redis-store.js'
import { SqliteStore, type SqliteDatabase } from '../lib/stores/sqlite/sqlite-store.js'
import { fromExpressStore, type ExpressStore } from '../lib/stores/express/express-store.js'
import { tokenOf } from '../lib/record/token.js'
import type { SessionStore } from '../types/store.js'
import { buildApp } from './fixtures/app.js'
import { FakeClock, HOUR } from './fixtures/clock.js'
import { fuzzRuns } from './fixtures/fuzz-runs.js'
import { memoryStore, storeFunctions, wrapped, type StoreFunction } from './fixtures/stores.js'

type Random = () => number

/** The same numbers at every run: mulberry32. */
function randomFrom (seed: number): Random {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const clock = new FakeClock()
const now = clock.now()

const cookies = { sid: 'A'.repeat(64) }
const { verifier } = tokenOf('', cookies.sid)

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T

const scalars = [
  undefined, null, true, '', '0', '42', 'x', '{', '~', '~[', '~[[1]]', '\0', '\ud83d', '[]', 'NaN', 0, -0, -1, 1.5, NaN, Infinity, 1e300,
  2 ** 53, 8.64e15, 8.64e15 + 1, now, now - 1, now + 1, now + HOUR, now + 1000 * HOUR, verifier, 42n, Symbol('s'), () => {}, new Date(NaN), new Map(), []
]

function anything (random: Random, depth = 0): unknown {
  if (depth === 3 || random() < 0.7) return pick(random, scalars)
  const keys = ['values', 'createdAt', 'expiresAt', 'endedAt', 'lifetime', 'verifier', 'until', 'opens', 'user', '__proto__', 'then', 'constructor', 'length', 'cookie', 'fastify-keep', 'toJSON']
  const entries = Array.from({ length: Math.floor(random() * 5) }, () => [pick(random, keys), anything(random, depth + 1)])
  return random() < 0.2 ? entries.flat() : Object.fromEntries(entries)
}

/** A good record with up to three things wrong about it; now and then none. */
function almostRecord (random: Random): Record<string, unknown> {
  const record: Record<string, unknown> = {
    values: { user: '42', name: '"Ann"' },
    createdAt: now,
    expiresAt: now + HOUR,
    absoluteExpiresAt: now + 2 * HOUR,
    version: 0,
    owner: null,
    about: null,
    lifetime: null,
    verifier,
    earlier: [],
    generation: 0,
    shown: random() < 0.5
  }
  for (let faults = Math.floor(random() * 4); faults > 0; faults--) {
    const field = pick(random, Object.keys(record))
    if (field === 'values' && random() < 0.7) record['values'] = { user: pick(random, scalars), name: '1' }
    else if (field === 'lifetime' && random() < 0.7) record['lifetime'] = { idle: pick(random, scalars), absolute: pick(random, scalars), persistent: pick(random, scalars) }
    else if (field === 'earlier' && random() < 0.7) record['earlier'] = [{ verifier: pick(random, scalars), until: pick(random, scalars), opens: pick(random, scalars) }]
    else if (field === 'verifier' && random() < 0.5) Object.assign(record, { verifier: '', earlier: [{ verifier, until: pick(random, scalars), opens: pick(random, scalars) }] })
    else record[field] = anything(random)
  }
  return record
}

/** Whether somebody is logged in, told by the record alone and without the code under test. */
function isLoggedIn (found: unknown): boolean {
  const { values, expiresAt, absoluteExpiresAt, verifier: current, earlier } = found as { values?: { user?: unknown }, expiresAt?: number, absoluteExpiresAt?: number, verifier?: unknown, earlier?: unknown }
  const isAlive = [expiresAt, absoluteExpiresAt].every((date) => Number.isInteger(date) && Number(date) > now && Number(date) <= 8.64e15)
  const isOpened = current === verifier || (Array.isArray(earlier) && earlier.some((each) => each?.verifier === verifier && each.opens === true && each.until > now))
  return isAlive && isOpened && typeof values?.user === 'string' && /^(42|0|\[\]|~\[\[1\]\])$/.test(values.user)
}

function hasText (found: unknown): boolean {
  return typeof (found as { values?: { user?: unknown } } | null | undefined)?.values?.user === 'string'
}

/** Stores whose reader finds what `next` makes, by every way there is into this package. */
const holders: Record<string, (next: () => unknown) => SessionStore> = {
  'a store of one\'s own': (next) => ({ ...wrapped(memoryStore(clock), () => {}), read: () => next() as never }),
  'a store of one\'s own that answers later': (next) => ({ ...wrapped(memoryStore(clock), () => {}), read: async () => ({ record: next() }).record as never }),
  'an express store': (next) => fromExpressStore(rowsOf(() => next()), { clock }),
  'an express store with a text': (next) => fromExpressStore(rowsOf(() => ({ cookie: {}, 'fastify-keep': textOf(next()) })), { clock }),
  SQLite: (next) => new SqliteStore({ clock, database: rowDatabase(() => next()) }),
  Redis: (next) => new RedisStore({ clock, client: { call: async (command: string) => command === 'HGETALL' ? hashOf(next()) : command === 'INFO' ? '' : '1' } })
}

function rowsOf (next: () => unknown): ExpressStore {
  return { get: (_id, callback) => callback(null, next()), set: (_id, _session, callback) => callback(), destroy: (_id, callback) => callback() }
}

function textOf (value: unknown): unknown {
  try {
    return JSON.stringify(value)
  } catch {
    return inspect(value)
  }
}

/** A database in which every session has this row. */
function rowDatabase (next: () => unknown): SqliteDatabase {
  const rows = (sql: string) => {
    if (sql === 'PRAGMA journal_mode = WAL') return [{ journal_mode: 'wal' }]
    if (sql === 'PRAGMA application_id') return [{ application_id: 0x6b656570 }]
    return sql.startsWith('PRAGMA') ? [{ value: 1 }] : [rowOf(next())]
  }
  return { exec () {}, prepare: (sql) => ({ get: () => rows(sql)[0], all: () => rows(sql), run () {} }) }
}

function rowOf (value: unknown): unknown {
  const { expiresAt, ...record } = Object(value) as Record<string, unknown>
  return { expires_at: expiresAt, record: textOf(record) }
}

/** The fields of a Redis hash, as they would be had this been written. */
function hashOf (value: unknown): unknown {
  const { values, createdAt, expiresAt, absoluteExpiresAt, version, lifetime, verifier, earlier, generation, shown } = Object(value) as Record<string, unknown>
  const fields: Array<[string, unknown]> = [
    ['c', createdAt], ['e', expiresAt], ['a', absoluteExpiresAt], ['v', version], ['k', verifier], ['p', textOf(earlier)], ['g', generation],
    ['s', shown === true ? '1' : shown], ['l', lifetime === null ? undefined : textOf(lifetime)]
  ]
  if (typeof values === 'object' && values !== null) for (const [key, each] of Object.entries(values)) fields.push([`:${key}`, each])
  return fields.filter(([, each]) => each !== undefined).flatMap(([field, each]) => [field, String(each)])
}

async function startApp (t: Test, options: SessionOptions) {
  const app = await buildApp(t, { clock, ...options })
  app.get('/private', { preHandler: requireSession('user') }, async () => 'in')
  app.get('/asked', { preHandler: requireSession(async (session) => session.has('user')) }, async () => 'in')
  app.get('/read', async ({ session }) => ({ ...session.data() }))
  app.get('/write', async ({ session }) => { session.set('x', 1); return 'written' })
  app.get('/count', async ({ session }) => ({ n: await session.update('n', (n) => Number(n ?? 0) + 1) }))
  app.get('/login', async ({ session }) => { session.regenerate(['user']); session.set('y', 1) })
  app.get('/rotate', async ({ session }) => { session.rotate() })
  app.get('/lifetime', async ({ session }) => { session.lifetime({ idle: '30m', absolute: '10h' }) })
  app.get('/logout', async ({ session }) => { session.destroy() })
  return app
}

/** What a guard answers, and a counter that must not fail open: 401. */
const mayRefuse = ['/private', '/asked', '/count']

const urls = ['/private', '/asked', '/read', '/write', '/count', '/login', '/rotate', '/lifetime', '/logout'] as const

for (const [name, hold] of Object.entries(holders)) {
  t.test(`whatever ${name} holds, every request is answered and nobody is let in`, async (t) => {
    const random = randomFrom(20260101)
    let current: unknown
    const app = await startApp(t, { store: hold(() => current) })
    const wrong: string[] = []
    let admitted = 0
    for (let run = fuzzRuns(300); run > 0 && wrong.length < 10; run--) {
      const value = random() < 0.2 ? anything(random) : almostRecord(random)
      current = name === 'an express store' && random() < 0.5 ? { cookie: anything(random), 'fastify-keep': textOf(value) } : value
      const url = pick(random, urls)
      const { statusCode, body } = await app.inject({ url, cookies })
      const isGuarded = url === '/private' || url === '/asked'
      const isIn = isGuarded && statusCode === 200
      if (isIn) admitted++
      // express stores may hold what another library wrote, where the keys are the values; in Redis everything is text
      const isForeign = name === 'an express store' || (name === 'Redis' && !hasText(value))
      const expected = mayRefuse.includes(url) ? [200, 401, 503] : [200, 503]
      if (!expected.includes(statusCode) || (isIn && !isForeign && !isLoggedIn(value))) wrong.push(`${url} ${statusCode} ${body} ${inspect(current)}`)
    }
    t.strictSame(wrong, [])
    t.ok(admitted > 0, 'the good ones among them are let in')
  })
}

const never = new Promise<never>(() => {})
const thenable = (then: unknown) => Object.defineProperty({}, 'then', { get: () => typeof then === 'function' ? then : undefined, enumerable: true })

/** Things whose `then`, which never calls back, comes and goes. */
function butForLook (hidden: number): unknown {
  let looks = 0
  return { get then () { return ++looks === hidden ? undefined : () => {} } }
}

function fromLook (first: number): unknown {
  let looks = 0
  return { get then () { return ++looks <= first ? undefined : () => {} } }
}

/** What a store may do instead of answering. */
const deeds: Record<string, () => unknown> = {
  'throws an error': () => { throw new Error('down') },
  'throws nothing': () => { throw undefined }, // eslint-disable-line no-throw-literal
  'throws null': () => { throw null }, // eslint-disable-line no-throw-literal
  'throws a text': () => { throw 'down' }, // eslint-disable-line no-throw-literal
  'throws what cannot be shown': () => { throw Object.create(null) },
  'rejects with an error': () => Promise.reject(new Error('down')),
  'rejects with nothing': () => Promise.reject(), // eslint-disable-line prefer-promise-reject-errors
  'rejects with null': () => Promise.reject(null), // eslint-disable-line prefer-promise-reject-errors
  'rejects late': async () => { await new Promise(setImmediate); throw new Error('down') },
  'never answers': () => never,
  'answers with a promise of a promise': () => thenable((resolve: (value: unknown) => void) => resolve(Promise.reject(new Error('down')))),
  'answers with a thenable that throws': () => thenable(() => { throw new Error('down') }),
  'answers with a thenable that throws nothing': () => thenable(() => { throw undefined }), // eslint-disable-line no-throw-literal
  'answers with a thenable that answers thrice': () => thenable((resolve: (value: unknown) => void, reject: (error: unknown) => void) => { resolve(42); reject(new Error('down')); resolve(43) }),
  ...Object.fromEntries([1, 2, 3, 4].map((looks) => [`answers with what is a thenable but for look ${looks}`, () => butForLook(looks)])),
  ...Object.fromEntries([1, 2, 3].map((looks) => [`promises what is a thenable from look ${looks} on`, () => Promise.resolve(fromLook(looks))])),
  'answers with a thenable that does nothing': () => thenable(() => {}),
  'answers with what throws when it is looked at': () => new Proxy({}, { get: () => { throw new Error('down') }, ownKeys: () => { throw new Error('down') } }),
  'promises what throws when it is looked at': async () => ({ get values () { throw new Error('down') } }),
  'answers with an object that cannot be shown': () => Object.create(null),
  ...Object.fromEntries([undefined, null, 42, NaN, '', 'done', 'missing', 'conflict', 'too-large', true, false, 0n, Symbol('s'), () => true, [], {}, [[]], new Date(NaN)]
    .flatMap((answer) => [[`answers ${inspect(answer)}`, () => answer], [`promises ${inspect(answer)}`, async () => answer]]))
}

t.test('whatever a store does, every request is answered, and nobody is let in by it', async (t) => {
  const wrong: string[] = []
  const onUnhandled = (reason: unknown) => { wrong.push(`unhandled ${inspect(reason)}`) }
  process.on('unhandledRejection', onUnhandled)
  t.teardown(() => process.off('unhandledRejection', onUnhandled))
  // each deed with some of the routes, in turn; a long run tries them all
  const perDeed = Math.min(urls.length, Math.ceil(fuzzRuns(200) / 100))
  let turn = 0
  for (const onStoreError of ['fail', 'anonymous'] as const) {
    const memory = memoryStore(clock)
    let faulty: StoreFunction | null = null
    let run: () => unknown = () => {}
    const call = (each: StoreFunction) => (...args: never[]) => each === faulty ? run() : (memory[each] as (...args: never[]) => unknown)(...args)
    const store = Object.fromEntries(storeFunctions.map((each) => [each, call(each)])) as unknown as SessionStore
    const app = await startApp(t, { store, storeTimeout: 5, onStoreError })
    for (const name of storeFunctions) {
      for (const [deed, act] of Object.entries(deeds)) {
        for (let count = 0; count < perDeed; count++) {
          const url = urls[turn++ % urls.length] as string
          faulty = null
          const { cookies } = name === 'create' ? { cookies: {} } : await app.sessions.issue({ other: 1 })
          if (name === 'touch') clock.advance(HOUR / 4)
          run = act
          faulty = name
          const { statusCode, body } = await app.inject({ url, cookies })
          const isGuarded = url === '/private' || url === '/asked'
          const allowed = isGuarded ? [401, 503] : url === '/count' ? [200, 401, 503] : [200, 503]
          // a store may know of keys that this request has not seen
          const isTooLarge = deed.endsWith("'too-large'") && body.includes('FST_KEEP_TOO_LARGE')
          if (!allowed.includes(statusCode) && !isTooLarge) wrong.push(`${name} ${deed} for ${url} under ${onStoreError}: ${statusCode} ${body}`)
          if (body.includes('down')) wrong.push(`${name} ${deed}: the client is told ${body}`)
        }
      }
    }
  }
  await new Promise(setImmediate)
  t.strictSame(wrong, [])
})
