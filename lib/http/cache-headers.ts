// What caches between us and the browser have to know.
import type { FastifyReply } from 'fastify'

/** A response that sets the cookie must not be given to anybody else (ASVS 5.0, 14.3.2). What the app decided stays. */
export function forbidCaching (reply: FastifyReply): void {
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
  varyOnCookie(reply)
}

/** A response that looked at the session depends on the request's cookie (RFC 9110 12.5.5). */
export function varyOnCookie (reply: FastifyReply): void {
  const vary = reply.getHeader('vary')
  if (vary === undefined) {
    reply.header('vary', 'Cookie')
  } else if (!coversCookie(vary)) {
    reply.header('vary', `${String(vary)}, Cookie`)
  }
}

/** Whether the app told shared caches to keep the response (RFC 9111 5.2.2.9 and 5.2.2.10). */
export function isForSharedCaches (reply: FastifyReply): boolean {
  const control = reply.getHeader('cache-control')
  return control !== undefined && /(^|[,\s])(public|s-maxage\s*=)\s*/i.test(String(control))
}

/** Keeps `Cookie` in the reply's `Vary` whatever is written there later: Fastify copies a web `Response`'s headers over the reply's after onSend. */
export function keepVaryOnCookie (reply: FastifyReply): void {
  const { header } = reply
  reply.header = function (name, value) {
    header.call(this, name, value)
    if (String(name).toLowerCase() === 'vary') varyOnCookie(this)
    return this
  }
}

function coversCookie (vary: unknown): boolean {
  return /(^|,)\s*(cookie|\*)\s*(,|$)/i.test(String(vary))
}
