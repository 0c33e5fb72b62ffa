// Routes that want no session.
import type { FastifyRequest } from 'fastify'

/** Whether the request's route said `config: { session: false }`: then the store is left alone, and looking at the session is a mistake. */
export function hasOptedOut (request: FastifyRequest): boolean {
  return (request.routeOptions.config as { session?: boolean } | undefined)?.session === false
}
