// Cookies that somebody else planted under our name, and headers that no browser sends.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import cookiePlugin, { Signer } from '@fastify/cookie'
import fc from 'fast-check'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import session, { type SessionMessage, type SessionOptions } from '../index.js'
import { buildApp, setCookies } from './fixtures/app.js'
import { fuzzRuns } from './fixtures/fuzz-runs.js'
import { everyStore, memoryStore, recorded } from './fixtures/stores.js'

const SECRETS = ['a first secret of at least 32 bytes!!', 'a second secret of at least 32 bytes!', 'a third secret of at least 32 bytes!!']

/** Well-formed tokens that no store knows, as many as asked for. */
async function decoys (t: Test, count: number): Promise<string[]> {
  const elsewhere = await buildApp(t)
  return Promise.all(Array.from({ length: count }, async () => String((await elsewhere.sessions.issue()).cookies['sid'])))
}

async function start (t: Test, options: SessionOptions) {
  const app = await buildApp(t, options)
  app.get('/data', async ({ session }) => session.data())
  const reasons: unknown[] = []
  const hear = (message: unknown) => reasons.push((message as SessionMessage).reason)
  subscribe('fastify-keep:rejected', hear)
  t.teardown(() => unsubscribe('fastify-keep:rejected', hear))
  const ask = async (...values: string[]) => (await app.inject({ url: '/data', headers: { cookie: values.map((value) => `sid=${value}`).join('; ') } })).json()
  const issue = async (user: string) => String((await app.sessions.issue({ user })).cookies['sid'])
  return { app, ask, issue, reasons }
}

for (const { kind, makeStore } of everyStore) {
  t.test(`two live sessions under one name on ${kind} are reported, and used or refused as the app says`, async (t) => {
    for (const onAmbiguousCookie of ['first', 'refuse'] as const) {
      const { app, ask, issue, reasons } = await start(t, { store: makeStore(), onAmbiguousCookie })
      const [mine, theirs] = [await issue('me'), await issue('attacker')]
      t.same(await ask(theirs, mine), onAmbiguousCookie === 'first' ? { user: 'attacker' } : {})
      t.same(reasons, ['ambiguous'])
      t.equal(app.sessions.stats().rejected, 1)
      t.same(await ask(mine, mine), { user: 'me' }, 'twice the same is not two')
      t.same(reasons, ['ambiguous'])
      const loaded = await app.sessions.load(`sid=${theirs}; sid=${mine}`)
      t.same(loaded.data(), onAmbiguousCookie === 'first' ? { user: 'attacker' } : {}, 'without a request, too')
    }
  })

  t.test(`a logout with two live sessions under one name on ${kind} ends both, whichever was used`, async (t) => {
    for (const onAmbiguousCookie of ['first', 'refuse'] as const) {
      for (const thenSet of [false, true]) {
        const { app, ask, issue } = await start(t, { store: makeStore(), onAmbiguousCookie })
        app.get('/logout', async ({ session }) => { session.destroy(); if (thenSet) session.set('user', 'new') })
        const [mine, theirs] = [await issue('me'), await issue('attacker')]
        const response = await app.inject({ url: '/logout', headers: { cookie: `sid=${theirs}; sid=${mine}` } })
        t.equal(response.statusCode, 200)
        const lines = setCookies(response)
        t.equal(lines.length, 1)
        t.match(lines[0], thenSet ? /^sid=[\w-]{64};/ : /^sid=; Max-Age=0/)
        t.same([await ask(mine), await ask(theirs)], [{}, {}])
        t.equal(app.sessions.stats().destroyed, 2)
        if (thenSet) t.same(await ask(String(/^sid=([^;]+)/.exec(String(lines[0]))?.[1])), { user: 'new' })
      }
    }
  })

  t.test(`seven unknown cookies on ${kind} do not hide the real one`, async (t) => {
    const { ask, issue, reasons } = await start(t, { store: makeStore() })
    const mine = await issue('me')
    t.same(await ask(...await decoys(t, 7), mine), { user: 'me' })
    t.same(reasons, Array(7).fill('unknown'))
  })
}

t.test('more cookies than are tried are reported', async (t) => {
  const { store, calls } = recorded(memoryStore())
  const { ask, issue, reasons } = await start(t, { store })
  const mine = await issue('me')
  calls.length = 0
  t.same(await ask(...await decoys(t, 100), mine), {})
  t.equal(calls.length, 8)
  t.equal(reasons.filter((reason) => reason === 'too-many').length, 1)
})

t.test('with a secret, cookies that were never signed cost no look-up and no more than sixteen signatures', async (t) => {
  for (const [secret, most] of [[SECRETS.slice(0, 1), 15], [SECRETS, 5]] as const) {
    const { store, calls } = recorded(memoryStore())
    const { ask, issue, reasons } = await start(t, { store, secret })
    const mine = await issue('me')
    calls.length = 0
    const forged = (await decoys(t, 100)).map((token) => new Signer('a wrong secret').sign(token))
    t.same(await ask(...forged.slice(0, most), mine), { user: 'me' })
    t.same(calls, ['read'])
    reasons.length = 0
    t.same(await ask(...forged, mine), {})
    t.equal(reasons.filter((reason) => reason === 'bad-signature').length, Math.ceil(16 / secret.length))
    t.equal(reasons.at(-1), 'too-many')
    t.same(calls, ['read'])
  }
})

t.test('one cookie may try every secret, however many there are', async (t) => {
  const many = Array.from({ length: 20 }, (_, n) => `secret number ${n} of at least 32 bytes!`)
  const store = memoryStore()
  const value = await (await start(t, { store, secret: many.at(-1) as string })).issue('me')
  t.same(await (await start(t, { store, secret: many })).ask(value), { user: 'me' })
})

t.test('a decoder of the app that throws makes no error', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(cookiePlugin, { hook: false, parseOptions: { decode: decodeURIComponent } as object })
  await app.register(session)
  app.get('/data', async ({ session }) => session.data())
  const { headers } = await app.sessions.issue({ user: 1 })
  const response = await app.inject({ url: '/data', headers: { cookie: `sid=%E0%A4%A; ${headers.cookie}` } })
  t.same([response.statusCode, response.json()], [200, { user: 1 }])
})

const token = fc.string({ minLength: 64, maxLength: 64, unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') })
const name = fc.oneof({ weight: 5, arbitrary: fc.constant('sid') }, fc.constantFrom('__proto__', 'constructor', 'toString', ' sid', 'sid ', 'SID', 'xsid', '', '"sid"', '%73id'), fc.string())
const value = fc.oneof(
  token, token.map((each) => `"${each}"`), token.map((each) => `${each}.${each}`), fc.string({ unit: 'binary' }),
  fc.constantFrom('', '"', '""', '%', '%00', '%zz', '%E0%A4%A', '\0', '\uD800', '\uDFFF', '=', '==', '__proto__', 'constructor', '.', '..', 'ü'.repeat(64), 'A'.repeat(64), 'A'.repeat(5000)))
const pairs = fc.array(fc.tuple(name, fc.constantFrom('=', '=', ' = ', ''), value), { maxLength: 40 })
const separator = fc.constantFrom('; ', ';', ',', ' ', ';;', '\t;')
const header = fc.oneof({ weight: 4, arbitrary: fc.tuple(pairs, separator).map(([all, by]) => all.map((pair) => pair.join('')).join(by)) }, fc.string({ unit: 'binary', maxLength: 300 }), fc.string().map((part) => `sid=${part};`.repeat(500)))

t.test('no cookie header is an error, and none opens a session that it holds no cookie of', async (t) => {
  const every: SessionOptions[] = [{}, { secret: SECRETS }, { onAmbiguousCookie: 'refuse' }, { cookie: { name: 'constructor' } }, { cookie: { name: '__proto__' } }]
  for (const options of every) {
    const app = await buildApp(t, options)
    app.get('/', async ({ session }) => ({ isNew: session.isNew, data: session.data() }))
    for (let n = 0; n < 20; n++) await app.sessions.issue({ user: n })
    await fc.assert(fc.asyncProperty(header, async (cookie) => {
      const response = await app.inject({ url: '/', headers: { cookie } })
      return response.statusCode === 200 && response.body === '{"isNew":true,"data":{}}' && setCookies(response).length === 0
    }), { numRuns: Math.ceil(fuzzRuns(1000) / every.length) })
    t.equal(app.sessions.stats().loaded, 0)
  }
})

t.test('no bytes in a cookie header over a real connection are an error of ours', async (t) => {
  const app = await buildApp(t, { secret: SECRETS })
  app.get('/', async ({ session }) => session.data())
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const ask = async (cookie: Buffer): Promise<string> => {
    const socket = connect(port, '127.0.0.1')
    socket.end(Buffer.concat([Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: '), cookie, Buffer.from('\r\n\r\n')]))
    return await text(socket)
  }
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.concat([Buffer.from('sid='), each])), header.map((each) => Buffer.from(each)), header.map((each) => Buffer.from(each, 'latin1')))
  await fc.assert(fc.asyncProperty(bytes, async (cookie) => {
    const answer = await ask(cookie)
    // what is no HTTP never reaches us
    return /^HTTP\/1\.1 (400|431) /.test(answer) || (answer.startsWith('HTTP/1.1 200 ') && answer.endsWith('{}'))
  }), { numRuns: fuzzRuns(100) })
  t.match(await ask(Buffer.from((await app.sessions.issue({ user: 1 })).headers.cookie)), /\{"user":1\}$/)
})
