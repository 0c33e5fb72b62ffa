// Spans of store calls, with the real SDK.
import { setTimeout as delay } from 'node:timers/promises'
import { context, trace } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import Fastify from 'fastify'
import t from 'tap'
import session from '../../index.js'
import { sessionTelemetry } from '../../lib/opentelemetry/session-telemetry.js'
import { memoryStore, wrapped } from '../fixtures/stores.js'
import { telemetry, trackContext } from '../fixtures/telemetry.js'

const shown = ({ name, attributes, status, parentSpanContext }: ReadableSpan) => ({ name, outcome: attributes['fastify_keep.outcome'], status: status.code, parent: parentSpanContext?.spanId })

const stores = { memory: memoryStore(), 'a store that answers later': wrapped(memoryStore(), () => delay(2)) }

for (const [kind, store] of Object.entries(stores)) {
  t.test(`on ${kind}, each call of the store is a span below the request's own`, async (t) => {
    trackContext(t)
    const { tracer, spans } = telemetry(t)
    const app = Fastify()
    t.teardown(() => app.close())
    const requests = new Map<string, string>()
    // as an instrumentation of HTTP does it
    app.addHook('onRequest', (request, _reply, done) => {
      const span = tracer.startSpan(`GET ${request.url}`)
      requests.set(request.url, span.spanContext().spanId)
      context.with(trace.setSpan(context.active(), span), done)
    })
    await app.register(session, { store })
    await app.register(sessionTelemetry, { tracer })
    app.get('/:n', async ({ session }) => session.set('n', 1))
    const { cookies } = await app.sessions.issue({ a: 1 })
    await Promise.all(['/1', '/2'].map((url) => app.inject({ url, cookies })))
    const [issued, ...visited] = spans().map(shown)
    t.same(issued, { name: 'fastify-keep store.create', outcome: 'done', status: 0, parent: undefined })
    for (const url of ['/1', '/2']) {
      const own = visited.filter(({ parent }) => parent === requests.get(url))
      t.match(own.map(({ name, outcome }) => [name, outcome]), [['fastify-keep store.read', 'done'], ['fastify-keep store.update', 'done']])
    }
    t.equal(visited.length, 4)
  })
}

t.test('a call that fails is a span that failed, and ends once', async (t) => {
  const { tracer, spans } = telemetry(t)
  let act: () => unknown = () => {}
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(session, { store: wrapped(memoryStore(), () => act()), storeTimeout: 20 })
  await app.register(sessionTelemetry, { tracer, attributes: { app: 'shop' } })
  app.get('/', async ({ session }) => String(session.get('a')))
  const { cookies } = await app.sessions.issue({ a: 1 })
  const failures: Record<string, () => unknown> = {
    error: () => { throw new Error('down') },
    nothing: () => Promise.reject(), // eslint-disable-line prefer-promise-reject-errors
    timeout: () => delay(60)
  }
  for (const failure of Object.values(failures)) {
    act = failure
    t.equal((await app.inject({ url: '/', cookies })).statusCode, 503)
  }
  await delay(80)
  const [, ...failed] = spans()
  t.same(failed.map(({ attributes: { app, 'fastify_keep.outcome': outcome, 'error.type': type }, status }) => [app, outcome, type, status.code]), [
    ['shop', 'error', 'FST_KEEP_STORE', 2], ['shop', 'error', 'FST_KEEP_STORE', 2], ['shop', 'timeout', 'FST_KEEP_STORE_TIMEOUT', 2]
  ])
  t.match(failed[0]?.status.message, 'store.read() failed: down')
  t.equal(failed.every(({ ended }) => ended), true)
})

t.test('spans are those of one session of the app', async (t) => {
  const { tracer, spans } = telemetry(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(session)
  await app.register(session, { property: 'adminSession', cookie: { name: 'admin' } })
  await app.register(sessionTelemetry, { tracer, property: 'adminSession' })
  await app.sessions.issue({ a: 1 })
  t.equal(spans().length, 0)
  await (app as unknown as { adminSessions: typeof app.sessions }).adminSessions.issue({ a: 1 })
  t.same(spans().map(({ attributes }) => attributes['fastify_keep.property']), ['adminSession'])
})

t.test('no span holds the id, the token or a value of a session', async (t) => {
  const { tracer, spans } = telemetry(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(session, { ownerKey: 'userId' })
  await app.register(sessionTelemetry, { tracer })
  const { sessionId, headers: { cookie } } = await app.sessions.issue({ userId: 'ada-lovelace' })
  await (await app.sessions.load(cookie)).update('seen', () => 'a secret value')
  await app.sessions.revokeAll('ada-lovelace')
  const said = JSON.stringify(spans().map(({ name, attributes, status, events }) => ({ name, attributes, status, events })))
  t.ok(spans().length > 4)
  for (const secret of [sessionId, cookie.slice(4), 'ada-lovelace', 'a secret value']) t.notOk(said.includes(secret), secret)
})
