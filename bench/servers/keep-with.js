// This package with one of its parts on or off, by the name on the command line.
import { randomBytes } from 'node:crypto'
import session, { requireSession } from 'fastify-keep'
import { sessionTelemetry } from 'fastify-keep/opentelemetry'
import cookie from '@fastify/cookie'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base'
import { serve } from '../serve.js'

const guards = { guard: {}, 'no-store': { noStore: true } }

const parts = {
  everything: {},
  'cross-site-off': { crossSite: 'allow' },
  validate: { validate: () => true },
  'validate-later': { validate: async () => true },
  encrypted: { encryption: [{ id: 'bench', key: randomBytes(32) }] },
  guard: {},
  'no-store': {},
  metrics: {},
  'metrics-and-spans': {}
}

const part = process.argv[2]

/** A real OpenTelemetry that counts, and exports nothing. */
const telemetry = {
  metrics: () => ({ meter: new MeterProvider({ readers: [new Unread()] }).getMeter('bench') }),
  'metrics-and-spans': () => ({ ...telemetry.metrics(), tracer: new BasicTracerProvider().getTracer('bench') })
}

class Unread extends MetricReader {
  async onShutdown () {}
  async onForceFlush () {}
}

await serve(async (app) => {
  await app.register(cookie)
  await app.register(session, parts[part])
  if (part in telemetry) await app.register(sessionTelemetry, telemetry[part]())
  if (part in guards) app.addHook('preHandler', requireSession('count', { ...guards[part], except: ['/seed/*'] }))
}, {
  get: (request, key) => request.session.get(key),
  index: (request, key) => request.session[key],
  set: (request, key, value) => request.session.set(key, value)
})
