import type { FastifyReply, FastifyRequest } from 'fastify'

/** Whether no header can be added any more. A WebSocket takes over the connection of its request: the response of a hijacked upgrade is never written. */
export function areHeadersSent (request: FastifyRequest, reply: FastifyReply): boolean {
  const { upgrade } = request.raw as { upgrade?: boolean }
  return reply.raw.headersSent || (upgrade === true && reply.sent)
}
