// When a session ends: by the record it has, the lifetime it was given and the
// time. The idle deadline is only moved when a tenth of the idle timeout has gone
// by, so that reading costs no write.
import { absoluteDeadline } from './own-lifetime.js'
import type { SessionState } from './session-state.js'

/** The deadline that no activity moves. */
export function absoluteExpiresAt ({ stored, status, lifetimeChanged, createdAt, lifetime }: SessionState): number {
  const isUnchanged = !lifetimeChanged && (status === 'kept' || status === 'rotated')
  return stored !== null && isUnchanged ? stored.record.absoluteExpiresAt : absoluteDeadline(createdAt, lifetime)
}

/** The deadline if the session is used now. */
export function expiresAtWhenUsed (state: SessionState): number {
  return Math.min(state.now() + state.lifetime.idle, absoluteExpiresAt(state))
}

/** The deadline that a save sets now. */
export function nextExpiresAt (state: SessionState): number {
  const renewed = expiresAtWhenUsed(state)
  const { stored, status, lifetimeChanged, touched, lifetime } = state
  if (stored === null || status !== 'kept' || lifetimeChanged || touched) return renewed
  const { expiresAt } = stored.record
  return renewed - expiresAt >= lifetime.idle / 10 ? renewed : expiresAt
}
