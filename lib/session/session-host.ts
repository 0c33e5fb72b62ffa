// What stands behind a session: where it remembers its changes, and what acts at once for it.
import type { SessionCookieAttributes } from '../../types/options.js'
import type { SessionState } from './session-state.js'

/** Makes the new value of a key out of the one it has; `undefined` removes the key. */
export type ValueStep = (current: unknown) => unknown

export interface SessionHost {
  readonly state: SessionState
  overrideCookie (attributes: SessionCookieAttributes): void
  save (): Promise<boolean>
  reload (): Promise<void>
  update (key: string, step: ValueStep): Promise<unknown>
  take (key: string): Promise<unknown>
}
