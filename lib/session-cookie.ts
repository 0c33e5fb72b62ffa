// The session cookie: the only file that reads or writes cookies.
import type { FastifyReply } from 'fastify'
import { forbidCaching } from './cache-headers.js'
import type { CookieAttributes } from './cookie-attributes.js'
import type { SessionContext } from './session-context.js'
import { isToken } from './session-id.js'
import type { SessionState, StoredSession } from './session-state.js'
import { warnInsecure, warnUntrustedProxy } from './warnings.js'

/** A header as @fastify/cookie gives it. */
export type ParsedCookies = Record<string, string | undefined>

/** A token that a request brought. */
export interface CookieToken {
  readonly token: string
  /** Signed by a secret that is no longer the first: to be sent again. */
  readonly renew: boolean
}

/** What makes a cookie outlive the browser's session; empty for one that does not. */
interface CookieLifetime {
  readonly maxAge?: number
  readonly expires?: Date
}

// Which of several cookies of one name is ours cannot be seen (RFC 6265bis 4.2.2),
// so each is tried; more than this is somebody playing.
const MOST_CANDIDATES = 5

/** Whether it is worth looking for a token in the header. */
export function mayCarryToken ({ cookiePrefix }: SessionContext, header: string | undefined): header is string {
  return header !== undefined && header.includes(cookiePrefix)
}

/**
 * Every token in the header that could be one of ours, the first five at most.
 * What @fastify/cookie has parsed will do, unless the name may be there twice:
 * it keeps only the first.
 */
export function readTokens (context: SessionContext, header: string, cookies: ParsedCookies | null): readonly CookieToken[] {
  const { config: { cookieName }, cookiePrefix } = context
  const isThereOnce = !header.includes(cookiePrefix, header.indexOf(cookiePrefix) + 1)
  if (isThereOnce && cookies !== null) {
    const token = readToken(context, cookies[cookieName])
    return token === null ? [] : [token]
  }
  const tokens: CookieToken[] = []
  for (const pair of header.split(';')) {
    if (!pair.trimStart().startsWith(cookiePrefix)) continue
    const found = readToken(context, context.parseCookie(pair)[cookieName])
    if (found === null || tokens.some(({ token }) => token === found.token)) continue
    if (tokens.push(found) === MOST_CANDIDATES) break
  }
  return tokens
}

function readToken ({ config, events }: SessionContext, value: string | undefined): CookieToken | null {
  if (value === undefined) return null
  if (config.signer === null) return isToken(value) ? { token: value, renew: false } : rejected('malformed')
  if (!isToken(value.slice(0, value.lastIndexOf('.')))) return rejected('malformed')
  const { valid, renew, value: token } = config.signer.unsign(value)
  return valid ? { token: token as string, renew } : rejected('bad-signature')

  function rejected (reason: 'malformed' | 'bad-signature'): null {
    events.emit('rejected', null, { reason })
    return null
  }
}

/** What the cookie holds for this token. */
export function cookieValue ({ config }: SessionContext, token: string): string {
  return config.signer === null ? token : config.signer.sign(token)
}

/** Sends the cookie of a session that the store holds, in the place of one sent before. */
export function sendCookie (context: SessionContext, reply: FastifyReply, state: SessionState): void {
  const { token, record: { expiresAt } } = state.stored as StoredSession
  const lasting = state.lifetime.persistent
    ? { maxAge: Math.ceil((expiresAt - state.now()) / 1000), expires: new Date(expiresAt) }
    : {}
  setCookie(context, reply, state, cookieValue(context, token), lasting)
}

/** Tells the browser to forget the cookie: same name and attributes, already expired. */
export function clearCookie (context: SessionContext, reply: FastifyReply, state: SessionState): void {
  setCookie(context, reply, state, '', { maxAge: 0, expires: new Date(0) })
}

function setCookie (context: SessionContext, reply: FastifyReply, state: SessionState, value: string, lasting: CookieLifetime): void {
  const attributes = state.cookieOverrides ?? context.config.cookie
  const isHttps = reply.request.protocol === 'https'
  if (attributes.secure === true && !isHttps) warnInsecure(reply.request)
  if (attributes.secure === 'auto' && !isHttps) warnUntrustedProxy(reply.request)
  const secure = attributes.secure === 'auto' ? isHttps : attributes.secure
  const line = context.serializeCookie(context.config.cookieName, value, serializeOptions(attributes, secure, lasting))
  replaceLine(reply, state.cookieLine, line)
  state.cookieLine = line
  state.cookieDue = false
  forbidCaching(reply)
}

/** Written out, for copying a frozen object is slow. */
function serializeOptions ({ path, domain, sameSite, httpOnly, partitioned, priority }: CookieAttributes, secure: boolean, { maxAge, expires }: CookieLifetime): object {
  return { path, domain, secure, sameSite, httpOnly, partitioned, priority, maxAge, expires }
}

/**
 * An error's response may come after the one that the cookie was made for. It carries
 * the cookie too, also where Fastify has to leave out the reply's headers because one of them cannot be sent.
 */
export function keepCookie (reply: FastifyReply, line: string): void {
  if (![reply.getHeader('set-cookie')].flat().includes(line)) reply.header('set-cookie', line)
  forbidCaching(reply)
  if (reply.raw.headersSent) return
  reply.raw.setHeader('set-cookie', line)
  reply.raw.setHeader('cache-control', 'no-store')
}

/** One response sets a cookie once (RFC 6265bis 4.1.1): the last decision stands. */
function replaceLine (reply: FastifyReply, previous: string | null, line: string): void {
  if (!reply.hasHeader('set-cookie')) {
    reply.header('set-cookie', line)
    return
  }
  const lines = [reply.getHeader('set-cookie')].flat().map(String).filter((each) => each !== previous)
  reply.removeHeader('set-cookie')
  reply.header('set-cookie', lines.length === 0 ? line : [...lines, line])
}
