// What keeps the sessions of two registrations apart where they share a store.
import type { SessionConfig } from '../options.js'

/** Everything that tells one registration from another, as far as a browser can. */
export type Registration = Pick<SessionConfig, 'property' | 'cookieName'> & { readonly cookie: Pick<SessionConfig['cookie'], 'path' | 'domain'> }

/**
 * The namespace of a registration: a cookie of one, sent under the name of another,
 * opens nothing. Empty for the plain default. JSON, for no two lists are written
 * alike, and what ends in `]` is never mistaken for a part of a token.
 */
export function namespaceOf ({ property, cookieName, cookie: { path, domain } }: Registration): string {
  const host = domain === undefined ? null : browserDomain(domain)
  if (property === 'session' && cookieName === 'sid' && path === '/' && host === null) return ''
  return JSON.stringify([property, cookieName, path, host])
}

/** Browsers read `.Example.com` and `example.com` as one (RFC 6265bis 5.6.3). */
function browserDomain (domain: string): string {
  return domain.replace(/^\./, '').toLowerCase()
}
