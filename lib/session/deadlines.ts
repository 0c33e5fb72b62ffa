// When a session ends: by its record, what was changed and the time. The idle
// deadline is only moved when a tenth of the idle timeout has passed, so that
// reading costs no write.
import { renewedExpiresAt } from '../record/renewal.js'
import type { SessionLifetime, SessionRenewal } from '../../types/store.js'
import type { Layer } from './layer.js'
import type { StoredSession } from './layers.js'

/** The `createdAt` of a session that another library began. */
export const UNKNOWN_TIME = 0

/** One layer over what the store holds. */
export interface Draft {
  readonly stored: StoredSession | null
  readonly layer: Layer | null
  /** When the session was last used. */
  readonly usedAt: number
  /** The lifetime of a session that has none of its own. */
  readonly defaultLifetime: SessionLifetime
  /** Whether sessions are listed by their owners. */
  readonly isListed: boolean
}

/** The session's own lifetime; `null` while the options hold. */
export function ownLifetimeOf ({ stored, layer }: Draft): SessionLifetime | null {
  return layer?.lifetime !== undefined ? layer.lifetime : stored?.record.lifetime ?? null
}

export function lifetimeOf (draft: Draft): SessionLifetime {
  return ownLifetimeOf(draft) ?? draft.defaultLifetime
}

/** A session begins when it is stored, however long the handler took. */
export function createdAtOf ({ stored, layer }: Draft, now: number): number {
  if (layer?.isBackdated === true) return layer.beganAt as number
  return stored === null || typeof layer?.beganAt === 'number' ? now : stored.record.createdAt
}

/** The deadline that no activity moves. */
export function absoluteExpiresAtOf (draft: Draft, now: number): number {
  const { stored, layer } = draft
  const isUnchanged = layer === null || (layer.beganAt === null && layer.lifetime === undefined)
  if (stored !== null && isUnchanged) return stored.record.absoluteExpiresAt
  const createdAt = createdAtOf(draft, now)
  if (createdAt !== UNKNOWN_TIME) return createdAt + lifetimeOf(draft).absolute
  // whatever its lifetime becomes, a session of unknown age does not get older than it was allowed to
  return Math.min(now + lifetimeOf(draft).absolute, stored?.record.absoluteExpiresAt ?? Infinity)
}

/** The idle deadline of a session that begins now, or gets another lifetime. */
export function newExpiresAtOf (draft: Draft, now: number): number {
  return Math.min(now + lifetimeOf(draft).idle, absoluteExpiresAtOf(draft, now))
}

/** The renewal by the last use of a session that is stored. */
export function renewalOf ({ stored, usedAt, defaultLifetime, isListed }: Draft, now: number): SessionRenewal {
  const { lifetime, absoluteExpiresAt, owner } = (stored as StoredSession).record
  const { idle } = lifetime ?? defaultLifetime
  const atMost = Math.min(now + idle, absoluteExpiresAt)
  return {
    renewTo: Math.min(usedAt + idle, atMost),
    atMost,
    tolerance: Math.floor(idle / 10),
    ifLifetime: lifetime,
    ifAbsoluteExpiresAt: absoluteExpiresAt,
    ...(isListed && { ifOwner: owner })
  }
}

/** The renewal, or `null` while it is not due. */
export function dueRenewalOf (draft: Draft, now: number): SessionRenewal | null {
  const { record } = draft.stored as StoredSession
  const renewal = renewalOf({ ...draft, usedAt: Math.max(draft.usedAt, draft.layer?.touchedAt ?? 0) }, now)
  const moved = Math.abs((renewedExpiresAt(record, renewal) as number) - record.expiresAt)
  const isDue = typeof draft.layer?.touchedAt === 'number' ? moved > 0 : moved >= renewal.tolerance && moved > 0
  return isDue ? renewal : null
}

/** When the session ends if nobody uses it after this. */
export function expiresAtOf (draft: Draft, now: number): number {
  const { stored, layer } = draft
  if (stored === null || (layer !== null && (layer.beganAt !== null || layer.lifetime !== undefined))) return newExpiresAtOf(draft, now)
  const renewal = dueRenewalOf(draft, now)
  return renewal === null ? stored.record.expiresAt : renewedExpiresAt(stored.record, renewal) as number
}
