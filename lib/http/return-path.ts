// Where to send a user back to: a path of this site that can stand in a Location
// header, never another site (CWE-601, open redirect).
import { inspect } from 'node:util'
import { InvalidOptionError } from '../errors.js'

/** The name of the query parameter that carries the path. */
export const RETURN_PARAMETER = 'returnTo'

/** In a query each character may take three; servers support at least 8,000 (RFC 9110, 4.1). */
const MAX_PATH_LENGTH = 2048

/**
 * The claimed value if it is a path of this site, otherwise the fallback, which is `'/'` by default:
 * `reply.redirect(returnPath(request.query.returnTo, '/account'))`. What is not visible ASCII
 * is percent-encoded, as a Location header needs it (RFC 9110, 10.2.2). A path of more than
 * 2,048 characters is not taken. Throws an `InvalidOptionError` when the fallback itself is no such path.
 */
export function returnPath (claimed: unknown, fallback = '/'): string {
  const safe = pathHere(fallback)
  if (safe === null) {
    throw new InvalidOptionError('returnPath fallback', inspect(fallback, { maxStringLength: 80 }), "give a path of this site, such as '/account'")
  }
  return pathHere(claimed) ?? safe
}

/** The path as a Location header can carry it, or `null` when it is no path of this site. */
function pathHere (claimed: unknown): string | null {
  if (typeof claimed !== 'string' || claimed.length > MAX_PATH_LENGTH) return null
  // a browser takes a backslash for a slash and drops control characters (WHATWG URL, 4.4)
  // eslint-disable-next-line no-control-regex
  if (!/^\/(?![/\\])[^\x00-\x1F\x7F]*$/.test(claimed) || /\p{Surrogate}/u.test(claimed)) return null
  const path = claimed.replace(/[^\x21-\x7E]+/g, encodeURIComponent)
  return path.length > MAX_PATH_LENGTH ? null : path
}

/** Adds the way back to the address of a login page, where the path can be one. A parameter that is already there stays. */
export function withReturnPath (address: string, path: string): string {
  // what a client sent unencoded may be in any encoding
  if (!/^[\x21-\x7E]+$/.test(path) || pathHere(path) === null || returnPathIn(address) !== null) return address
  const [page, fragment] = split(address, '#')
  return `${page}${page.includes('?') ? '&' : '?'}${RETURN_PARAMETER}=${encodeURIComponent(path)}${fragment}`
}

/** The way back that an address carries, or `null`. */
export function returnPathIn (address: string): string | null {
  const [, query] = split(split(address, '#')[0], '?')
  return new URLSearchParams(query).get(RETURN_PARAMETER)
}

function split (text: string, mark: string): [before: string, from: string] {
  const index = text.indexOf(mark)
  return index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index)]
}
