// Whether a request comes from another site, by what browsers say about it and no page can change
// (https://www.w3.org/TR/fetch-metadata/, RFC 6454). A program that is no browser says nothing.
import { inspect } from 'node:util'
import type { ForeignReason } from '../events.js'

/** What the decision looks at. */
export interface Provenance {
  readonly method: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** `http` or `https`, and the host, as the client sees them: behind a proxy `trustProxy` has to say so. */
  readonly protocol: string
  readonly host: string
}

/** By RFC 9110, 9.2.1. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Whether it matters where the request comes from: it may change something, or it opens a WebSocket, which other sites
 * may do with a user's cookies and then read from it.
 */
export function mayActForUser ({ method, headers }: Pick<Provenance, 'method' | 'headers'>): boolean {
  return (method !== 'GET' && !SAFE_METHODS.has(method)) || headers['upgrade'] !== undefined
}

/** How it is seen that the request comes from elsewhere; `null` where it may pass. What cannot be understood comes from elsewhere. */
export function foreignReason (request: Provenance, trusted: ReadonlySet<string>): ForeignReason | null {
  const { 'sec-fetch-site': site, origin } = request.headers
  if (site === 'same-origin' || site === 'none') return null
  if (site === undefined && origin === undefined) return null
  if (typeof origin === 'string' && trusted.has(origin)) return null
  if (site !== undefined) return site === 'same-site' ? 'same-site' : 'cross-site'
  return isOwn(origin, request) ? null : 'foreign-origin'
}

const BY_SITE = ['Cookie', 'Sec-Fetch-Site']
const BY_ORIGIN = [...BY_SITE, 'Origin']

/** The headers that the decision depends on. */
export function headersLookedAt ({ headers }: Pick<Provenance, 'headers'>): readonly string[] {
  const { 'sec-fetch-site': site } = headers
  return site === 'same-origin' || site === 'none' ? BY_SITE : BY_ORIGIN
}

/** Whether a browser writes the app's own address like that. Parsed only where it is written in another way, as with a default port. */
function isOwn (origin: unknown, { protocol, host }: Provenance): boolean {
  const address = `${protocol}://${host}`
  return origin === address || (URL.canParse(address) && new URL(address).origin === origin)
}

/** For the app's log: what showed it, and how to let such a request in. A client decides what its headers hold. */
export function describeForeign ({ headers }: Pick<Provenance, 'headers'>): string {
  const said = ['sec-fetch-site', 'origin'].map((name) => `${name}: ${headers[name] === undefined ? 'none' : inspect(headers[name], { maxStringLength: 100 })}`)
  return `${said.join(', ')}; to let it in, name the origin in trustedOrigins, or give the route config: { crossSite: 'allow' }; if it is the app's own address behind a proxy, set the Fastify option trustProxy`
}
