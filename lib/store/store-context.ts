// What loading and saving work with, made once for each registration.
import type { SessionEvents } from '../events.js'
import type { LineLog } from '../log-line.js'
import type { SessionSettings } from '../session/session-values.js'
import type { SessionOwners } from '../../types/owners.js'
import type { SessionStore } from '../../types/store.js'

export interface StoreContext {
  readonly settings: SessionSettings
  /** The store, with its failures typed and its time bounded. */
  readonly store: SessionStore
  /** Its lists of owners, where sessions are listed. */
  readonly owners: SessionOwners | null
  readonly events: SessionEvents
  /** What to do when a request's cookies open two sessions. */
  readonly onAmbiguousCookie: 'first' | 'refuse'
}

/** Where lines about one session go: the request's log, or the app's. */
export type SessionLog = LineLog
