// `moveSessions`: a hook for the time after a change of library. A visitor who comes
// with a cookie of the old one finds the same values in a new session, and the old
// session ends: left alive, it would come back after the next logout.
import { inspect } from 'node:util'
import { Signer } from '@fastify/cookie'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { DURATION_FIX, toMilliseconds } from '../duration.js'
import { InvalidOptionError, NotCoveredError, StoreError } from '../errors.js'
import { hasOptedOut } from './opted-out.js'
import { safeCause } from '../store/safe-cause.js'
import { SessionMap, type Session } from '../session/session.js'
import { isForeign } from '../stores/express/express-record.js'
import { ExpressRows, type ExpressStore } from '../stores/express/express-rows.js'
import { foreignSession } from '../stores/express/foreign-session.js'
import { Turns } from '../stores/turns.js'
import { Sessions } from './sessions.js'
import type { Duration } from '../../types/options.js'

/** What the old library was told. */
export interface MoveOptions {
  /** The store with the old sessions, as the old library had it. */
  from: ExpressStore
  /** The old cookie: `'connect.sid'` by default in express-session, `'sessionId'` in @fastify/session. */
  cookieName: string
  /** The old secret, or every one that still opens. */
  secret: string | Uint8Array | ReadonlyArray<string | Uint8Array>
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
 * users come. The login moves too, though never as a fresh one. Throws an `InvalidOptionError` for options that cannot work.
 */
export function moveSessions (options: MoveOptions): SessionMove {
  refuseUnknown(options)
  const { from, cookieName, path = '/', domain, property = 'session', timeout = '2s' } = options
  const signer = oldSigner(options.secret)
  if (typeof cookieName !== 'string' || cookieName === '') refuse('cookieName', inspect(cookieName), "give the old cookie's name, such as 'connect.sid'")
  for (const [option, value] of Object.entries({ path, property, ...(domain !== undefined && { domain }) })) {
    if (typeof value !== 'string' || value === '') refuse(option, inspect(value), 'give a string that is not empty, or leave it out')
  }
  const patience = toMilliseconds(timeout) ?? refuse('timeout', inspect(timeout), DURATION_FIX)
  const rows = new ExpressRows('moveSessions from', from, patience)
  const turns = Turns.of(from)

  return async function moveSession (request, reply) {
    const oldId = openOld(signer, cookiesOf(request)[cookieName])
    if (oldId === null || hasOptedOut(request)) return
    const session = (request as unknown as Record<string, Session | null | undefined>)[property]
    if (session === null || session === undefined) throw new NotCoveredError(property, 'register the session plugin before this hook')
    // it would act with a session that it may not have
    if (Sessions.isForeign((request.server as unknown as Record<string, Sessions>)[`${property}s`] as Sessions, request)) return
    // of ten requests that come at once with one cookie, one moves it; the others find it moved
    const isMoved = await turns.take(oldId, patience, () => move(rows, oldId, session, request.log)).catch(failed)
    if (!isMoved) return
    // browsers let go of a __Host- or __Secure- cookie only if it is Secure (RFC 6265bis 4.1.3)
    reply.clearCookie(cookieName, { path, secure: request.protocol === 'https', ...(domain !== undefined && { domain }) })
  }
}

/**
 * Ends the old session, then takes its values over; false when there was none to end. In this order
 * nobody has two sessions. Where the new one cannot be stored the old one is put back.
 */
async function move (rows: ExpressRows, oldId: string, session: Session, log: FastifyBaseLogger): Promise<boolean> {
  const row = await rows.get(oldId)
  // a session of ours may be in the same store, and its id is no secret
  if (!isForeign(row)) return false
  const state = SessionMap.stateOf(session)
  const old = foreignSession(row, state.now())
  if (old === null) return false
  await rows.destroy(oldId)
  // the old library may still run somewhere, and may have written it again just now
  if (isForeign(await rows.get(oldId))) await rows.destroy(oldId)
  // a visitor who has logged in anew since has no use for it, nor has anybody for what has expired
  if (!session.isNew || old.expiresAt <= state.now()) return true
  try {
    state.adopt(old.entries, old.isPersistent)
    await session.save()
  } catch (error) {
    await rows.set(oldId, row).catch((cause: unknown) => {
      log.error({ reason: cause instanceof Error ? cause.message : 'none was given' }, 'an old session could be neither moved nor put back, and is lost')
    })
    throw error
  }
  return true
}

/** What the app asked for has its own error; the rest is the store's failure. */
function failed (cause: unknown): never {
  throw isTyped(cause) ? cause : new StoreError({ cause: safeCause('moveSessions from', cause) })
}

function isTyped (error: unknown): boolean {
  return String((error as { code?: unknown } | null | undefined)?.code).startsWith('FST_KEEP_')
}

const known = ['from', 'cookieName', 'secret', 'path', 'domain', 'property', 'timeout'] as const satisfies ReadonlyArray<keyof MoveOptions>

function refuseUnknown (options: unknown): void {
  if (typeof options !== 'object' || options === null) refuse('options', inspect(options, { depth: -1 }), 'give { from, cookieName, secret }')
  for (const name of Object.keys(options)) {
    if (!(known as readonly string[]).includes(name)) refuse(name, 'unknown', `the options are ${known.join(', ')}`)
  }
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
function oldSigner (secret: MoveOptions['secret']): Signer {
  const secrets = [secret].flat() as Array<string | Uint8Array>
  const areSecrets = secrets.length > 0 && secrets.every((each) => (typeof each === 'string' || each instanceof Uint8Array) && each.length > 0)
  return areSecrets ? new Signer(secrets.map((each) => typeof each === 'string' ? each : Buffer.from(each)) as string[]) : refuse('secret', `of type ${typeof secret}`, 'give the old secret, a string or a Buffer, or a list of them')
}

function refuse (option: string, value: string, hint: string): never {
  throw new InvalidOptionError(`moveSessions ${option}`, value, hint)
}
