// Which session a request has, when its cookies open more than one.
import type { TokenStanding } from '../record/standing.js'
import type { SessionRecord } from '../../types/store.js'
import type { StoreContext } from './store-context.js'

/** A session that a token belongs to. */
export interface FoundSession {
  readonly id: string
  readonly cookieToken: string
  readonly standing: Exclude<TokenStanding, 'unknown'>
  /** `null` where the token does not open it. */
  readonly record: SessionRecord | null
}

/**
 * The one to use, `null` for none. Two live sessions under one name are reported: a
 * sibling domain may have planted one (RFC 6265bis 8.6), and nobody can tell which.
 * One session under two of its tokens is not two.
 */
export function chooseSession ({ onAmbiguousCookie, events }: StoreContext, found: readonly FoundSession[]): FoundSession | null {
  const open = found.filter(({ record }) => record !== null)
  const first = open.find(({ standing }) => standing === 'current') ?? open[0] ?? null
  if (first === null || open.every(({ id }) => id === first.id)) return first
  events.emit('rejected', first.id, { reason: 'ambiguous' })
  return onAmbiguousCookie === 'refuse' ? null : first
}
