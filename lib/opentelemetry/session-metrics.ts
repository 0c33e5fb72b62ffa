// What happens to sessions, as metrics. Every attribute has few values, which this package knows: no id, no path, nothing of a user.
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import type { SessionEvent, SessionMessage } from '../events.js'
import { failureCause } from '../failure-cause.js'
import { Sessions } from '../http/sessions.js'
import type { StoreCallMessage } from '../../types/store-call.js'
import { attempt } from './attempt.js'
import type { GaugeCallback, SessionMeter, TelemetryAttributes } from './meter-and-tracer.js'
import { callAttributes } from './call-attributes.js'
import { refuse } from './telemetry-options.js'

/** From a store in this process to one that hardly answers, in seconds. */
const BOUNDARIES = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** Measures these sessions until the function that it returns is called. Throws an `InvalidOptionError` for a meter that does not work. */
export function measureSessions (meter: SessionMeter, sessions: Sessions, attributes: TelemetryAttributes): () => void {
  const { created, ended, rejected, denied, conflicts, calls, live } = instrumentsOf(meter)
  const one = (counter: typeof created, reason?: string) => attempt(() => {
    counter.add(1, reason === undefined ? attributes : { ...attributes, 'fastify_keep.reason': reason })
  })
  const stopEvents = listen(sessions, {
    created: () => one(created),
    regenerated: ({ reason }) => {
      one(created)
      if (reason !== undefined) one(ended, reason)
    },
    destroyed: ({ reason }) => one(ended, reason),
    expired: ({ reason }) => one(ended, reason),
    evicted: ({ reason }) => one(ended, reason),
    rejected: ({ reason }) => one(rejected, reason),
    denied: ({ reason }) => one(denied, reason),
    conflict: () => one(conflicts)
  })

  const answered = (message: unknown) => {
    const call = message as StoreCallMessage
    const { duration } = call
    if (duration === undefined || !Sessions.isSourceOf(sessions, call)) return
    attempt(() => { calls.record(duration / 1000, { ...attributes, ...callAttributes(call) }) })
  }
  const { end, asyncEnd } = tracingChannel<unknown, StoreCallMessage>('fastify-keep:store')
  end.subscribe(answered)
  asyncEnd.subscribe(answered)

  const count: GaugeCallback = (result) => attempt(() => {
    const { size } = sessions.stats()
    if (Number.isFinite(size)) result.observe(size as number, attributes)
  })
  attempt(() => { live.addCallback(count) })

  return () => {
    stopEvents()
    end.unsubscribe(answered)
    asyncEnd.unsubscribe(answered)
    attempt(() => { live.removeCallback(count) })
  }
}

function instrumentsOf (meter: SessionMeter) {
  try {
    return {
      created: meter.createCounter('fastify_keep.session.created', { description: 'Sessions stored under a new id, by a first change or a login', unit: '{session}' }),
      ended: meter.createCounter('fastify_keep.session.ended', { description: 'Sessions that ended, by reason', unit: '{session}' }),
      rejected: meter.createCounter('fastify_keep.session.rejected', { description: 'Cookies that opened no session, by reason', unit: '{cookie}' }),
      denied: meter.createCounter('fastify_keep.session.denied', { description: 'Requests that were turned away, by reason', unit: '{request}' }),
      conflicts: meter.createCounter('fastify_keep.session.conflicts', { description: 'Steps that found the session changed by another request, and were tried again', unit: '{conflict}' }),
      calls: meter.createHistogram('fastify_keep.store.call.duration', { description: 'How long the store took, by function and outcome', unit: 's', advice: { explicitBucketBoundaries: BOUNDARIES } }),
      live: meter.createObservableGauge('fastify_keep.session.live', { description: 'Sessions in the store now, where it counts them', unit: '{session}' })
    }
  } catch (failure) {
    return refuse('meter', meter, `it cannot make an instrument: ${failureCause(failure, 'it').message}`)
  }
}

type Listeners = Partial<Record<SessionEvent, (message: SessionMessage) => void>>

/** Hears of these sessions, and of no other ones in the process. Answers with what ends that. */
function listen (sessions: Sessions, listeners: Listeners): () => void {
  const heard = Object.entries(listeners).map(([event, tell]) => {
    const hear = (message: unknown) => { if (Sessions.isSourceOf(sessions, message)) tell(message as SessionMessage) }
    subscribe(`fastify-keep:${event}`, hear)
    return { event, hear }
  })
  return () => { for (const { event, hear } of heard) unsubscribe(`fastify-keep:${event}`, hear) }
}
