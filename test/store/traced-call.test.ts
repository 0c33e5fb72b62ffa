// Every call of the store, as subscribers of `tracingChannel('fastify-keep:store')` see it.
import { tracingChannel } from 'node:diagnostics_channel'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { TooManyKeysError } from '../../lib/errors.js'
import { Message } from '../../lib/message.js'
import { boundedCall } from '../../lib/store/bounded-call.js'
import { boundOwners, boundStore } from '../../lib/store/bounded-store.js'
import { tracedCall } from '../../lib/store/traced-call.js'
import type { StoreCallMessage } from '../../types/store-call.js'
import type { SessionOwners } from '../../types/owners.js'
import type { SessionStore } from '../../types/store.js'
import { Browser, buildApp } from '../fixtures/app.js'
import { goodRecord } from '../fixtures/good-record.js'
import { memoryStore, wrapped } from '../fixtures/stores.js'

type Phase = 'start' | 'end' | 'asyncStart' | 'asyncEnd' | 'error'

const phases: readonly Phase[] = ['start', 'end', 'asyncStart', 'asyncEnd', 'error']

/** What is heard, with the message as it was at that moment. */
function listen (t: Test): Array<[Phase, StoreCallMessage]> {
  const heard: Array<[Phase, StoreCallMessage]> = []
  const hear = (phase: Phase) => (message: unknown) => { heard.push([phase, { ...message as StoreCallMessage }]) }
  const handlers = Object.fromEntries(phases.map((phase) => [phase, hear(phase)])) as Record<Phase, (message: unknown) => void>
  const channel = tracingChannel<unknown, StoreCallMessage>('fastify-keep:store')
  channel.subscribe(handlers)
  t.teardown(() => { channel.unsubscribe(handlers) })
  return heard
}

const shortened = (heard: ReadonlyArray<[Phase, StoreCallMessage]>) => heard.map(([phase, { function: name, outcome }]) => `${phase} ${name} ${outcome ?? '…'}`)

const source = {}
const trace = (timeout = 1000) => tracedCall(source, 'session', boundedCall(timeout, () => {}))
const storeThat = (functions: object, timeout?: number) => boundStore(functions as SessionStore, trace(timeout))
const ownersThat = (functions: object) => boundOwners(functions as SessionOwners, trace())

t.test('a store that answers at once is answered for at once', async (t) => {
  const heard = listen(t)
  t.equal(storeThat({ read: () => null }).read('id'), null)
  t.match(heard, [
    ['start', { function: 'read', property: 'session', sessionId: 'id', outcome: undefined, duration: undefined }],
    ['end', { function: 'read', property: 'session', sessionId: 'id', outcome: 'missing', duration: Number }]
  ])
  t.equal(heard.length, 2)
})

t.test('a store that answers later has an outcome then', async (t) => {
  const heard = listen(t)
  const answer = storeThat({ destroy: async () => { await delay(20); return 'done' } }).destroy('id')
  t.same(shortened(heard), ['start destroy …', 'end destroy …'])
  t.equal(await answer, 'done')
  t.same(shortened(heard), ['start destroy …', 'end destroy …', 'asyncStart destroy done', 'asyncEnd destroy done'])
  t.ok(Number(heard.at(-1)?.[1].duration) >= 19)
})

const record = goodRecord()

const outcomes: ReadonlyArray<[name: keyof SessionStore, answer: unknown, outcome: string]> = [
  ['read', record, 'done'], ['read', undefined, 'missing'], ['read', { endedAt: 1 }, 'ended'], ['read', { ...record, version: 'x' }, 'corrupt'], ['read', 7, 'corrupt'],
  ['create', true, 'done'], ['create', false, 'taken'],
  ['update', 'done', 'done'], ['update', 'missing', 'missing'], ['update', 'conflict', 'conflict'], ['update', 'too-large', 'too-large'],
  ['touch', 'done', 'done'], ['touch', 'missing', 'missing'], ['touch', 'stale', 'stale'],
  ['destroy', 'done', 'done'], ['destroy', 'missing', 'missing'], ['destroy', 'conflict', 'conflict']
]

/** Calls the function as the rest of this package would. */
function callOn (store: SessionStore, name: string): unknown {
  if (name === 'create') return store.create('id', record)
  if (name === 'update') return store.update('id', { clear: false, set: { a: '1' }, remove: [] })
  return (store as unknown as Record<string, (id: string) => unknown>)[name]!('id')
}

t.test('every answer has its outcome, at once and later', async (t) => {
  const heard = listen(t)
  for (const [name, answer, outcome] of outcomes) {
    for (const answered of [() => answer, async () => answer]) {
      heard.length = 0
      await callOn(storeThat({ [name]: answered }), name)
      t.match(heard.at(-1), [String, { function: name, sessionId: 'id', outcome, error: undefined }], `${name}: ${JSON.stringify(answer)}`)
    }
  }
})

t.test('so have the lists of owners, and no owner is named', async (t) => {
  const heard = listen(t)
  const owners = ownersThat({ add: () => ({ result: 'refused', marked: [] }), renew: () => false, mark: () => ['a'], remove: () => {}, list: () => ['a'] })
  await owners.add('ada', 'id', { expiresAt: 1 })
  await owners.renew('ada', 'id', 1)
  await owners.mark('ada', [])
  await owners.remove('ada', ['id'])
  await owners.list('ada')
  const ends = heard.filter(([phase]) => phase === 'end').map(([, { function: name, sessionId, outcome }]) => [name, sessionId, outcome])
  t.same(ends, [['owners.add', 'id', 'refused'], ['owners.renew', 'id', 'missing'], ['owners.mark', null, 'done'], ['owners.remove', null, 'done'], ['owners.list', null, 'done']])
  t.notMatch(JSON.stringify(heard), 'ada')
})

t.test('so has each slice of ids', async (t) => {
  const heard = listen(t)
  const store = storeThat({ ids: () => [['a'], ['b']] })
  const slices: unknown[] = []
  for await (const slice of store.ids!()) slices.push(slice)
  t.same(slices, [['a'], ['b']])
  t.same(shortened(heard).filter((line) => line.startsWith('end')), ['end ids done', 'end ids done', 'end ids done'])
})

t.test('every failure ends its call once, and says how', async (t) => {
  const never = new Promise(() => {})
  const failures: ReadonlyArray<[title: string, read: () => unknown, outcome: string, phases: readonly string[]]> = [
    ['it throws', () => { throw new Error('down') }, 'error', ['start', 'error', 'end']],
    ['it throws nothing', () => { throw undefined }, 'error', ['start', 'error', 'end']], // eslint-disable-line no-throw-literal
    ['it rejects with nothing', () => Promise.reject(), 'error', ['start', 'end', 'error', 'asyncStart', 'asyncEnd']], // eslint-disable-line prefer-promise-reject-errors
    ['it rejects', async () => { throw new Error('down') }, 'error', ['start', 'end', 'error', 'asyncStart', 'asyncEnd']],
    ['it never answers', () => never, 'timeout', ['start', 'end', 'error', 'asyncStart', 'asyncEnd']],
    ['it answers too late', () => delay(60, null), 'timeout', ['start', 'end', 'error', 'asyncStart', 'asyncEnd']],
    ['it fails too late', async () => { await delay(60); throw new Error('down') }, 'timeout', ['start', 'end', 'error', 'asyncStart', 'asyncEnd']],
    ['it asks too much', () => { throw new TooManyKeysError(9, 8) }, 'refused', ['start', 'error', 'end']],
    ['it answers with nonsense', () => ({ then: 7 }), 'error', ['start', 'end', 'error', 'asyncStart', 'asyncEnd']]
  ]
  for (const [title, read, outcome, expected] of failures) {
    await t.test(title, async (t) => {
      const heard = listen(t)
      const store = storeThat({ read }, 20)
      const thrown = await Promise.resolve().then(() => store.read('id')).then(() => null, (error: unknown) => error)
      await delay(80)
      t.same(heard.map(([phase]) => phase), expected)
      t.match(heard.at(-1)?.[1], { outcome, duration: Number })
      t.equal(heard.at(-1)?.[1].error, thrown, 'the error is the one that the request fails with')
      t.ok(thrown instanceof Error)
    })
  }
})

t.test('a thenable that answers twice ends its call once', async (t) => {
  const heard = listen(t)
  const store = storeThat({ create: () => ({ then: (done: (answer: unknown) => void, fail: (error: Error) => void) => { done(true); done(false); fail(new Error('down')); throw new Error('down') } }) })
  t.equal(await store.create('id', record), true)
  await delay(5)
  t.same(shortened(heard), ['start create …', 'end create …', 'asyncStart create done', 'asyncEnd create done'])
})

t.test('an answer that throws at the second look stays an answer', async (t) => {
  const heard = listen(t)
  let looks = 0
  const addition = { get result () { if (++looks > 1) throw new Error('secret'); return 'done' }, marked: [] }
  t.equal(ownersThat({ add: () => addition }).add('owner', 'id', { expiresAt: 1 }), addition)
  t.same(shortened(heard), ['start owners.add …', 'end owners.add error'])
})

t.test('while nobody subscribes nothing is measured', async (t) => {
  const clock = t.capture(performance, 'now', performance.now.bind(performance))
  storeThat({ read: () => null }).read('id')
  await storeThat({ read: async () => null }).read('id')
  t.equal(clock().length, 0)
})

t.test('one subscriber of any kind is enough', async (t) => {
  const channel = tracingChannel<unknown, StoreCallMessage>('fastify-keep:store')
  for (const phase of phases) {
    let count = 0
    const hear = () => { count++ }
    channel[phase].subscribe(hear)
    await Promise.resolve().then(() => storeThat({ read: async () => { throw new Error('down') } }).read('id')).catch(() => {})
    channel[phase].unsubscribe(hear)
    t.equal(count, 1, phase)
  }
})

t.test('a subscriber that throws changes nothing for the request', async (t) => {
  const thrown: unknown[] = []
  const before = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => { thrown.push(error) })
  t.teardown(() => {
    process.removeAllListeners('uncaughtException')
    for (const listener of before) process.on('uncaughtException', listener)
  })
  const channel = tracingChannel<unknown, StoreCallMessage>('fastify-keep:store')
  const fail = () => { throw new Error('mine') }
  const handlers = Object.fromEntries(phases.map((phase) => [phase, fail])) as Record<Phase, () => never>
  channel.subscribe(handlers)
  t.equal(storeThat({ read: () => null }).read('id'), null)
  t.equal(await storeThat({ read: async () => null }).read('id'), null)
  channel.unsubscribe(handlers)
  await delay(5)
  t.equal(thrown.length, 6, 'Node.js takes each for an uncaught exception')
})

t.test('messages know their session, and say nothing of that', async (t) => {
  const heard: unknown[] = []
  const hear = (message: unknown) => { heard.push(message) }
  const channel = tracingChannel<unknown, StoreCallMessage>('fastify-keep:store')
  channel.end.subscribe(hear)
  t.teardown(() => { channel.end.unsubscribe(hear) })
  storeThat({ read: () => null }).read('id')
  t.same([Message.isFrom(heard[0], source), Message.isFrom(heard[0], {}), Message.isFrom({ ...heard[0] as object }, source), Message.isFrom(null, source)], [true, false, false, false])
  t.same(Object.keys(heard[0] as object), ['function', 'property', 'sessionId', 'duration', 'outcome'])
})

for (const [kind, store] of Object.entries({ memory: memoryStore(), 'a store that answers later': wrapped(memoryStore(), () => delay(1)) })) {
  t.test(`on ${kind}, a whole visit is seen, without values, tokens and secrets`, async (t) => {
    const app = await buildApp(t, { store, property: 'visit', ownerKey: 'userId', secret: 'a secret of at least 32 bytes, really' })
    const sessionOf = (request: unknown) => (request as { visit: { set (key: string, value: unknown): void, get (key: string): unknown, destroy (): void } }).visit
    app.get('/login', async (request) => { sessionOf(request).set('userId', 'ada-lovelace') })
    app.get('/me', async (request) => String(sessionOf(request).get('userId')))
    app.get('/logout', async (request) => { sessionOf(request).destroy() })
    const heard = listen(t)
    const browser = new Browser(app)
    await browser.visit('/login')
    const token = browser.cookies['sid'] as string
    t.equal((await browser.visit('/me')).body, 'ada-lovelace')
    await browser.visit('/logout')
    const answered = heard.filter(([phase, { outcome }]) => outcome !== undefined && phase !== 'asyncStart').map(([, { function: name, property, outcome }]) => [name, property, outcome])
    t.same(answered, [['create', 'visit', 'done'], ['owners.add', 'visit', 'done'], ['read', 'visit', 'done'], ['read', 'visit', 'done'], ['destroy', 'visit', 'done'], ['owners.remove', 'visit', 'done']])
    const said = JSON.stringify(heard)
    for (const secret of ['ada-lovelace', token, token.slice(24, 64), 'a secret of']) t.notOk(said.includes(secret), secret)
  })
}
