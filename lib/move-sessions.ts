// `moveSessions`: a hook for the time after a change of library. Whoever comes with
// a cookie of the old one finds the same values in a new session, and the old one
// is gone: left alive, it would come back after the next logout.
import { inspect } from 'node:util'
import { Signer } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { DURATION_MEND, toMilliseconds } from './duration.js'
import { InvalidOptionError, NotCoveredError, StoreError } from './errors.js'
import { hasOptedOut } from './opted-out.js'
import { isRecord } from './session-record.js'
import { safeCause } from './safe-cause.js'
import { SessionMap, type Session } from './session.js'
import { isForeign, recordOfRow } from './stores/express-record.js'
import { ExpressRows, type ExpressStore } from './stores/express-rows.js'
import type { Duration } from '../types/options.js'

/** What the old library was told. */
export interface MoveOptions {
  /** The store with the old sessions, as the old library had it. */
  from: ExpressStore
  /** The old cookie: `'connect.sid'` by default in express-session, `'sessionId'` in @fastify/session. */
  cookieName: string
  /** The old secret, or every one that still opens. */
  secret: string | readonly string[]
  /** The old cookie's path. Default `'/'`. */
  path?: string
  /** The old cookie's domain. Default none. */
  domain?: string
  /** The new session's property. Default `'session'`. */
  property?: string
  /** How long the old store may take for one answer. Default `'2s'`. */
  timeout?: Duration
}

/** A hook for `onRequest`. */
export type SessionMove = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

/**
 * An `onRequest` hook, added after the plugin, that turns sessions of
 * express-session or @fastify/session into sessions of this package, one by one as their
 * users come. The login comes along, though never as a fresh one. Throws an `InvalidOptionError` for options that cannot work.
 */
export function moveSessions (options: MoveOptions): SessionMove {
  const { from, cookieName, path = '/', domain, property = 'session', timeout = '2s' } = options
  const signer = oldSigner(options.secret)
  if (typeof cookieName !== 'string' || cookieName === '') refuse('cookieName', inspect(cookieName), "give the old cookie's name, such as 'connect.sid'")
  const rows = new ExpressRows('moveSessions from', from, toMilliseconds(timeout) ?? refuse('timeout', inspect(timeout), DURATION_MEND))

  return async function moveSession (request, reply) {
    const oldId = openOld(signer, cookiesOf(request)[cookieName])
    if (oldId === null || hasOptedOut(request)) return
    const session = (request as unknown as Record<string, Session | null | undefined>)[property]
    if (session === null || session === undefined) throw new NotCoveredError(property, 'register the session plugin before this hook')
    const row = await rows.get(oldId).catch(failed)
    // a session of ours may be in the same store, and its id is no secret
    if (!isForeign(row)) return
    const record = recordOfRow(row, SessionMap.now(session))
    if (!isRecord(record)) return
    // whoever logged in anew meanwhile has no use for it
    if (session.isNew && SessionMap.adopt(session, record)) await session.save()
    await rows.destroy(oldId).catch(failed)
    // browsers let go of a __Host- or __Secure- cookie only if it is Secure (RFC 6265bis 4.1.3)
    reply.clearCookie(cookieName, { path, secure: request.protocol === 'https', ...(domain !== undefined && { domain }) })
  }
}

function failed (cause: unknown): never {
  throw new StoreError({ cause: safeCause('moveSessions from', cause) })
}

/** @fastify/cookie may have been told to parse later than in `onRequest`. */
function cookiesOf ({ cookies, headers, server }: FastifyRequest): Record<string, string | undefined> {
  return (cookies as typeof cookies | null) ?? server.parseCookie(headers.cookie ?? '')
}

/** The old session's id, if the old library signed it. express-session writes `s:` in front. */
function openOld (signer: Signer, cookie: string | undefined): string | null {
  if (cookie === undefined) return null
  const { valid, value } = signer.unsign(cookie.startsWith('s:') ? cookie.slice(2) : cookie)
  return valid ? value : null
}

/** Old secrets may be short; it is too late to ask for more. */
function oldSigner (secret: string | readonly string[]): Signer {
  const secrets = [secret].flat() as string[]
  const areStrings = secrets.length > 0 && secrets.every((each) => typeof each === 'string' && each !== '')
  return areStrings ? new Signer(secrets) : refuse('secret', `of type ${typeof secret}`, 'give the old secret, or a list of them')
}

function refuse (option: string, value: string, mend: string): never {
  throw new InvalidOptionError(`moveSessions ${option}`, value, mend)
}
