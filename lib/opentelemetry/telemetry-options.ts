// The options of `sessionTelemetry`, checked.
import { inspect } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { InvalidOptionError } from '../errors.js'
import { Sessions } from '../http/sessions.js'
import { unknownName } from '../unknown-names.js'
import type { SessionMeter, SessionTracer, TelemetryAttributes } from './meter-and-tracer.js'

/** What `sessionTelemetry` takes: a meter, a tracer, or both. */
export interface TelemetryOptions {
  /** For metrics: `metrics.getMeter('fastify-keep')`, or that of your own provider. Default none. */
  meter?: SessionMeter
  /** For a span around each call of the store: `trace.getTracer('fastify-keep')`. Default none. */
  tracer?: SessionTracer
  /** The property of the session that is watched. Default `'session'`; for a second session register this once more. */
  property?: string
  /**
   * Goes with every measurement and every span: `{ app: 'shop' }`. Default none. Where one process has several apps with one meter, it tells them apart.
   * Give what never changes: each new value is a new series.
   */
  attributes?: TelemetryAttributes
}

/** The options, complete, and the sessions that are watched. */
export interface TelemetrySettings {
  readonly meter: SessionMeter | null
  readonly tracer: SessionTracer | null
  readonly sessions: Sessions
  readonly attributes: TelemetryAttributes
}

const known = ['meter', 'tracer', 'property', 'attributes']

/** Fastify's own options of register(). */
const fastifys = ['prefix', 'logLevel', 'logSerializers', 'encapsulate']

const elsewhere = {
  meterProvider: "write meter: provider.getMeter('fastify-keep')",
  tracerProvider: "write tracer: provider.getTracer('fastify-keep')",
  metrics: "write meter: metrics.getMeter('fastify-keep')",
  labels: 'write attributes'
}

/** Throws an `InvalidOptionError` for what cannot work. */
export function telemetrySettings (app: FastifyInstance, options: TelemetryOptions): TelemetrySettings {
  const unknown = unknownName(without(options, fastifys), known, elsewhere)
  if (unknown !== null) refuse(unknown.name, (options as Record<string, unknown>)[unknown.name], unknown.fix)
  const { meter, tracer, property = 'session', attributes = {} } = options
  if (meter === undefined && tracer === undefined) refuse('meter', meter, "give a meter, a tracer, or both, such as metrics.getMeter('fastify-keep')")
  if (meter !== undefined) requireFunctions('meter', meter, ['createCounter', 'createHistogram', 'createObservableGauge'], 'getMeter')
  if (tracer !== undefined) requireFunctions('tracer', tracer, ['startSpan'], 'getTracer')
  checkAttributes(attributes)
  return { meter: meter ?? null, tracer: tracer ?? null, sessions: sessionsOf(app, property), attributes: { ...attributes, 'fastify_keep.property': property } }
}

/** Throws the error for one option. */
export function refuse (option: string, value: unknown, fix: string): never {
  throw new InvalidOptionError(`sessionTelemetry ${option}`, inspect(value, { depth: -1, maxStringLength: 80 }), fix)
}

function without (options: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)))
}

function requireFunctions (option: string, value: unknown, names: readonly string[], getter: string): void {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const missing = names.filter((name) => typeof given[name] !== 'function')
  if (missing.length === 0) return
  const hint = typeof given[getter] === 'function' ? `; this is a provider: give ${getter}('fastify-keep') of it` : ''
  refuse(option, value, `it needs the function${missing.length > 1 ? 's' : ''} ${missing.join(', ')}${hint}`)
}

function checkAttributes (attributes: unknown): void {
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) refuse('attributes', attributes, "give an object such as { app: 'shop' }")
  for (const [name, value] of Object.entries(attributes)) {
    if (!['string', 'number', 'boolean'].includes(typeof value)) refuse(`attributes.${name}`, value, 'give a string, a number or a boolean')
    if (name === '' || name.startsWith('fastify_keep.')) refuse('attributes', name, "give other names: those that begin with 'fastify_keep.' are this package's own")
  }
}

function sessionsOf (app: FastifyInstance, property: unknown): Sessions {
  const sessions = typeof property === 'string' ? (app as unknown as Record<string, unknown>)[`${property}s`] : undefined
  if (sessions instanceof Sessions) return sessions
  return refuse('property', property, 'no session has this property here; register fastify-keep before, and name its property where it has one of its own')
}
