// Which session a request has, when its cookies open more than one.
import type { SessionRecord } from '../../types/store.js'
import type { FoundSession } from './load-session.js'
import type { StoreContext } from './store-context.js'

type OpenSession = FoundSession & { readonly record: SessionRecord }

/**
 * The one to use, `null` for none. Two live sessions under one name are reported: a
 * sibling domain may have planted one (RFC 6265bis 8.6), and nobody can tell which.
 * One session under two of its tokens is not two.
 */
export function chooseSession ({ onAmbiguousCookie, events }: StoreContext, found: readonly FoundSession[]): OpenSession | null {
  if (found.length === 1) return isOpen(found[0] as FoundSession) ? found[0] as OpenSession : null
  const open = found.filter(isOpen)
  const first = open.find(({ standing }) => standing === 'current') ?? open[0] ?? null
  if (first === null || open.every(({ id }) => id === first.id)) return first
  events.emit('rejected', first.id, { reason: 'ambiguous' })
  return onAmbiguousCookie === 'refuse' ? null : first
}

function isOpen (found: FoundSession): found is OpenSession {
  return found.standing === 'current' || found.standing === 'earlier'
}
