// What happens to sessions, counted and published on `node:diagnostics_channel`
// as `fastify-keep:<event>`. No message carries a token or a secret.
import { channel } from 'node:diagnostics_channel'
import type { EndListener, EndReason } from '../types/store.js'
import { Message } from './message.js'

/** What can happen to a session. */
export type SessionEvent = 'created' | 'loaded' | 'saved' | 'regenerated' | 'rotated' | 'reauthenticated' | 'destroyed' | 'expired' | 'evicted' | 'rejected' | 'denied' | 'conflict' | 'store-error'

/**
 * Why a cookie opened no session. `'late'`: the session has ended, or given out a newer cookie. `'ambiguous'`: a request brought two live sessions
 * under one name. `'too-many'`: it brought more cookies of that name than are tried.
 */
export type RejectionReason = 'malformed' | 'bad-signature' | 'unknown' | 'late' | 'corrupt' | 'ambiguous' | 'too-many'

/** How it was seen that a request comes from elsewhere: its `Sec-Fetch-Site` says so, or it has none and its `Origin` is another one. */
export type ForeignReason = 'cross-site' | 'same-site' | 'foreign-origin'

/**
 * Why a request was turned away. By a guard: nothing was stored, a key was absent, the login was too old, the function
 * answered anything but `true`, or it failed. By `crossSite`: see `ForeignReason`. `'validate-failed'`: the option `validate` could
 * not decide. `'limit'`: a login beyond `maxPerOwner`, where `onLimit` refuses.
 */
export type DenialReason = 'no-session' | 'missing-key' | 'stale-login' | 'predicate' | 'failed' | 'validate-failed' | 'limit' | ForeignReason

/** What a subscriber of `fastify-keep:<event>` is told. */
export interface SessionMessage {
  /** The public handle; `null` where none is known, as with a malformed cookie. */
  readonly sessionId: string | null
  /** With `regenerated`: the id it had before, `null` when it had none. */
  readonly previousId?: string | null
  /**
   * Why a session ended, in the one message that says so: `destroyed` (`'logout'`, `'revoked'`, `'limit'`, `'invalid'`), `expired`, `evicted`, and `regenerated`, where
   * `previousId` was `'replaced'`. With `rejected` and `denied`, why those.
   */
  readonly reason?: EndReason | RejectionReason | DenialReason
  /** With `store-error`. */
  readonly error?: Error
}

const channels = {
  created: channel('fastify-keep:created'),
  loaded: channel('fastify-keep:loaded'),
  saved: channel('fastify-keep:saved'),
  regenerated: channel('fastify-keep:regenerated'),
  rotated: channel('fastify-keep:rotated'),
  reauthenticated: channel('fastify-keep:reauthenticated'),
  destroyed: channel('fastify-keep:destroyed'),
  expired: channel('fastify-keep:expired'),
  evicted: channel('fastify-keep:evicted'),
  rejected: channel('fastify-keep:rejected'),
  denied: channel('fastify-keep:denied'),
  conflict: channel('fastify-keep:conflict'),
  'store-error': channel('fastify-keep:store-error')
} satisfies Record<SessionEvent, unknown>

/** Tells the subscribers. `source` is the registration's events, or a store. */
export function publish (source: object, event: SessionEvent, sessionId: string | null, more?: Omit<SessionMessage, 'sessionId'>): void {
  if (channels[event].hasSubscribers) channels[event].publish(Message.from(source, { sessionId, ...more } satisfies SessionMessage))
}

/** What one registration has seen since it started. */
export interface SessionCounts {
  /** Sessions stored for the first time. */
  created: number
  /** Sessions read from the store. */
  loaded: number
  /** Changes written to a session that was stored before. */
  saved: number
  /** Logins over a stored session: `regenerate`. */
  regenerated: number
  /** Sessions that got a new cookie by `rotate`. */
  rotated: number
  /** Sessions that got a new cookie by `reauthenticated`. */
  reauthenticated: number
  /** Sessions ended before their time, by `destroy` or because nothing was left in them. */
  destroyed: number
  /** Sessions found to be past a deadline. */
  expired: number
  /** Cookies that opened no session, and records that could not be read. */
  rejected: number
  /** Requests that were turned away: by a guard, by `crossSite`, because `validate` failed, or because their user had too many sessions. */
  denied: number
  /** Steps that found the session changed by another request, and were tried again over what that had stored. */
  conflicts: number
  /** Calls of the store that failed, took too long or were answered with nonsense. */
  storeErrors: number
}

/** Counts the events of one registration, and publishes them. */
export class SessionEvents {
  readonly counts: SessionCounts = {
    created: 0, loaded: 0, saved: 0, regenerated: 0, rotated: 0, reauthenticated: 0, destroyed: 0, expired: 0, rejected: 0, denied: 0, conflicts: 0, storeErrors: 0
  }

  /** Told of every session that this registration ends. */
  onEnd: EndListener | null = null

  emit (event: Exclude<SessionEvent, 'evicted'>, sessionId: string | null, more?: Omit<SessionMessage, 'sessionId'>): void {
    this.counts[nameOfCount(event)]++
    if (channels[event].hasSubscribers) publish(this, event, sessionId, more)
    const endedId = event === 'destroyed' ? sessionId : event === 'regenerated' ? more?.previousId : null
    if (endedId && more?.reason !== undefined) this.onEnd?.(endedId, more.reason as EndReason)
  }
}

function nameOfCount (event: Exclude<SessionEvent, 'evicted'>): keyof SessionCounts {
  if (event === 'conflict') return 'conflicts'
  return event === 'store-error' ? 'storeErrors' : event
}
