/** What is left of a session for a minute after its end, so that a late request is known for one. It holds no values. */
export interface EndedSession {
  /** When the session ended. Milliseconds since the epoch. */
  readonly endedAt: number
}

/**
 * Why a session ended: its user logged out or emptied it, somebody revoked it, its owner had too many, a login took its place, `validate` said that
 * it does not fit the request, a deadline came, or a bounded store had to drop it.
 */
export type EndReason = 'logout' | 'revoked' | 'limit' | 'replaced' | 'invalid' | 'expired' | 'evicted'

/** Is told the id of a session that has ended, and why where that is known. */
export type EndListener = (id: string, reason: EndReason | null) => void

/** When to end a record; with no condition, always. */
export interface EndCondition {
  /** Only at this generation. */
  readonly ifGeneration?: number
  /** Only at this version. */
  readonly ifVersion?: number
  /** Why it ends: no condition, but what a store with `onEnded` tells the listeners. */
  readonly reason?: EndReason
}

/** What became of a destroy: `'missing'` when there was no record to end, `'conflict'` when a condition did not hold. */
export type DestroyResult = 'done' | 'missing' | 'conflict'
