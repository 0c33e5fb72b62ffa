// Headers that are on their way, or have to be.
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Whether no header can be added any more. A WebSocket takes over the connection of its request: the response of a hijacked upgrade is never written. */
export function areHeadersSent (request: FastifyRequest, reply: FastifyReply): boolean {
  const { upgrade } = request.raw as { upgrade?: boolean }
  return reply.raw.headersSent || (upgrade === true && reply.sent)
}

/** What a reply has under these names, for one that goes on with `reply.raw`. */
export function copyToRaw (reply: FastifyReply, names: readonly string[]): void {
  if (reply.raw.headersSent) return
  for (const name of names) {
    const value = reply.getHeader(name)
    if (value !== undefined) reply.raw.setHeader(name, value as string | string[])
  }
}
