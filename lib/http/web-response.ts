// A web `Response` as the payload of a reply. Fastify copies its status and its
// headers to the reply only after every onSend hook.
import type { FastifyReply } from 'fastify'

/** What Fastify takes for a web `Response`, by the same test. */
export function isWebResponse (payload: unknown): payload is { readonly status?: unknown } {
  return typeof payload === 'object' && Object.prototype.toString.call(payload) === '[object Response]'
}

/** The status that will be sent. */
export function sentStatus (reply: FastifyReply, payload: unknown): number {
  return isWebResponse(payload) && typeof payload.status === 'number' ? payload.status : reply.statusCode
}
