// What can be seen of a cookie that a browser will drop, never send back or share,
// at the moment it is sent.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isForSharedCaches } from './cache-headers.js'
import type { CookieAttributes } from '../cookie-attributes.js'
import { warnCrossSite, warnInsecure, warnOutsideOfPath, warnPublicAnswer, warnUntrustedProxy } from '../warnings.js'

/** Warns of a cookie that is set or cleared in vain, each kind once per process. */
export function adviseOnCookie (reply: FastifyReply, { secure, sameSite }: CookieAttributes): void {
  const { request } = reply
  if (secure === true && request.protocol !== 'https') warnInsecure(request)
  if (secure === 'auto' && request.protocol !== 'https') warnUntrustedProxy(request)
  if (sameSite !== 'none' && isEmbeddedInAnotherSite(request)) warnCrossSite(request, sameSite)
  if (isForSharedCaches(reply)) warnPublicAnswer(request)
}

/** Warns once of a session that is stored where its cookie is never sent. */
export function adviseOnPath ({ request }: FastifyReply, path: string): void {
  if (!isWithinPath(request.originalUrl, path)) warnOutsideOfPath(request, path)
}

/** Whether the browser sends a cookie of this path with the address (RFC 6265bis 5.1.4). */
function isWithinPath (url: string, path: string): boolean {
  if (path === '/' || url === '*') return true
  const { 0: pathname = '' } = url.split(/[?#]/, 1)
  return pathname.startsWith(path) && (path.endsWith('/') || pathname.length === path.length || pathname[path.length] === '/')
}

/** A fetch or a frame, not a page of its own: there Lax and Strict cookies of another site are not stored (RFC 6265bis 5.7). */
export function isEmbeddedInAnotherSite ({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  if (headers['sec-fetch-site'] !== 'cross-site') return false
  return headers['sec-fetch-mode'] !== 'navigate' || /^(iframe|frame|embed|object|fencedframe)$/.test(String(headers['sec-fetch-dest']))
}
