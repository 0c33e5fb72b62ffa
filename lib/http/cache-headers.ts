// What caches between us and the browser have to know.
import type { FastifyReply } from 'fastify'
import { isWebResponse } from './web-response.js'

/** A response that sets the cookie must not be given to anybody else (ASVS 5.0, 14.3.2). What the app decided stays. */
export function forbidCaching (reply: FastifyReply): void {
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
  addToVary(reply, 'Cookie')
}

/**
 * A response that depends on these headers of the request (RFC 9110 12.5.5). On a web `Response` they are kept whatever
 * is written later: Fastify copies its headers over the reply's after onSend.
 */
export function varyOn (reply: FastifyReply, payload: unknown, names: readonly string[]): void {
  if (!reply.hasHeader('vary')) reply.header('vary', names.join(', '))
  else for (const name of names) addToVary(reply, name)
  if (typeof payload === 'object' && isWebResponse(payload)) keepInVary(reply, names)
}

/** Whether the app told shared caches to keep the response (RFC 9111 5.2.2.9 and 5.2.2.10). */
export function isForSharedCaches (reply: FastifyReply): boolean {
  const control = reply.getHeader('cache-control')
  return control !== undefined && /(^|[,\s])(public|s-maxage\s*=)\s*/i.test(String(control))
}

function addToVary (reply: FastifyReply, name: string): void {
  const vary = reply.getHeader('vary')
  if (vary === undefined) {
    reply.header('vary', name)
  } else if (!covers(vary, name)) {
    reply.header('vary', `${String(vary)}, ${name}`)
  }
}

function keepInVary (reply: FastifyReply, names: readonly string[]): void {
  const { header } = reply
  let isAdding = false
  reply.header = function (name, value) {
    header.call(this, name, value)
    if (isAdding || String(name).toLowerCase() !== 'vary') return this
    isAdding = true
    for (const each of names) addToVary(this, each)
    isAdding = false
    return this
  }
}

function covers (vary: unknown, name: string): boolean {
  return String(vary).split(',').some((each) => [name.toLowerCase(), '*'].includes(each.trim().toLowerCase()))
}
