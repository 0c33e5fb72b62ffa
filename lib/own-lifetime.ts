// A session's own lifetime, and from when its absolute timeout runs: from the
// session's beginning, or, where another library began it and nobody knows when,
// from the first time it was given a lifetime here. Without that fixed point every
// call of `lifetime({ absolute })` would move the limit on.
import type { SessionLifetime } from '../types/store.js'

/** The `createdAt` of a session that another library began. */
export const UNKNOWN = 0

/** What the lifetime of a session is based on. */
export interface LifetimeBasis {
  readonly createdAt: number
  /** This session's own lifetime so far; `null` while the options hold. */
  readonly own: SessionLifetime | null
  /** What the options say. */
  readonly options: SessionLifetime
  readonly now: number
}

/** The lifetime after a change; what is left out stays as it is. */
export function changedLifetime ({ createdAt, own, options, now }: LifetimeBasis, change: Partial<SessionLifetime>): SessionLifetime {
  const current = own ?? options
  const { idle = current.idle, absolute = current.absolute, persistent = current.persistent } = change
  const changed = { idle, absolute, persistent }
  if (createdAt !== UNKNOWN) return changed
  // before there was `from`, `absolute` held the deadline itself
  if (own !== null && own.from === undefined && change.absolute === undefined) return changed
  return { ...changed, from: own?.from ?? now }
}

/** The deadline that no activity moves. */
export function absoluteDeadline (createdAt: number, { absolute, from = createdAt }: SessionLifetime): number {
  return from + absolute
}
