// Warnings that an operator must see even where no logger is set up, once each.
import cluster from 'node:cluster'
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

/** A full MemoryStore drops sessions that live. Of a visitor's loss and of a user's the process is told apart. */
export function warnEvicted (generation: number): void {
  if (generation === 0) {
    warnOnce('FST_KEEP_EVICTED', 'fastify-keep: the MemoryStore is full and drops sessions of visitors who have not logged in (never regenerated); limit requests by address before a session is stored, raise maxSessions or maxBytes, or use a store outside the process')
  } else {
    warnOnce('FST_KEEP_EVICTED_USERS', 'fastify-keep: THE MEMORYSTORE IS FULL AND LOGS OUT USERS: no sessions of visitors are left to drop; raise maxSessions or maxBytes, or use a store outside the process')
  }
}

/** Each process has a MemoryStore of its own: a user is logged in by one and unknown to the next. */
export function warnManyProcesses (): void {
  const { pm_id: pm2, NODE_APP_INSTANCE: instance } = process.env
  if (!cluster.isWorker && pm2 === undefined && instance === undefined) return
  const where = cluster.isWorker ? 'a cluster worker' : 'a process that a process manager started'
  warnOnce('FST_KEEP_MEMORY_STORE_PER_PROCESS', `fastify-keep: the MemoryStore is used in ${where}; other processes cannot see its sessions, and a restart loses them: with more than one process use a store they share, such as RedisStore`)
}
