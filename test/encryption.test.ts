// Encryption at rest: on every store, what is stored is sealed, and an app sees nothing of that.
import { readFileSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { promisify } from 'node:util'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import session, { moveSessions, type SessionMessage, type SessionOptions } from '../index.js'
import { isSealed, sealingKeyOf } from '../lib/record/encryption.js'
import { plainVerifierOf } from '../lib/record/token.js'
import { fromExpressStore } from '../lib/stores/express/express-store.js'
import { RedisStore } from '../lib/stores/redis/redis-store.js'
import type { Clock } from '../types/options.js'
import type { SessionStore } from '../types/store.js'
import { Browser, buildApp, setCookies } from './fixtures/app.js'
import { FakeClock, HOUR, MINUTE } from './fixtures/clock.js'
import { plant, recordOf, testKey } from './fixtures/encryption-keys.js'
import { liveObjectStore } from './fixtures/live-object-store.js'
import { connectPg, postgresStore } from './fixtures/postgres-clients.js'
import { startPostgres } from './fixtures/postgres.js'
import { connectIoRedis } from './fixtures/redis-clients.js'
import { startRedis } from './fixtures/redis.js'
import { sqlitePath, sqliteStore } from './fixtures/sqlite.js'
import { memoryStore, slowStore } from './fixtures/stores.js'
import { findProgram } from './needs.js'

const [k1, k2, k3] = [testKey('k1'), testKey('k2'), testKey('k3')]

interface Place {
  readonly store: SessionStore
  /** Everything that is stored, as whoever takes a copy of it finds it. */
  readonly dump: () => unknown
  readonly lists: boolean
}

type MakePlace = (t: Test, clock: Clock) => Promise<Place>

// one server of each kind for all tests
let places = 0
let postgresUrl: Promise<string> | null = null
let redisServer: ReturnType<typeof startRedis> | null = null

const stores: Record<string, MakePlace> = {
  'a store that answers at once': async (_t, clock) => {
    const store = memoryStore(clock)
    return { store, dump: () => [...store.ids()].flat().map((id) => [id, store.read(id)]), lists: true }
  },
  'a slow store': async (_t, clock) => ({ store: slowStore(clock), dump: () => '', lists: true }),
  SQLite: async (_t, clock) => {
    const path = sqlitePath()
    const folder = dirname(path)
    return { store: sqliteStore({ clock }, path), dump: () => readdirSync(folder).map((file) => `${folder}/${file}`).filter((file) => file.startsWith(path)).map((file) => readFileSync(file, 'latin1')), lists: true }
  },
  'a store made for express-session': async (_t, clock) => {
    const rows = liveObjectStore()
    return { store: fromExpressStore(rows, { clock }), dump: () => [...(rows as unknown as { store: Map<string, unknown> }).store.entries()], lists: false }
  },
  ...(findProgram('redis') !== null && {
    Redis: async (tt: Test, clock: Clock) => {
      redisServer ??= startRedis(t)
      const client = await connectIoRedis(tt, await redisServer)
      const prefix = `encryption-${++places}:`
      const dump = async () => Promise.all((await client.keys(`${prefix}*`)).map(async (key) => [key, await client.type(key) === 'hash' ? await client.hgetall(key) : await client.zrange(key, 0, '-1')]))
      return { store: new RedisStore({ client, prefix, clock }), dump, lists: true }
    }
  }),
  ...(findProgram('postgres') !== null && {
    PostgreSQL: async (tt: Test, clock: Clock) => {
      postgresUrl ??= startPostgres(t)
      const url = await postgresUrl
      const table = `encryption_${++places}`
      const pool = connectPg(tt, url)
      return { store: await postgresStore(tt, url, { clock, table }), dump: async () => (await pool.query(`SELECT * FROM ${table}`)).rows, lists: true }
    }
  })
}

interface Line { readonly level: number, readonly msg: string, readonly sessionId?: string, readonly encryptionKey?: string }

/** A process of an app that has these keys. */
async function appWith (t: Test, store: SessionStore, clock: Clock, encryption: SessionOptions['encryption'], more: SessionOptions = {}): Promise<FastifyInstance & { lines: Line[], warnings: () => Line[] }> {
  const lines: Line[] = []
  const app = await buildApp(t, { store, clock, ...(encryption !== undefined && { encryption }), ...more }, { logger: { level: 'debug', stream: { write (line: string) { lines.push(JSON.parse(line) as Line) } } } })
  app.get('/', async ({ session }) => session.data())
  app.get('/one', async ({ session, query }) => ({ value: session.get((query as { key: string }).key) ?? null }))
  app.post('/set', async ({ session, body }) => { session.setMany(body as Record<string, unknown>); return 'set' })
  app.post('/count', async ({ session }) => session.update('n', (n) => Number(n ?? 0) + 1))
  app.post('/take', async ({ session }) => ({ taken: await session.take('coupon') ?? null }))
  app.post('/pop', async ({ session }) => ({ popped: session.pop('note') ?? null }))
  app.post('/remove', async ({ session, body }) => ({ removed: session.remove((body as { key: string }).key) }))
  app.post('/push', async ({ session }) => { (session.get('list') as number[]).push(1); return 'pushed' })
  app.post('/login', async ({ session, body }) => { const { keep = [], ...values } = body as { keep?: string[] | 'all' }; session.regenerate(keep); session.setMany(values); return 'in' })
  app.post('/rotate', async ({ session }) => { session.rotate(); return 'rotated' })
  app.post('/step-up', async ({ session }) => { session.reauthenticated(); return 'proved' })
  app.post('/clear', async ({ session, body }) => { session.clear(); session.setMany(body as Record<string, unknown>); return 'cleared' })
  app.post('/logout', async ({ session }) => { session.destroy(); return 'out' })
  return Object.assign(app, { lines, warnings: () => lines.filter(({ level }) => level === 40) })
}

const post = (browser: Browser, url: string, body: object = {}) => browser.visit(url, { method: 'POST', body })
const data = async (browser: Browser): Promise<Record<string, unknown>> => (await browser.visit('/')).json()
const idOf = (browser: Browser) => String(browser.cookies['sid']).slice(0, 24)

/** The same browser, at another process. */
function at (app: FastifyInstance, browser: Browser): Browser {
  const moved = new Browser(app)
  Object.assign(moved.cookies, browser.cookies)
  return moved
}

async function visitor (app: FastifyInstance, values: object): Promise<Browser> {
  const browser = new Browser(app)
  await post(browser, '/set', values)
  return browser
}

for (const [kind, makePlace] of Object.entries(stores)) {
  const test = (title: string, run: (t: Test, place: Place & { clock: FakeClock }) => Promise<void>) => {
    t.test(`on ${kind}, ${title}`, async (t) => {
      const clock = new FakeClock()
      await run(t, { ...await makePlace(t, clock), clock })
    })
  }

  test('an app with keys works like one without, and a copy of the store shows nothing', async (t, { store, clock, dump, lists }) => {
    const describe = ({ headers }: FastifyRequest) => ({ agent: headers['user-agent'] ?? '' })
    const app = await appWith(t, store, clock, [k1, k2], lists ? { ownerKey: 'user', describe } : {})
    const browser = new Browser(app)
    await browser.visit('/login', { method: 'POST', body: { user: 'ada lovelace', list: ['a red apple'], map: { deep: ['a deep thing'] } }, headers: { 'user-agent': 'a secret browser' } })
    await Promise.all([post(browser, '/set', { left: 'the left one' }), post(browser, '/set', { right: 'the right one' }), post(browser, '/push')])
    t.same(await data(browser), { user: 'ada lovelace', list: ['a red apple', 1], map: { deep: ['a deep thing'] }, left: 'the left one', right: 'the right one' })
    await Promise.all(Array.from({ length: 50 }, () => post(browser, '/count')))
    await post(browser, '/set', { coupon: 'a coupon', note: 'a note' })
    const taken = await Promise.all(Array.from({ length: 10 }, async () => (await post(browser, '/take')).json().taken))
    t.same(taken.filter((each) => each !== null), ['a coupon'])
    t.same([(await post(browser, '/pop')).json(), (await post(browser, '/pop')).json()], [{ popped: 'a note' }, { popped: null }])
    for (const url of ['/rotate', '/step-up', '/login']) {
      t.equal((await post(browser, url, { keep: 'all' })).statusCode, 200, url)
      const { n, user, left, list } = await data(browser)
      t.same({ n, user, left, list }, { n: 50, user: 'ada lovelace', left: 'the left one', list: ['a red apple', 1] }, url)
    }
    const { values, verifier, about } = await recordOf(store, idOf(browser))
    t.ok(Object.values(values).every((text) => sealingKeyOf(text) === 'k1'))
    t.match(verifier, /^k1\$[\w-]{43}$/)
    if (lists) t.ok(isSealed(String(about)))
    const copy = JSON.stringify(await dump())
    for (const clear of ['lovelace', 'apple', 'deep thing', 'left one', 'coupon"', 'secret browser', String(browser.cookies['sid']).slice(24)]) t.notOk(copy.includes(clear), clear)
    for (const { key } of [k1, k2]) for (const form of ['hex', 'base64', 'base64url', 'latin1'] as const) t.notOk(copy.includes(key.toString(form)))
    await post(browser, '/remove', { key: 'user' })
    t.equal((await data(browser))['user'], undefined)
    await post(browser, '/logout')
    t.same(await data(browser), {})
    t.same(app.warnings(), [])
  })

  test('a rotation and a renewal seal nothing anew, a login seals what it keeps', async (t, { store, clock }) => {
    const app = await appWith(t, store, clock, [k1])
    const browser = await visitor(app, { cart: ['apple'], user: 1 })
    const before = (await recordOf(store, idOf(browser))).values
    await post(browser, '/rotate')
    await data(browser)
    clock.advance(40 * MINUTE)
    await data(browser)
    await post(browser, '/set', { cart: ['apple'] })
    await post(browser, '/step-up')
    const { values, expiresAt } = await recordOf(store, idOf(browser))
    t.same(values, before)
    t.equal(expiresAt, clock.now() + HOUR)
    await post(browser, '/login', { keep: ['cart'] })
    const after = (await recordOf(store, idOf(browser))).values
    t.same(Object.keys(after), ['cart'])
    t.not(after['cart'], before['cart'])
    t.same(await data(browser), { cart: ['apple'] })
  })

  test('a value that was put in another key, session or registration is absent, told once and left as it is', async (t, { store, clock }) => {
    const app = await appWith(t, store, clock, [k1])
    await app.register(session, { store, clock, encryption: [k1], property: 'adminSession', cookie: { name: 'admin' } })
    app.post('/admin', async (request) => { (request as unknown as { adminSession: { set: (key: string, value: unknown) => void } }).adminSession.set('role', 'admin'); return 'set' })
    const [ada, bob, admin] = [await visitor(app, { role: 'user', name: 'ada' }), await visitor(app, { role: 'admin', name: 'bob' }), new Browser(app)]
    await post(admin, '/admin')
    const [adaValues, bobValues] = [(await recordOf(store, idOf(ada))).values, (await recordOf(store, idOf(bob))).values]
    const planted = { own: adaValues['name'], theirs: bobValues['role'], admins: (await recordOf(store, String(admin.cookies['admin']).slice(0, 24))).values['role'], open: '"admin"', empty: '', cut: '$k1$', wild: '$k1$AAAA' } as Record<string, string>
    for (const [what, text] of Object.entries(planted)) {
      await plant(store, idOf(ada), { role: text })
      for (let visit = 0; visit < 2; visit++) t.same(await data(ada), { name: 'ada' }, what)
      t.equal((await recordOf(store, idOf(ada))).values['role'], text)
    }
    const lines = app.warnings()
    t.same(lines.map(({ sessionId, encryptionKey }) => [sessionId, encryptionKey]), [[idOf(ada), 'k1']], 'once, by the id')
    t.match(lines[0]?.msg, /no key in `encryption` opens a value in a session record; it counts as absent and is left as it is/)
    await plant(store, idOf(ada), { role: adaValues['role'] as string })
    t.same(await data(ada), { name: 'ada', role: 'user' })
  })

  test('what cannot be opened is replaced only by what says so', async (t, { store, clock }) => {
    const [early, late] = [await appWith(t, store, clock, [k1]), await appWith(t, store, clock, [k2, k1])]
    const old = await visitor(early, { name: 'ada' })
    const begun = at(late, old)
    await post(begun, '/set', { n: 41, coupon: 'x', note: 'hello', list: [1], cart: ['apple'] })
    const values = async () => (await recordOf(store, idOf(old))).values
    const before = await values()
    t.same(await data(old), { name: 'ada' })
    t.equal((await old.visit('/one?key=cart')).json().value, null)
    clock.advance(40 * MINUTE)
    await data(old)
    t.same((await post(old, '/pop')).json(), { popped: null }, 'a note that nobody saw is not removed')
    for (const url of ['/count', '/take']) {
      const response = await post(old, url)
      t.same([response.statusCode, response.json().code, response.json().message], [503, 'FST_KEEP_SEALED_VALUE', 'The session cannot be changed here at the moment'], url)
    }
    await post(old, '/set', { other: 1, name: 'eve' })
    await post(old, '/rotate')
    await post(old, '/step-up')
    const { name, other, ...rest } = await values()
    const { name: _, ...untouched } = before
    t.same(rest, untouched, 'neither reads, renewals and failed updates, nor changes of other keys touch it')
    Object.assign(begun.cookies, old.cookies)
    t.same(await data(begun), { name: 'eve', other: 1, n: 41, coupon: 'x', note: 'hello', list: [1], cart: ['apple'] })
    t.same((await post(old, '/remove', { key: 'note' })).json(), { removed: false })
    await post(old, '/set', { n: 1 })
    t.same(await data(begun), { name: 'eve', other: 1, n: 1, coupon: 'x', list: [1], cart: ['apple'] }, 'set and remove do as they say')
    t.equal((await post(old, '/count')).json(), 2)
    const { id } = { id: idOf(old) }
    await post(old, '/login', { keep: 'all', user: 1 })
    t.same(await data(old), { name: 'eve', other: 1, n: 2, user: 1 }, 'a login succeeds, without what it cannot open')
    t.same(early.warnings().map(({ sessionId }) => sessionId), [id])
    await post(old, '/clear', { a: 1 })
    t.same(Object.keys((await recordOf(store, idOf(old))).values), ['a'])
  })

  test('a process without the key of a verifier has no session, and changes nothing', async (t, { store, clock }) => {
    const late = await appWith(t, store, clock, [k2, k1])
    const browser = await visitor(late, { name: 'ada' })
    const before = JSON.stringify(await store.read(idOf(browser)))
    const heard: SessionMessage[] = []
    const hear = (message: unknown) => { heard.push(message as SessionMessage) }
    subscribe('fastify-keep:rejected', hear)
    t.teardown(() => unsubscribe('fastify-keep:rejected', hear))
    for (const [keys, missing] of [[[k1], 'k2'], [[k1, 'plain'], 'k2'], [[{ id: 'k2', key: k3.key }], null], [undefined, 'k2']] as const) {
      const early = await appWith(t, store, clock, keys)
      const there = at(early, browser)
      heard.length = 0
      for (let visit = 0; visit < 2; visit++) {
        const response = await there.visit('/')
        t.same([response.json(), setCookies(response)], [{}, []])
      }
      await post(there, '/logout')
      t.equal(JSON.stringify(await store.read(idOf(browser))), before)
      t.same(heard.map(({ sessionId, reason }) => [sessionId, reason]), Array(3).fill([idOf(browser), missing === null ? 'unknown' : 'corrupt']))
      t.same(early.warnings().map(({ sessionId, encryptionKey }) => [sessionId, encryptionKey]), missing === null ? [] : [[idOf(browser), missing]])
      if (missing !== null) t.match(early.warnings()[0]?.msg, /begun under a key that is not in `encryption`; it counts as absent and is left as it is/)
    }
    t.same(await data(browser), { name: 'ada' })
    clock.advance(2 * HOUR)
    const expired = await appWith(t, store, clock, [k1])
    await at(expired, browser).visit('/')
    t.same(expired.warnings(), [])
  })

  test('a login over a session whose key is missing begins a new one', async (t, { store, clock }) => {
    const [early, late] = [await appWith(t, store, clock, [k1]), await appWith(t, store, clock, [k2, k1])]
    const browser = await visitor(late, { name: 'ada' })
    const there = at(early, browser)
    await post(there, '/login', { keep: 'all', user: 1 })
    t.same(await data(there), { user: 1 })
    t.not(idOf(there), idOf(browser))
    t.same(await data(browser), { name: 'ada' })
  })

  test('keys are added last, moved first and taken out, and no session is lost', async (t, { store, clock }) => {
    const everywhere: Browser[] = []
    const steps = [[k1], [k1, k2], [k2, k1]] as const
    let before = await appWith(t, store, clock, [k1])
    for (const keys of steps) {
      const after = await appWith(t, store, clock, keys)
      // while a step is under way, old and new processes serve the same browsers
      for (const app of [before, after]) {
        everywhere.push(await visitor(app, { from: keys[0].id, n: 0 }))
        for (const browser of everywhere) {
          for (const there of [at(after, browser), at(before, browser)]) {
            t.equal((await post(there, '/count')).statusCode, 200)
            await post(there, '/rotate')
            Object.assign(browser.cookies, there.cookies)
          }
        }
      }
      before = after
    }
    for (const browser of everywhere) t.match(await data(at(before, browser)), { from: /k\d/, n: Number })
    t.same(before.warnings(), [])
    clock.advance(25 * HOUR)
    const last = await appWith(t, store, clock, [k2])
    t.same(await data(at(last, everywhere[0] as Browser)), {})
    t.same(last.warnings(), [])
  })

  test('after a step-up nothing of a session is under an older key', async (t, { store, clock, lists }) => {
    const options: SessionOptions = lists ? { ownerKey: 'user', describe: () => ({ agent: 'x' }) } : {}
    const [early, late, last] = [await appWith(t, store, clock, [k1], options), await appWith(t, store, clock, [k2, k1], options), await appWith(t, store, clock, [k2], options)]
    const browser = new Browser(early)
    await post(browser, '/login', { user: 'ada', cart: [1], n: 1, about: 'x' })
    const there = at(late, browser)
    await plant(store, idOf(browser), { spoilt: '$k1$AAAA' })
    clock.advance(HOUR / 2)
    late.post('/slow-step-up', async ({ session }) => {
      session.reauthenticated()
      await post(at(late, browser), '/count')
      await post(at(late, browser), '/set', { cart: [1, 2] })
      return 'proved'
    })
    t.equal((await post(there, '/slow-step-up')).statusCode, 200)
    const { values, about, verifier } = await recordOf(store, idOf(browser))
    t.equal(values['spoilt'], '$k1$AAAA', 'what cannot be opened stays as it is')
    t.same(Object.entries(values).filter(([key]) => key !== 'spoilt').map(([, text]) => sealingKeyOf(text)), ['k2', 'k2', 'k2', 'k2'])
    t.match(verifier, /^k2\$/)
    t.match(await data(at(last, there)), { user: 'ada', cart: [1, 2], n: 2, about: 'x' }, 'nor does it undo what other requests store')
    if (!lists) return
    t.equal(sealingKeyOf(String(about)), 'k2')
    t.same((await last.sessions.list('ada')).map(({ about }) => about), [{ agent: 'x' }])
  })

  test('encryption is turned on, and off again, while the app runs', async (t, { store, clock }) => {
    const stages: Array<SessionOptions['encryption']> = [undefined, ['plain', k1], [k1, 'plain'], ['plain', k1], undefined]
    const apps = await Promise.all(stages.map((keys) => appWith(t, store, clock, keys)))
    const browsers: Browser[] = []
    for (const [index, app] of apps.slice(0, 4).entries()) {
      browsers.push(await visitor(app, { from: index, n: 0 }))
      for (const browser of browsers) {
        for (const there of [at(app, browser), at(apps[Math.max(0, index - 1)] as FastifyInstance, browser)]) {
          // the first and the last know nothing of what is sealed in between
          if (index === 1 || there.cookies !== undefined) await post(at(app, browser), '/count')
        }
      }
    }
    for (const [index, browser] of browsers.entries()) t.match(await data(at(apps[3] as FastifyInstance, browser)), { from: index, n: Number })
    const plainly = await visitor(apps[1] as FastifyInstance, { a: 'open' })
    t.same((await recordOf(store, idOf(plainly))).values, { a: '"open"' })
    await post(at(apps[2] as FastifyInstance, plainly), '/set', { b: 'shut' })
    t.same(await data(at(apps[4] as FastifyInstance, plainly)), { a: 'open' }, 'without the option a sealed value is absent')
    t.same((await post(at(apps[4] as FastifyInstance, plainly), '/set', { c: 1 })).statusCode, 200)
    t.same(await data(at(apps[3] as FastifyInstance, plainly)), { a: 'open', b: 'shut', c: 1 }, 'and is left as it is')
    const only = await appWith(t, store, clock, [k1])
    t.same(await data(at(only, plainly)), {}, "without 'plain' what began without encryption is none")
    t.same(only.warnings().map(({ encryptionKey }) => encryptionKey), ['plain'])
  })

  test('an update without the option does not start over what is sealed', async (t, { store, clock }) => {
    const [without, during] = [await appWith(t, store, clock, undefined), await appWith(t, store, clock, [k1, 'plain'])]
    const browser = await visitor(without, { name: 'ada' })
    await post(at(during, browser), '/count')
    t.equal((await post(browser, '/count')).json().code, 'FST_KEEP_SEALED_VALUE')
    t.equal((await post(at(during, browser), '/count')).json(), 2)
  })

  test('who writes to the store can plant no session; with \'plain\' they still can', async (t, { store, clock }) => {
    const [shut, ajar] = [await appWith(t, store, clock, [k1]), await appWith(t, store, clock, [k1, 'plain'])]
    const [mine, theirs] = [await visitor(shut, { user: 'eve' }), await visitor(shut, { user: 'ada' })]
    const forged = `${idOf(theirs)}${String(mine.cookies['sid']).slice(24)}`
    const verifiers = [plainVerifierOf(forged), `k1$${plainVerifierOf(forged)}`, (await recordOf(store, idOf(mine))).verifier, '']
    for (const verifier of verifiers) {
      await plant(store, idOf(theirs), {}, { verifier })
      for (const app of [shut, ajar]) {
        const response = await app.inject({ url: '/', cookies: { sid: forged } })
        t.same(response.json(), app === ajar && verifier === verifiers[0] ? { user: 'ada' } : {}, verifier)
      }
    }
  })

  test('what an older value of the same key and session was, it can be again', async (t, { store, clock }) => {
    const app = await appWith(t, store, clock, [k1])
    const browser = await visitor(app, { role: 'admin' })
    const { values } = await recordOf(store, idOf(browser))
    await post(browser, '/set', { role: 'user' })
    await plant(store, idOf(browser), values)
    t.same(await data(browser), { role: 'admin' })
  })

  test('only what is asked for is opened', async (t, { store, clock }) => {
    const app = await appWith(t, store, clock, [k1])
    const browser = await visitor(app, { a: 1, b: 2 })
    await plant(store, idOf(browser), { b: '$k1$AAAA' })
    t.equal((await browser.visit('/one?key=a')).json().value, 1)
    await post(browser, '/set', { a: 3 })
    await post(browser, '/count')
    t.same(app.warnings(), [])
    t.equal((await browser.visit('/one?key=b')).json().value, null)
    t.equal(app.warnings().length, 1)
  })

  test('maxSize counts what is stored', async (t, { store, clock }) => {
    const app = await appWith(t, store, clock, [k1], { maxSize: 1000 })
    const browser = await visitor(app, { a: 'x'.repeat(700) })
    t.same(await data(browser), { a: 'x'.repeat(700) })
    const response = await post(browser, '/set', { a: 'x'.repeat(740) })
    t.match(response.json(), { code: 'FST_KEEP_TOO_LARGE', message: /takes 10\d\d bytes and maxSize is 1000/ })
    t.match((await post(new Browser(app), '/set', { a: 'x'.repeat(740) })).json(), { code: 'FST_KEEP_TOO_LARGE' })
  })

  test('issue, load, reload, save and validate know nothing of it', async (t, { store, clock }) => {
    const app = await appWith(t, store, clock, [k1, k2], { validate: (session) => session.get('user') !== 'eve' })
    const { sessionId, cookies, headers } = await app.sessions.issue({ user: 'ada' })
    t.ok(isSealed((await recordOf(store, sessionId)).values['user'] as string))
    const detached = await app.sessions.load(headers.cookie)
    t.equal(detached.get('user'), 'ada')
    t.equal(await detached.update('n', (n) => Number(n ?? 0) + 1), 1)
    detached.set('list', [1])
    t.ok(await detached.save())
    const other = new Browser(app)
    Object.assign(other.cookies, cookies)
    await post(other, '/push')
    await detached.reload()
    t.same(detached.data(), { user: 'ada', n: 1, list: [1, 1] })
    await post(other, '/set', { user: 'eve' })
    t.same(await data(other), {}, 'validate reads what is sealed')
  })

  test('moveSessions seals what it moves', async (t, { store, clock }) => {
    const old = liveObjectStore()
    const { Signer } = await import('@fastify/cookie')
    const secret = 'a secret of the old library, long enough for it'
    await promisify(old.set.bind(old) as (id: string, row: object, done: (error: unknown) => void) => void)('old-id', { cookie: { expires: new Date(clock.now() + HOUR).toISOString(), originalMaxAge: HOUR }, userId: 42 })
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(session, { store, clock, encryption: [k1] })
    app.addHook('onRequest', moveSessions({ from: old, cookieName: 'connect.sid', secret }))
    app.get('/', async ({ session }) => session.data())
    const browser = new Browser(app)
    browser.cookies['connect.sid'] = `s:${new Signer(secret).sign('old-id')}`
    t.same(await data(browser), { userId: 42 })
    t.same(await data(browser), { userId: 42 })
    t.ok(isSealed((await recordOf(store, idOf(browser))).values['userId'] as string))
  })

  if (kind.includes('express')) continue

  test('sessions are listed, limited and revoked by owner, by a process that lacks a key too', async (t, { store, clock }) => {
    const options: SessionOptions = { ownerKey: 'user', maxPerOwner: 2, describe: ({ headers }) => ({ agent: headers['user-agent'] ?? '' }) }
    const [early, late] = [await appWith(t, store, clock, [k1], options), await appWith(t, store, clock, [k2, k1], options)]
    const login = async (app: FastifyInstance, agent: string) => {
      clock.advance(1000)
      const browser = new Browser(app)
      await browser.visit('/login', { method: 'POST', body: { user: 'ada' }, headers: { 'user-agent': agent } })
      return browser
    }
    const browsers = [await login(early, 'first'), await login(early, 'second'), await login(late, 'third')]
    const agents = async (app: FastifyInstance) => (await app.sessions.list('ada')).map(({ about }) => about)
    t.same(await agents(late), [{ agent: 'third' }, { agent: 'second' }])
    t.same(await agents(early), [null, { agent: 'second' }])
    t.same(early.warnings().map(({ sessionId, encryptionKey }) => [sessionId, encryptionKey]), [[idOf(browsers[2] as Browser), 'k2']])
    t.same(await Promise.all(browsers.map(data)), [{}, { user: 'ada' }, { user: 'ada' }])
    t.ok(await early.sessions.revoke(idOf(browsers[2] as Browser), { owner: 'ada' }))
    t.same(await data(browsers[2] as Browser), {})
    t.equal(await late.sessions.revokeAll('ada'), 1)
    t.same(await Promise.all(browsers.map(data)), [{}, {}, {}])
  })

  test('a process that cannot see whose a session is leaves it in its owner\'s list', async (t, { store, clock }) => {
    const options: SessionOptions = { ownerKey: 'user' }
    const [early, late] = [await appWith(t, store, clock, [k1], options), await appWith(t, store, clock, [k2, k1], options)]
    const browser = await visitor(early, { a: 1 })
    await post(at(late, browser), '/set', { user: 'ada' })
    const before = (await recordOf(store, idOf(browser))).owner
    for (const act of [() => data(browser), () => post(browser, '/set', { b: 2 }), () => post(browser, '/step-up'), () => post(browser, '/rotate')]) {
      clock.advance(20 * MINUTE)
      await act()
      t.equal((await recordOf(store, idOf(browser))).owner, before)
    }
    t.same(await data(at(late, browser)), { a: 1, b: 2, user: 'ada' })
    t.equal((await late.sessions.list('ada')).length, 1)
  })
}
