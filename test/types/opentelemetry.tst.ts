// `fastify-keep/opentelemetry` takes what @opentelemetry/api gives, and asks nobody to install that.
import { metrics, trace, type Meter, type Tracer } from '@opentelemetry/api'
import Fastify from 'fastify'
import { expect, test } from 'tstyche'
import type { StoreCallMessage, StoreCallOutcome } from '../../index.js'
import { sessionTelemetry, type SessionMeter, type SessionTracer, type TelemetryOptions } from '../../lib/opentelemetry/session-telemetry.js'

test('a meter and a tracer of @opentelemetry/api fit', () => {
  expect<SessionMeter>().type.toBeAssignableFrom<Meter>()
  expect<SessionTracer>().type.toBeAssignableFrom<Tracer>()
  expect(Fastify().register(sessionTelemetry, { meter: metrics.getMeter('shop'), tracer: trace.getTracer('shop'), property: 'adminSession', attributes: { app: 'shop' } })).type.not.toRaiseError()
})

test('providers and names that do not exist are refused', () => {
  const app = Fastify()
  expect(app.register(sessionTelemetry, { meterProvider: 1 })).type.toRaiseError("'meterProvider' does not exist")
  expect<TelemetryOptions>().type.not.toBeAssignableFrom({ meter: metrics.getMeterProvider() })
  expect<TelemetryOptions>().type.not.toBeAssignableFrom({ attributes: { app: {} } })
})

test('a call of the store is described', () => {
  expect<StoreCallMessage['sessionId']>().type.toBe<string | null>()
  expect<StoreCallMessage['outcome']>().type.toBe<StoreCallOutcome | undefined>()
  expect<StoreCallMessage['duration']>().type.toBe<number | undefined>()
})
