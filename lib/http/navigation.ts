// What kind of request this is: a person opening a page, a browser asking
// whether another origin may call, or a program.
import type { FastifyRequest } from 'fastify'

/**
 * Whether a browser opens a page: only then does a redirect lead somebody to a login page. It asks for HTML by
 * name, and says `navigate` where it sends `Sec-Fetch-Mode` (https://www.w3.org/TR/fetch-metadata/#sec-fetch-mode-header).
 * Scripts, images, styles and sockets would follow the redirect and take the login page for their answer.
 */
export function isNavigation ({ method, headers }: FastifyRequest): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  const mode = headers['sec-fetch-mode']
  if (mode !== undefined && mode !== 'navigate') return false
  return !('x-requested-with' in headers) && asksForHtml(String(headers.accept ?? ''))
}

/** By name, not by a wildcard, and not to refuse it: `q=0` is "not acceptable" (RFC 9110, 12.4.2). */
function asksForHtml (accept: string): boolean {
  return accept.split(',').some((range) => {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    return type === 'text/html' && !parameters.some((parameter) => /^q\s*=\s*0(\.0*)?$/.test(parameter))
  })
}

/**
 * Whether a browser asks for leave to call from another origin. It never sends cookies with that
 * (https://fetch.spec.whatwg.org/#cors-preflight-fetch), so no session could answer. Only where no handler
 * but that for OPTIONS would run: anybody can send these headers.
 */
export function isPreflight (request: FastifyRequest): boolean {
  const { method, headers } = request
  if (method !== 'OPTIONS' || headers.origin === undefined || headers['access-control-request-method'] === undefined) return false
  return request.is404 || String(request.routeOptions.method) === 'OPTIONS'
}
