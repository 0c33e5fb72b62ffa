// `requireSession`: one hook that lets a request through only with the session it
// asks for. It covers what it is added to: the app, a scope, one route. Whatever
// fails in here, nobody is let through.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isPromise } from '../awaitable.js'
import { GuardFailedError, NotCoveredError, SessionRequiredError, StaleLoginError } from '../errors.js'
import type { DenialReason } from '../events.js'
import { failureCause, isError } from '../failure-cause.js'
import { isExempt } from './exempt-paths.js'
import { resolveGuard, type GuardOptions, type GuardSettings, type SessionPredicate } from './guard-options.js'
import { isNavigation, isPreflight } from './navigation.js'
import { abandon } from './finish-hook.js'
import { hasOptedOut, isOutsideWalls, rememberGuard } from './opted-out.js'
import { SessionMap, type Session } from '../session/session.js'
import { Sessions } from './sessions.js'
import { warnLoginLoop } from '../warnings.js'
import type { SessionData, SessionKey } from '../../types/session-data.js'
import type { Awaitable } from '../../types/store.js'

/** A request of Fastify on HTTP/1 or HTTP/2. */
export type GuardedRequest = Pick<FastifyRequest, 'id' | 'method' | 'originalUrl'>

/** A reply of Fastify on HTTP/1 or HTTP/2. */
export type GuardedReply = Pick<FastifyReply, 'sent'>

/** A hook for `onRequest`, `preValidation` or `preHandler`, on HTTP/1 and HTTP/2. */
export type SessionGuard = (request: GuardedRequest, reply: GuardedReply, done: (error?: Error) => void) => void

type Done = Parameters<SessionGuard>[2]

/** Let it through, why not, or what failed. */
type Verdict = null | DenialReason | Error

/** Clocks of several machines differ a little: a login this far ahead of our clock was just now. */
const MAX_CLOCK_SKEW = 1000

/**
 * Lets a request through when its session has the key, or all of the keys, with a
 * value other than `null` and `false`; or when the predicate answers `true`. CORS preflights pass, and so do routes
 * with `config: { session: false }` unless the guard stands on the route itself, which is a `NotCoveredError`.
 * Throws an `InvalidOptionError` for options that cannot work.
 */
export function requireSession<Data = SessionData> (condition: SessionKey<NoInfer<Data>> | ReadonlyArray<SessionKey<NoInfer<Data>>> | SessionPredicate<Data>, options: GuardOptions = {}): SessionGuard {
  const guard = resolveGuard(condition, options)
  const hook: SessionGuard = function sessionGuard (anyRequest, anyReply, done) {
    const request = anyRequest as FastifyRequest
    const reply = anyReply as FastifyReply
    let verdict: Awaitable<Verdict>
    try {
      verdict = judge(guard, request, reply)
    } catch (error) {
      return done(errorOf(error))
    }
    if (isPromise(verdict)) answerLater(guard, request, reply, verdict, done)
    else answer(guard, request, reply, verdict, done)
  }
  rememberGuard(hook, guard.keys === null && guard.fresh === null ? null : guard.property)
  return hook
}

function judge (guard: GuardSettings, request: FastifyRequest, reply: FastifyReply): Awaitable<Verdict> {
  const session = sessionOf(guard, request)
  if (isLeftAlone(guard, request)) return null
  if (guard.noStore) reply.header('cache-control', 'no-store')
  if (guard.keys === null) return ask(guard, session, request)
  if (hasOptedOut(request)) throw new NotCoveredError(guard.property, 'the route opted out with config: { session: false }, and its guard needs the session')
  return hasAll(session, guard.keys) ? judgeAge(guard, session) : absence(session)
}

function sessionOf ({ property }: GuardSettings, request: FastifyRequest): Session {
  const session = (request as unknown as Record<string, Session | null | undefined>)[property]
  if (session !== null && session !== undefined) return session
  throw new NotCoveredError(property, 'register the session plugin before this guard, in the same scope or around it; a plugin of yours that registers it needs fastify-plugin')
}

function isLeftAlone ({ except, loginPage }: GuardSettings, request: FastifyRequest): boolean {
  return isPreflight(request) || isOutsideWalls(request) || isExempt(request, except) || loginPage?.isAskedForBy(request) === true
}

function ask (guard: GuardSettings, session: Session, request: FastifyRequest): Awaitable<Verdict> {
  try {
    const met = guard.predicate(session, request)
    return isPromise(met) ? hear(guard, session, met) : judgeAnswer(guard, session, met)
  } catch (failure) {
    return errorOf(failure)
  }
}

/** `await` takes the first answer of a thenable and no other. */
async function hear (guard: GuardSettings, session: Session, met: Promise<unknown>): Promise<Verdict> {
  try {
    return judgeAnswer(guard, session, await met)
  } catch (failure) {
    return errorOf(failure)
  }
}

function judgeAnswer (guard: GuardSettings, session: Session, met: unknown): Verdict {
  return met === true ? judgeAge(guard, session) : 'predicate'
}

/** A login of the future is none: the clock was set back. */
function judgeAge ({ fresh }: GuardSettings, session: Session): Verdict {
  if (fresh === null) return null
  const age = SessionMap.stateOf(session).now() - session.createdAt
  return age <= fresh && age >= -MAX_CLOCK_SKEW ? null : 'stale-login'
}

function hasAll (session: Session, keys: readonly string[]): boolean {
  return keys.every((key) => {
    const value: unknown = session.get(key as SessionKey)
    return value !== undefined && value !== null && value !== false
  })
}

function absence (session: Session): DenialReason {
  return session.isNew ? 'no-session' : 'missing-key'
}

/** Nobody but us would see what throws behind `done` from here. */
function answerLater (guard: GuardSettings, request: FastifyRequest, reply: FastifyReply, verdict: Promise<Verdict>, done: Done): void {
  verdict
    .then((known) => answer(guard, request, reply, known, done))
    .catch((error: unknown) => { reply.send(errorOf(error)) })
    .catch((error: unknown) => abandon(reply, error))
}

function answer (guard: GuardSettings, request: FastifyRequest, reply: FastifyReply, verdict: Verdict, done: Done): void {
  if (verdict === null) return done()
  const isFailure = typeof verdict !== 'string'
  announce(guard, request, isFailure ? 'failed' : verdict)
  if (isFailure) return done(verdict)
  const location = locationFor(guard, request)
  if (location !== null) reply.redirect(location, 302)
  else done(Object.assign(verdict === 'stale-login' ? new StaleLoginError() : new SessionRequiredError(), { statusCode: guard.statusCode }))
}

/** Where to send a browser that opens a page; `null` for everything else, and where it would run in a circle. */
function locationFor ({ loginPage }: GuardSettings, request: FastifyRequest): string | null {
  if (loginPage === null || !isNavigation(request)) return null
  const location = loginPage.locationFor(request)
  if (location === null) warnLoginLoop(request)
  return location
}

/** For Fastify `done()` and `done(null)`, and a hook that throws `undefined`, mean "go on": so every failure becomes an error. */
function errorOf (failure: unknown): Error {
  return isError(failure) ? failure : new GuardFailedError({ cause: failureCause(failure, "the guard's function") })
}

function announce ({ property }: GuardSettings, request: FastifyRequest, reason: DenialReason): void {
  const { [property]: session } = request as unknown as Record<string, Session>
  const { [`${property}s`]: sessions } = request.server as unknown as Record<string, Sessions>
  Sessions.deny(sessions as Sessions, hasOptedOut(request) ? null : session as Session, reason)
}
