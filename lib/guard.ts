// `requireSession`: one hook that lets a request through only with the session it
// asks for. On the whole app it is a wall, in a plugin's scope a shield, on one
// route a guard. Whatever goes wrong in here, nobody is let through.
import { inspect } from 'node:util'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { andThen, isPromise } from './awaitable.js'
import { DURATION_MEND, toMilliseconds } from './duration.js'
import { InvalidOptionError, NotCoveredError, SessionRequiredError, StaleLoginError } from './errors.js'
import { withReturnPath } from './return-path.js'
import { SessionMap, type Session } from './session.js'
import type { Duration } from '../types/options.js'
import type { SessionKey } from '../types/session-data.js'
import type { Awaitable } from '../types/store.js'

/** Decides by the session, and if need be the request, whether to let it through. */
export type SessionPredicate = (session: Session, request: FastifyRequest) => boolean | Promise<boolean>

/** How a guard treats those it turns away. */
export interface GuardOptions {
  /** The status of the error. Default 401. */
  statusCode?: number
  /**
   * Where a browser is sent instead, usually the login page; the page itself is
   * never guarded. A GET carries the way back as `?returnTo=`, to be read with
   * `returnPath`. Requests that accept no HTML get the error.
   */
  redirectTo?: string
  /** How young the login has to be, by `createdAt`: for what ASVS 5.0, 7.5.1 and 7.5.3 ask to log in again for. */
  fresh?: Duration
  /** The session's property, where it is not `'session'`. */
  property?: string
}

/** A hook for `onRequest`, `preValidation` or `preHandler`. */
export type SessionGuard = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void

interface Guard {
  readonly isMet: (session: Session, request: FastifyRequest) => Awaitable<boolean>
  readonly fresh: number
  readonly statusCode: number
  readonly redirectTo: string | undefined
  readonly property: string
}

/**
 * Lets a request through when its session has the key, or all of the keys, with a
 * value other than `null` and `false`; or when the predicate says so.
 * Throws an `InvalidOptionError` for options that cannot work.
 */
export function requireSession<K extends SessionKey> (condition: K | readonly K[] | SessionPredicate, options: GuardOptions = {}): SessionGuard {
  const guard = resolveGuard(condition, options)
  return function sessionGuard (request, reply, done) {
    let refusal: Awaitable<Error | null>
    try {
      refusal = judge(guard, request)
    } catch (error) {
      return done(error as Error)
    }
    if (isPromise(refusal)) refusal.then((error) => answer(guard, request, reply, error, done), done)
    else answer(guard, request, reply, refusal, done)
  }
}

/** The error to turn the request away with, or `null`. */
function judge (guard: Guard, request: FastifyRequest): Awaitable<Error | null> {
  const session = (request as unknown as Record<string, Session | null | undefined>)[guard.property]
  if (session === null || session === undefined) {
    throw new NotCoveredError(guard.property, 'register the session plugin before this guard')
  }
  if (guard.redirectTo !== undefined && isPage(request, guard.redirectTo)) return null
  return andThen(guard.isMet(session, request), (met) => {
    if (met !== true) return new SessionRequiredError()
    return SessionMap.ageOf(session) > guard.fresh ? new StaleLoginError() : null
  })
}

function answer ({ redirectTo, statusCode }: Guard, request: FastifyRequest, reply: FastifyReply, error: Error | null, done: (error?: Error) => void): void {
  if (error === null) return done()
  if (redirectTo === undefined || !acceptsPages(request)) return done(Object.assign(error, { statusCode }))
  const canReturn = request.method === 'GET' || request.method === 'HEAD'
  reply.redirect(canReturn ? withReturnPath(redirectTo, request.originalUrl) : redirectTo, canReturn ? 302 : 303)
}

/** By the matched route, never by the raw URL, which can be written in many ways. */
function isPage (request: FastifyRequest, address: string): boolean {
  return request.routeOptions.url === address.split(/[?#]/, 1)[0]
}

/** A browser that opens a page says so; a script that asks for JSON would not know what to do with one. */
function acceptsPages ({ headers: { accept } }: FastifyRequest): boolean {
  return accept === undefined || /text\/html|\*\/\*/i.test(accept)
}

function resolveGuard<K extends SessionKey> (condition: K | readonly K[] | SessionPredicate, options: GuardOptions): Guard {
  const { statusCode = 401, redirectTo, fresh, property = 'session' } = options
  if (!Number.isInteger(statusCode) || statusCode < 400 || statusCode > 599) refuse('statusCode', statusCode, 'give a status from 400 to 599')
  if (redirectTo !== undefined && (typeof redirectTo !== 'string' || redirectTo === '')) refuse('redirectTo', redirectTo, "give an address such as '/login'")
  return {
    isMet: typeof condition === 'function' ? condition : hasAll([condition].flat() as K[]),
    fresh: fresh === undefined ? Infinity : toMilliseconds(fresh) ?? refuse('fresh', fresh, DURATION_MEND),
    statusCode,
    redirectTo,
    property
  }
}

function hasAll<K extends SessionKey> (keys: readonly K[]): Guard['isMet'] {
  if (keys.length === 0 || keys.some((key) => typeof key !== 'string')) refuse('condition', keys, 'give a key, a list of keys or a function')
  return (session) => keys.every((key) => {
    const value: unknown = session.get(key)
    return value !== undefined && value !== null && value !== false
  })
}

function refuse (option: string, value: unknown, mend: string): never {
  throw new InvalidOptionError(`requireSession ${option}`, inspect(value), mend)
}
