// A meter and a tracer that fail: requests go on, and nothing is left behind.
import { channel, tracingChannel } from 'node:diagnostics_channel'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { MemoryStore } from '../../index.js'
import { sessionTelemetry, type SessionMeter, type SessionTracer, type TelemetryOptions } from '../../lib/opentelemetry/session-telemetry.js'
import { Browser, buildApp } from '../fixtures/app.js'
import { memoryStore, wrapped } from '../fixtures/stores.js'
import { telemetry } from '../fixtures/telemetry.js'

const fail = (): never => { throw undefined } // eslint-disable-line no-throw-literal

/** Works, but for what the test replaces. */
const meterThat = (parts: object = {}) => ({ createCounter: () => ({ add () {} }), createHistogram: () => ({ record () {} }), createObservableGauge: () => ({ addCallback () {}, removeCallback () {} }), ...parts }) as SessionMeter
const tracerThat = (parts: object = {}) => ({ startSpan: () => ({ setAttributes () {}, setStatus () {}, end () {}, ...parts }) }) as SessionTracer

t.test('what fails is warned about once', async (t) => {
  const warnings: string[] = []
  const hear = (warning: Error) => { if ((warning as { code?: unknown }).code === 'FST_KEEP_TELEMETRY_FAILED') warnings.push(warning.message) }
  process.on('warning', hear)
  t.teardown(() => process.off('warning', hear))
  const app = await buildApp(t)
  await app.register(sessionTelemetry, { meter: meterThat(), tracer: { startSpan () { throw new Error('no exporter') } } })
  for (let n = 0; n < 2; n++) await app.sessions.issue({ a: 1 })
  await delay(5)
  t.match(warnings, [/^fastify-keep: .* is not measured: no exporter$/])
  t.equal(warnings.length, 1)
})

const failing: Record<string, TelemetryOptions> = {
  'a counter that throws': { meter: meterThat({ createCounter: () => ({ add: fail }) }) },
  'a histogram that throws': { meter: meterThat({ createHistogram: () => ({ record: fail }) }) },
  'a gauge that throws': { meter: meterThat({ createObservableGauge: () => ({ addCallback: fail, removeCallback: fail }) }) },
  'a meter that makes nothing': { meter: meterThat({ createCounter: () => undefined, createHistogram: () => undefined, createObservableGauge: () => null }) },
  'a tracer that throws': { tracer: { startSpan: fail } },
  'a tracer that makes nothing': { tracer: { startSpan: () => undefined } as unknown as SessionTracer },
  'a span that throws everywhere': { tracer: tracerThat({ setAttributes: fail, setStatus: fail, end: fail }) },
  'a span that cannot end': { tracer: tracerThat({ end: fail }) }
}

const stores = { memory: () => memoryStore(), 'a store that answers later': () => wrapped(memoryStore(), () => delay(1)) }

for (const [title, options] of Object.entries(failing)) {
  for (const [kind, makeStore] of Object.entries(stores)) {
    t.test(`${title} changes nothing for a visitor of ${kind}`, async (t) => {
      const app = await buildApp(t, { store: makeStore() })
      await app.register(sessionTelemetry, options)
      app.get('/', async ({ session }) => session.update('n', (n) => Number(n ?? 0) + 1))
      app.get('/logout', async ({ session }) => { session.destroy() })
      const browser = new Browser(app)
      for (const n of ['1', '2']) t.equal((await browser.visit('/')).body, n)
      t.equal((await browser.visit('/logout')).statusCode, 200)
      t.same(browser.cookies, {})
      await app.close()
    })
  }
}

t.test('a span ends where its attributes cannot be set', async (t) => {
  let ended = 0
  const app = await buildApp(t)
  await app.register(sessionTelemetry, { tracer: tracerThat({ setAttributes: fail, setStatus: fail, end () { ended++ } }) })
  await app.sessions.issue({ a: 1 })
  t.equal(ended, 1)
})

t.test('a store that cannot say how many sessions it holds is left out', async (t) => {
  const { meter, counts } = telemetry(t)
  const store = new MemoryStore()
  let size: () => unknown = fail
  Object.defineProperty(store, 'size', { get: () => size() })
  const app = await buildApp(t, { store })
  await app.register(sessionTelemetry, { meter })
  t.notOk('session.live' in await counts())
  for (const nonsense of [NaN, Infinity, '7', {}]) {
    size = () => nonsense
    t.notOk('session.live' in await counts(), String(nonsense))
  }
  size = () => 7
  t.equal((await counts())['session.live'], 7)
})

/** Everything that telemetry may subscribe to. */
const channels = ['created', 'regenerated', 'destroyed', 'expired', 'evicted', 'rejected', 'denied', 'conflict'].map((event) => channel(`fastify-keep:${event}`))
const { start, end, asyncStart, asyncEnd, error } = tracingChannel<unknown, object>('fastify-keep:store')
const subscribed = (): string[] => [...channels, start, end, asyncStart, asyncEnd, error].filter(({ hasSubscribers }) => hasSubscribers).map(({ name }) => String(name))

async function closes (t: Test, options: TelemetryOptions): Promise<void> {
  const app = await buildApp(t)
  await app.register(sessionTelemetry, options)
  t.ok(subscribed().length > 2)
  await app.close()
  t.same(subscribed(), [])
}

t.test('an app that closes leaves no listener and no callback behind', async (t) => {
  const callbacks = new Set<unknown>()
  const gauge = { addCallback (callback: unknown) { callbacks.add(callback) }, removeCallback (callback: unknown) { callbacks.delete(callback) } }
  await closes(t, { meter: meterThat({ createObservableGauge: () => gauge }), tracer: tracerThat() })
  t.equal(callbacks.size, 0)
  await closes(t, { meter: meterThat({ createObservableGauge: () => ({ addCallback: fail, removeCallback: fail }) }) })
})

t.test('options that cannot work stop the start, and say what to write', async (t) => {
  const meter = meterThat()
  const refused: ReadonlyArray<[options: object, message: RegExp]> = [
    [{}, /sessionTelemetry meter is undefined: give a meter, a tracer, or both/],
    [{ Meter: meter }, /Meter .*did you mean meter\?/],
    [{ meter, trace: 1 }, /sessionTelemetry trace .*did you mean tracer\?/],
    [{ meterProvider: {} }, /write meter: provider\.getMeter/],
    [{ meter, labels: {} }, /write attributes/],
    [{ meter: 7 }, /needs the functions createCounter, createHistogram, createObservableGauge/],
    [{ meter: { getMeter () {} } }, /this is a provider: give getMeter\('fastify-keep'\) of it/],
    [{ tracer: null }, /tracer is null: it needs the function startSpan/],
    [{ tracer: { getTracer () {} } }, /give getTracer\('fastify-keep'\)/],
    [{ meter, property: 'adminSession' }, /property is 'adminSession': no session has this property here/],
    [{ meter, property: 7 }, /property is 7/],
    [{ meter, attributes: 'shop' }, /attributes is 'shop'/],
    [{ meter, attributes: ['shop'] }, /attributes is/],
    [{ meter, attributes: { app: {} } }, /attributes\.app is .*a string, a number or a boolean/],
    [{ meter, attributes: { 'fastify_keep.reason': 'x' } }, /begin with 'fastify_keep\.'/],
    [{ meter: meterThat({ createHistogram: fail }) }, /cannot make an instrument: it failed with undefined/]
  ]
  for (const [options, message] of refused) {
    const app = await buildApp(t)
    await t.rejects(async () => { await app.register(sessionTelemetry, options as TelemetryOptions) }, { code: 'FST_KEEP_INVALID_OPTION', message })
    t.same(subscribed(), [], 'and leave no listener behind')
  }
})

t.test("Fastify's own options of register are none of ours", async (t) => {
  const app = await buildApp(t)
  await app.register(sessionTelemetry, { meter: meterThat(), logLevel: 'warn' })
  await app.close()
})
