// What the steps of a save share.
import type { SessionState } from '../session/session-state.js'
import type { SessionLog, StoreContext } from './store-context.js'

/** What a stored change means for the cookie of the response: `replace` sends one after a logout, `renew` only moves its lifetime. */
export type CookieAction = 'send' | 'replace' | 'renew' | 'clear' | 'none'

/** `ended`: the session had ended, and what the save sent is not stored. */
export type SaveResult = CookieAction | 'ended'

/** One session that is being saved. */
export interface Save {
  readonly context: StoreContext
  readonly state: SessionState
  readonly log: SessionLog
}
