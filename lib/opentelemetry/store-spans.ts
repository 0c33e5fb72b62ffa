// A span for each call of the store: a child of what is active where the call is made.
import { tracingChannel } from 'node:diagnostics_channel'
import { Sessions } from '../http/sessions.js'
import type { StoreCallMessage } from '../../types/store-call.js'
import { attempt } from './attempt.js'
import { callAttributes } from './call-attributes.js'
import type { SessionSpan, SessionTracer, TelemetryAttributes } from './meter-and-tracer.js'

/** The code of OpenTelemetry for what failed. */
const ERROR = 2

/** Traces the calls until the function that it returns is called. */
export function traceStore (tracer: SessionTracer, sessions: Sessions, attributes: TelemetryAttributes): () => void {
  const spans = new WeakMap<StoreCallMessage, SessionSpan>()

  const begin = (message: unknown) => {
    const call = message as StoreCallMessage
    if (!Sessions.isSourceOf(sessions, call)) return
    attempt(() => { spans.set(call, tracer.startSpan(`fastify-keep store.${call.function}`, { attributes: { ...attributes, ...callAttributes(call) } })) })
  }

  const finish = (message: unknown) => {
    const call = message as StoreCallMessage
    const span = spans.get(call)
    if (span === undefined || call.outcome === undefined) return
    spans.delete(call)
    attempt(() => { span.setAttributes(callAttributes(call)) })
    if (call.error !== undefined) attempt(() => { span.setStatus({ code: ERROR, message: describe(call.error as Error) }) })
    attempt(() => { span.end() })
  }

  const { start, end, asyncEnd } = tracingChannel<unknown, StoreCallMessage>('fastify-keep:store')
  start.subscribe(begin)
  end.subscribe(finish)
  asyncEnd.subscribe(finish)
  return () => {
    start.unsubscribe(begin)
    end.unsubscribe(finish)
    asyncEnd.unsubscribe(finish)
  }
}

/** The cause says what went wrong, without anything of the session. */
function describe ({ message, cause }: Error): string {
  return cause instanceof Error ? cause.message : message
}
