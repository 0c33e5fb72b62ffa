/**
 * Metrics and spans for OpenTelemetry, with the meter and the tracer that an app has.
 *
 * @packageDocumentation
 */
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { measureSessions } from './session-metrics.js'
import { traceStore } from './store-spans.js'
import { telemetrySettings, type TelemetryOptions } from './telemetry-options.js'

const watch: FastifyPluginAsync<TelemetryOptions> = async (app, options) => {
  const { meter, tracer, sessions, attributes } = telemetrySettings(app, options)
  const stopMeasuring = meter !== null && measureSessions(meter, sessions, attributes)
  const stopTracing = tracer !== null && traceStore(tracer, sessions, attributes)
  app.addHook('onClose', async () => {
    if (stopMeasuring !== false) stopMeasuring()
    if (stopTracing !== false) stopTracing()
  })
}

/**
 * A plugin, registered after the session: `await app.register(sessionTelemetry, { meter: metrics.getMeter('fastify-keep') })`.
 * Stops when the app closes. Throws an `InvalidOptionError` for options that cannot work; what a meter or a tracer throws later
 * changes nothing for a request, and is warned about once (`FST_KEEP_TELEMETRY_FAILED`).
 */
export const sessionTelemetry = fp(watch, { fastify: '5.x', name: 'fastify-keep/opentelemetry' })

export type { GaugeCallback, InstrumentOptions, SessionCounter, SessionGauge, SessionHistogram, SessionMeter, SessionSpan, SessionTracer, TelemetryAttributes } from './meter-and-tracer.js'
export type { TelemetryOptions } from './telemetry-options.js'
