import type { Awaitable } from './awaitable.js'

/** A session that is to be listed under its owner. */
export interface OwnerEntry {
  /** From then on it counts no more. Milliseconds since the epoch. */
  readonly expiresAt: number
  /** Given: how many live sessions the owner may have, this one included. */
  readonly limit?: number
  /** What happens beyond the limit: those that expire soonest are marked (default), or this one is not added. */
  readonly onLimit?: 'end-oldest' | 'refuse'
  /** The session whose place this one takes: it does not count. */
  readonly replaces?: string
  /** True: not added where `replaces` is marked, for a session that is being ended has no successor. */
  readonly isSuccessor?: boolean
}

/** What became of `add`. */
export interface OwnerAddition {
  /** `'refused'` by the limit, or `'ended'` as the successor of a marked session; then nothing was added and nothing marked. */
  readonly result: 'done' | 'refused' | 'ended'
  /** Every marked session of the owner. The caller ends them, then removes them; some may be left from a process that died. */
  readonly marked: readonly string[]
}

/**
 * Lists the sessions of each owner, so that they can be shown, counted and ended. The lists are apart from the records, as
 * the two may lie on different machines: each function is one atomic step on one list. The steps are taken in an order
 * by which **a list may hold a session too many, never one too few**.
 *
 * What is listed is live until it expires, or marked: about to be ended. Nothing takes a mark back but `remove`, and no
 * deadline, so that what a process left undone when it died is found.
 */
export interface SessionOwners {
  /**
   * Lists the session, or gives it this deadline where it is listed. With a limit, the live ones are counted first, but for
   * this one and the one it replaces; of those that are too many the ones that expire soonest are marked.
   */
  add (owner: string, id: string, entry: OwnerEntry): Awaitable<OwnerAddition>
  /** Gives a listed session this deadline where it is a later one. `false`: it is not listed. */
  renew (owner: string, id: string, expiresAt: number): Awaitable<boolean>
  /** Marks every live session of the owner but these, and answers with every marked one. */
  mark (owner: string, except: readonly string[]): Awaitable<readonly string[]>
  /** Drops these from the list, marked or not. */
  remove (owner: string, ids: readonly string[]): Awaitable<void>
  /** The live ones, in any order. */
  list (owner: string): Awaitable<readonly string[]>
  /** Optional: like `open` of the store, but only where an app lists sessions by owner. */
  open? (): Awaitable<void>
}
