// What `app.sessions.issue` takes beside the values, checked.
import { inspect } from 'node:util'
import { InvalidArgumentError } from '../errors.js'
import { lifetimeChange, type LifetimeChange } from '../session/arguments.js'
import type { SessionState } from '../session/session-state.js'
import { refuseOtherOptions } from './listed-session.js'

/** What `app.sessions.issue(values, options)` takes; everything has a default. */
export interface IssueOptions {
  /** When the user logged in, in milliseconds since the epoch: for a session of a given age. Default: now. */
  createdAt?: number
  /** A lifetime of its own, as `session.lifetime()` takes it. Default: that of the options. */
  lifetime?: LifetimeChange
}

/** Begins the session in the state. Throws an `InvalidArgumentError` for options that cannot work, and for a session that would have expired already. */
export function beginIssued (state: SessionState, entries: ReadonlyArray<[key: string, value: unknown]>, options: IssueOptions): void {
  refuseOtherOptions('issue()', options, ['createdAt', 'lifetime'])
  const { createdAt, lifetime } = options
  if (createdAt !== undefined && !(Number.isSafeInteger(createdAt) && createdAt > 0)) throw new InvalidArgumentError('sessions.issue()', `createdAt ${inspect(createdAt)}`, 'give milliseconds since the epoch, such as Date.now() - 600_000')
  state.issue(entries, createdAt ?? null)
  if (lifetime !== undefined) state.setLifetime(lifetimeChange(lifetime, state.lifetime))
  if (createdAt !== undefined && createdAt + state.lifetime.absolute <= state.now()) {
    throw new InvalidArgumentError('sessions.issue()', `createdAt ${createdAt}`, `a session lives for ${state.lifetime.absolute} ms at most; give a later time, or a longer lifetime`)
  }
}
