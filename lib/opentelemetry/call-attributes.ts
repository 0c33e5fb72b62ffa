import type { StoreCallMessage } from '../../types/store-call.js'
import type { TelemetryAttributes } from './meter-and-tracer.js'

/** What a call of the store was, and what became of it. */
export function callAttributes ({ function: name, outcome, error }: StoreCallMessage): TelemetryAttributes {
  return {
    'fastify_keep.function': name,
    ...(outcome !== undefined && { 'fastify_keep.outcome': outcome }),
    ...(error !== undefined && { 'error.type': String((error as { code?: unknown }).code) })
  }
}
