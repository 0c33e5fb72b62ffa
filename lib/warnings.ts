// Warnings that an operator must see even where no logger is set up, once each.
import type { FastifyRequest } from 'fastify'

const given = new Set<string>()

/** Warns the process once, and through it whoever watches stderr; false when it was warned before. */
function warnOnce (code: string, message: string): boolean {
  if (given.has(code)) return false
  given.add(code)
  process.emitWarning(message, { code })
  return true
}

/** A Secure cookie goes to a browser that may be on plain http and would then drop it. */
export function warnInsecure (request: FastifyRequest): void {
  const forwarded = request.headers['x-forwarded-proto'] === 'https'
    ? 'The request came through a proxy that spoke https (x-forwarded-proto: https): set the Fastify option trustProxy.'
    : "If a proxy in front speaks https, set the Fastify option trustProxy and let it send x-forwarded-proto; without https, use cookie.secure: 'auto'."
  const message = `fastify-keep: the session cookie is marked Secure, but the request looks like plain http, where browsers drop it. ${forwarded}`
  if (warnOnce('FST_KEEP_INSECURE_COOKIE', message)) request.log.warn(message)
}

/** Changes were never saved: each time a line in the log, the first time a warning. The reply was hijacked or written raw. */
export function warnUnsaved (request: FastifyRequest): void {
  const message = 'fastify-keep: the response was sent without saving the session, and its changes are lost; after reply.hijack() or raw writes call `await session.save()` before the headers are sent'
  warnOnce('FST_KEEP_UNSAVED_SESSION', message)
  request.log.warn(message)
}

/** A guard does not recognise its own login page, and a redirect there would never end. */
export function warnLoginLoop (request: FastifyRequest): void {
  const message = "fastify-keep: a guard's redirectTo leads back to a page that the guard itself covers, so the answer is the error and no redirect; give redirectTo the login page's path as the app's router sees it, or name that path in the guard's option except"
  if (warnOnce('FST_KEEP_LOGIN_LOOP', message)) request.log.warn(message)
}
