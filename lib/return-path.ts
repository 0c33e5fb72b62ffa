// Where to send a user back to: never to another site (CWE-601, open redirect).

const HERE = 'http://here.invalid'

/** The name of the query parameter that carries the path. */
export const RETURN_PARAMETER = 'returnTo'

/**
 * The value if it is a path of this site, otherwise the fallback. Give it what a
 * request claims: `reply.redirect(returnPath(request.query.returnTo, '/account'))`.
 */
export function returnPath (claimed: unknown, fallback = '/'): string {
  return typeof claimed === 'string' && isPathHere(claimed) ? claimed : fallback
}

/** Adds the way back to the address of a login page. */
export function withReturnPath (address: string, path: string): string {
  if (!isPathHere(path)) return address
  return `${address}${address.includes('?') ? '&' : '?'}${RETURN_PARAMETER}=${encodeURIComponent(path)}`
}

/** As a browser would read it: it takes a backslash for a slash and drops control characters. */
function isPathHere (path: string): boolean {
  // eslint-disable-next-line no-control-regex
  if (!path.startsWith('/') || /[\x00-\x1F\x7F]/.test(path)) return false
  return URL.canParse(path, HERE) && new URL(path, HERE).origin === HERE
}
