// What `app.sessions` says of the sessions of a user, and takes to name one.
import { inspect } from 'node:util'
import { InvalidArgumentError } from '../errors.js'
import { isId } from '../record/token.js'
import { SessionMap, type Session } from '../session/session.js'
import type { OwnedSession } from '../store/owned-sessions.js'
import { unknownName } from '../unknown-names.js'
import type { SessionDescription } from '../../types/options.js'
import type { SessionLifetime } from '../../types/store.js'
import { descriptionOf } from './describe-request.js'

/** One session of a user, as a page may show it: nothing in it opens a session. */
export interface ListedSession {
  /** The public handle, for `revoke`. */
  readonly sessionId: string
  /** When its user logged in, or last proved who they are. Milliseconds since the epoch. */
  readonly createdAt: number
  /** When it was last used, to a tenth of its idle timeout. Near its absolute timeout it may have been later. */
  readonly lastSeenAt: number
  /** When it expires if nobody uses it. */
  readonly expiresAt: number
  /** Whether it is the one that was named as `current`. */
  readonly current: boolean
  /** What `describe` answered at the login; `null` when that was nothing. */
  readonly about: SessionDescription | null
}

/** Whose sessions: the value under `ownerKey`. A number and its text are the same owner. */
export type SessionOwner = string | number | bigint

/** A session, such as `request.session`, or its public handle. */
export type SessionHandle = Session | SessionMap<never> | string

/** The idle deadline follows from the last use. */
export function listedSession ({ id, record, about }: OwnedSession, defaults: SessionLifetime, current: readonly string[]): ListedSession {
  const { createdAt, expiresAt, lifetime } = record
  const lastSeenAt = Math.max(createdAt, expiresAt - (lifetime ?? defaults).idle)
  return { sessionId: id, createdAt, lastSeenAt, expiresAt, current: current.includes(id), about: descriptionOf(about) }
}

/** By the last use, then by the login. */
export function lastSeenFirst (one: ListedSession, other: ListedSession): number {
  return other.lastSeenAt - one.lastSeenAt || other.createdAt - one.createdAt
}

/** The id under which the named session is stored; none where it is not stored yet. */
export function idsNamed (call: string, options: object, name: string): string[] {
  if (!Object.hasOwn(options, name)) return []
  const handle = (options as Record<string, unknown>)[name]
  if (handle instanceof SessionMap) {
    const { stored } = SessionMap.stateOf(handle)
    return stored === null ? [] : [stored.id]
  }
  if (isId(handle)) return [handle]
  throw new InvalidArgumentError(`sessions.${call}`, `${name} ${inspect(handle, { depth: -1 })}`, 'give request.session, or the sessionId of one')
}

/** Nothing is ignored in silence: what a typo leaves out might end the wrong session. */
export function refuseOtherOptions (call: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw new InvalidArgumentError(`sessions.${call}`, inspect(options, { depth: -1 }), `give an object such as { ${known.join(', ')} }`)
  const unknown = unknownName(options, known)
  if (unknown !== null) throw new InvalidArgumentError(`sessions.${call}`, unknown.name, unknown.fix)
}
