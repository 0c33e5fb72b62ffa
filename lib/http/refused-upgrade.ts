// An upgrade that is refused before any other hook has seen it. Node.js has given its connection
// away, and the plugin that would close it has not heard of the request yet.
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Closes the connection of an upgrade once its response is written. One that is accepted has none. */
export function closeAfterResponse ({ raw }: FastifyRequest, reply: FastifyReply): void {
  if ((raw as { upgrade?: boolean }).upgrade === true) reply.raw.once('finish', () => raw.socket.destroySoon())
}
