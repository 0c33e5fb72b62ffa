// `moveSessions`: a hook for the time after a change of library. Whoever comes with
// a cookie of the old one finds the same values in a new session, and the old one
// is gone: left alive, it would come back after the next logout.
import { inspect } from 'node:util'
import { Signer } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { boundStore } from './bounded-store.js'
import { DURATION_MEND, toMilliseconds } from './duration.js'
import { InvalidOptionError, NotCoveredError } from './errors.js'
import { hasOptedOut } from './opted-out.js'
import { isRecord } from './session-record.js'
import { SessionMap, type Session } from './session.js'
import type { Duration } from '../types/options.js'
import type { SessionStore } from '../types/store.js'

/** What the old library was told. */
export interface MoveOptions {
  /** Where the old sessions are: `fromExpressStore(store)`, of `fastify-keep/express-store`. */
  from: SessionStore
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
  storeTimeout?: Duration
}

/** A hook for `onRequest`. */
export type SessionMove = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

/**
 * An `onRequest` hook, added after the plugin, that turns sessions of
 * express-session or @fastify/session into sessions of this package, one by one as their
 * users come. The login comes along, though never as a fresh one. Throws an `InvalidOptionError` for options that cannot work.
 */
export function moveSessions (options: MoveOptions): SessionMove {
  const { from, cookieName, path = '/', domain, property = 'session', storeTimeout = '2s' } = options
  const signer = oldSigner(options.secret)
  const timeout = toMilliseconds(storeTimeout) ?? refuse('storeTimeout', inspect(storeTimeout), DURATION_MEND)
  if (typeof from?.read !== 'function' || typeof from.destroy !== 'function') refuse('from', inspect(from, { depth: -1 }), 'give fromExpressStore(store), with the store that holds the old sessions')
  if (typeof cookieName !== 'string' || cookieName === '') refuse('cookieName', inspect(cookieName), "give the old cookie's name, such as 'connect.sid'")
  const old = boundStore(from, timeout, () => {})

  return async function moveSession (request, reply) {
    const oldId = openOld(signer, request.cookies[cookieName])
    if (oldId === null || hasOptedOut(request)) return
    const session = (request as unknown as Record<string, Session | null | undefined>)[property]
    if (session === null || session === undefined) throw new NotCoveredError(property, 'register the session plugin before this hook')
    const record: unknown = await old.read(oldId)
    if (!isRecord(record)) return
    // whoever logged in anew meanwhile has no use for it
    if (session.isNew && SessionMap.adopt(session, record)) await session.save()
    await old.destroy(oldId)
    reply.clearCookie(cookieName, { path, ...(domain !== undefined && { domain }) })
  }
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
