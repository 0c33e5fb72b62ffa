// What the steps of a save share.
import type { SessionState } from '../session/session-state.js'
import type { SessionLog, StoreContext } from './store-context.js'

/** What the response has to do about the cookie; `renew` only moves its lifetime. */
export type CookieAction = 'send' | 'renew' | 'clear' | 'none'

/** One session that is being saved. */
export interface Save {
  readonly context: StoreContext
  readonly state: SessionState
  readonly log: SessionLog
}
