// Warnings that an operator must see even where no logger is set up, once each.
import cluster from 'node:cluster'
import type { FastifyRequest } from 'fastify'
import processWarning, { type WarningItem } from 'process-warning'
import type { SessionStore } from '../types/store.js'

const { createWarning } = processWarning
const warnings = new Map<string, WarningItem>()

/** Warns the process once, and through it everybody who watches stderr; false when it was warned before. */
function warnOnce (code: string, message: string): boolean {
  const warning = warnings.get(code) ?? createWarning({ name: 'Warning', code, message: '%s' })
  warnings.set(code, warning)
  return warning(message)
}

/** A Secure cookie goes to a browser that may be on plain http and would then drop it. */
export function warnInsecure (request: FastifyRequest): void {
  const forwarded = isForwardedHttps(request)
    ? 'The request came through a proxy that spoke https (x-forwarded-proto: https): set the Fastify option trustProxy.'
    : "If a proxy in front speaks https, set the Fastify option trustProxy and let it send x-forwarded-proto; without https, use cookie.secure: 'auto'."
  const message = `fastify-keep: the session cookie is marked Secure, but the request looks like plain http, where browsers drop it. ${forwarded}`
  if (warnOnce('FST_KEEP_INSECURE_COOKIE', message)) warnInLog(request, message)
}

/** Changes were never saved: each time a line in the log, the first time a warning. The reply was hijacked or written raw. */
export function warnUnsaved (request: FastifyRequest): void {
  const message = 'fastify-keep: the response was sent without saving the session, and its changes are lost; after reply.hijack() or raw writes call `await session.save()` before the headers are sent'
  warnOnce('FST_KEEP_UNSAVED_SESSION', message)
  warnInLog(request, message)
}

/** A change that no save follows: each time a line in the log that says where, the first time a warning. */
export function warnLate (request: FastifyRequest, place: string): void {
  const message = `fastify-keep: the session was changed at ${place}, too late to be saved with the response, and the change is lost; change it before the response is sent, or call \`await session.save()\``
  warnOnce('FST_KEEP_LATE_CHANGE', message)
  warnInLog(request, message)
}

/** With `secure: 'auto'` a proxy that speaks https goes unnoticed until Fastify is told to trust it, and the cookie is sent without Secure. */
export function warnUntrustedProxy (request: FastifyRequest): void {
  // Fastify has `ips` exactly where `trustProxy` is set; then it has judged the header itself
  if (request.ips !== undefined || !isForwardedHttps(request)) return
  const message = 'fastify-keep: the session cookie is sent without Secure, although the request came through a proxy that spoke https (x-forwarded-proto: https): set the Fastify option trustProxy, or cookie.secure: true.'
  if (warnOnce('FST_KEEP_UNTRUSTED_PROXY', message)) warnInLog(request, message)
}

/** Behind a proxy that Fastify was not told to trust, the app's own pages look like those of another origin. */
export function warnUntrustedOrigin (request: FastifyRequest): void {
  const { headers } = request
  if (request.ips !== undefined || (headers['x-forwarded-proto'] ?? headers['x-forwarded-host'] ?? headers['forwarded']) === undefined) return
  const message = "fastify-keep: a request was denied because its Origin is not that of the app. It came through a proxy: if the page is the app's own, set the Fastify option trustProxy and let the proxy send x-forwarded-proto and x-forwarded-host, or name the app's public origin in trustedOrigins."
  if (warnOnce('FST_KEEP_UNTRUSTED_ORIGIN', message)) warnInLog(request, message)
}

/** A logger threw; what it was to write is said here. */
export function warnLogFailed (line: string): void {
  warnOnce('FST_KEEP_LOG_FAILED', `fastify-keep: the logger threw instead of writing a line: ${line}`)
}

/** The app's own meter or tracer threw; the request goes on. */
export function warnTelemetryFailed (failure: string): void {
  warnOnce('FST_KEEP_TELEMETRY_FAILED', `fastify-keep: the meter or the tracer given to sessionTelemetry threw, and what it was given is not measured: ${failure}`)
}

/** The warning was given already, so a logger that throws loses nothing. */
function warnInLog (request: FastifyRequest, message: string): void {
  try {
    request.log.warn(message)
  } catch {
    warnLogFailed(message)
  }
}

/** Several proxies make a list; the first entry is the one that spoke to the browser. */
function isForwardedHttps ({ headers }: FastifyRequest): boolean {
  return /^\s*https\s*(,|$)/i.test(String(headers['x-forwarded-proto'] ?? ''))
}

/** A cookie whose path the request lies outside of: it will not come back to where it was made. */
export function warnOutsideOfPath (request: FastifyRequest, path: string): void {
  const message = `fastify-keep: a session was stored in a request outside of cookie.path '${path}'. Browsers send the cookie only below that path, so the same address will not find the session again. Use a cookie.path that all of its routes lie below, such as '/'. If a proxy in front adds the path, this is fine.`
  if (warnOnce('FST_KEEP_OUTSIDE_OF_PATH', message)) request.log.warn(message)
}

/** A cookie that the browser does not store, for the page that asked belongs to another site. */
export function warnCrossSite (request: FastifyRequest, sameSite: string): void {
  const message = `fastify-keep: a page of another site asked for this answer (sec-fetch-site: cross-site), and browsers do not store its session cookie with sameSite '${sameSite}'. Either serve both from one site, such as app.example.com and api.example.com, or use cookie: { sameSite: 'none', secure: true }, and in the page fetch(url, { credentials: 'include' }).`
  if (warnOnce('FST_KEEP_CROSS_SITE_COOKIE', message)) request.log.warn(message)
}

/** A cookie in a response that shared caches may give to others. */
export function warnPublicAnswer (request: FastifyRequest): void {
  const message = "fastify-keep: a response marked for shared caches (Cache-Control: public or s-maxage) sets the session cookie; a cache could give one user's session to another. Do not change the session there, or use Cache-Control: private."
  if (warnOnce('FST_KEEP_PUBLIC_COOKIE', message)) request.log.warn(message)
}

/** A guard does not recognise its own login page, and a redirect there would never end. */
export function warnLoginLoop (request: FastifyRequest): void {
  const message = "fastify-keep: a guard's redirectTo leads back to a page that the guard itself covers, so the answer is the error and no redirect; give redirectTo the login page's path as the app's router sees it, or name that path in the guard's option except"
  if (warnOnce('FST_KEEP_LOGIN_LOOP', message)) request.log.warn(message)
}

/** A full MemoryStore drops sessions that live. Of a visitor's loss and of a user's the process is told apart. */
export function warnEvicted (generation: number): void {
  if (generation === 0) {
    warnOnce('FST_KEEP_EVICTED', 'fastify-keep: the MemoryStore is full and drops sessions of visitors who have not logged in (never regenerated); limit requests by address before a session is stored, raise maxSessions or maxBytes, or use a store outside the process')
  } else {
    warnOnce('FST_KEEP_EVICTED_USERS', 'fastify-keep: THE MEMORYSTORE IS FULL AND LOGS OUT USERS: no sessions of visitors are left to drop; raise maxSessions or maxBytes, or use a store outside the process')
  }
}

/** Somebody who planted the session knows its cookie, and is logged in with the user (session fixation). */
export function warnOwnerPlanted (key: string): void {
  warnOnce('FST_KEEP_OWNER_WITHOUT_REGENERATE', `fastify-keep: '${key}', by which sessions are listed, was set on a session that was stored before; everybody who knows its cookie is logged in, too: call session.regenerate() before session.set('${key}', …)`)
}

/** A store whose steps are atomic in one process only, where there are probably more: a user is logged in by one and unknown to the next, or a logout is undone. */
export function warnPerProcess ({ atomicAcross, durable }: SessionStore): void {
  const { pm_id: pm2, NODE_APP_INSTANCE: instance } = process.env
  if (atomicAcross !== 'process' || (!cluster.isWorker && pm2 === undefined && instance === undefined)) return
  const where = cluster.isWorker ? 'a cluster worker' : 'a process that a process manager started'
  const restart = durable === true ? '' : ', and a restart may lose them'
  warnOnce('FST_KEEP_STORE_PER_PROCESS', `fastify-keep: the store keeps its promises within one process, and this is ${where}: others do not see its sessions, or undo each other's changes, rotations and logouts${restart}; with more than one process use a store that they share, such as SqliteStore on one machine, PostgresStore or RedisStore`)
}
