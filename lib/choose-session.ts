// Which session a request has, when its cookies open more than one.
import type { SessionContext } from './session-context.js'

/**
 * The one to use, `null` for none. Two live sessions under one name are reported: a
 * sibling domain may have planted one (RFC 6265bis 8.6), and nobody can tell which.
 * One session under two of its tokens is not two.
 */
export function chooseSession<Found extends { readonly id: string }> ({ config, events }: SessionContext, found: readonly Found[]): Found | null {
  const first = found[0] ?? null
  if (first === null || found.every(({ id }) => id === first.id)) return first
  events.emit('rejected', first.id, { reason: 'ambiguous' })
  return config.onAmbiguousCookie === 'refuse' ? null : first
}
