// The session cookie: the only file that reads or writes cookies.
import type { FastifyReply } from 'fastify'
import { forbidCaching, isForSharedCaches } from './cache-headers.js'
import { adviseOnCookie, adviseOnPath } from './cookie-advice.js'
import type { CookieAttributes } from '../cookie-attributes.js'
import type { SessionContext } from './registration.js'
import { isToken } from '../record/token.js'
import type { SessionState, StoredSession } from '../session/session-state.js'
import { warnInsecure, warnUntrustedProxy } from '../warnings.js'

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

// Which of several cookies of one name is ours cannot be seen (RFC 6265bis 4.2.2), so
// each is tried. Anybody may send a header full of them: what that costs has a bound.
const MAX_TOKENS = 8
const MAX_SIGNATURE_CHECKS = 16

/** Whether it is worth looking for a token in the header. */
export function mayCarryToken ({ cookiePrefix }: SessionContext, header: string | undefined): header is string {
  return header !== undefined && header.includes(cookiePrefix)
}

/**
 * Every token in the header that could be one of ours, each once, the first eight at
 * most; a signed one counts only if the signature is right. What @fastify/cookie has
 * parsed will do, unless the name may be there twice: it keeps only the first.
 */
export function readTokens (context: SessionContext, header: string, cookies: ParsedCookies | null): readonly CookieToken[] {
  const { config: { cookieName }, cookiePrefix } = context
  const reader = new TokenReader(context)
  const isThereOnce = !header.includes(cookiePrefix, header.indexOf(cookiePrefix) + 1)
  if (isThereOnce && cookies !== null) {
    reader.read(cookies[cookieName])
    return reader.tokens
  }
  for (const pair of header.split(';')) {
    if (!pair.trimStart().startsWith(cookiePrefix)) continue
    if (reader.isFull) {
      context.events.emit('rejected', null, { reason: 'too-many' })
      break
    }
    reader.read(parsePair(context, pair))
  }
  return reader.tokens
}

/** The app may have given @fastify/cookie a decoder that throws. */
function parsePair ({ config: { cookieName }, parseCookie }: SessionContext, pair: string): unknown {
  try {
    return parseCookie(pair)[cookieName]
  } catch {
    return ''
  }
}

/** Takes what the cookies of one request hold, and does no more work than the bounds allow. */
class TokenReader {
  readonly tokens: CookieToken[] = []
  readonly #context: SessionContext
  readonly #seen = new Set<string>()
  #checksLeft: number

  constructor (context: SessionContext) {
    this.#context = context
    // one cookie may always try every secret
    this.#checksLeft = Math.max(MAX_SIGNATURE_CHECKS, context.config.signer?.secretCount ?? 0)
  }

  get isFull (): boolean {
    return this.tokens.length === MAX_TOKENS || this.#checksLeft === 0
  }

  read (value: unknown): void {
    if (typeof value !== 'string' || this.#seen.has(value)) return
    this.#seen.add(value)
    const { signer } = this.#context.config
    if (signer === null) return isToken(value) ? this.#take(value, 'keep') : this.#reject('malformed')
    if (!isToken(value.slice(0, value.lastIndexOf('.')))) return this.#reject('malformed')
    const verdict = signer.verify(value, this.#checksLeft)
    this.#checksLeft -= verdict.checks
    if (verdict.value === null) return this.#reject('bad-signature')
    this.#take(verdict.value, verdict.renew ? 'renew' : 'keep')
  }

  #take (token: string, signature: 'keep' | 'renew'): void {
    if (!this.tokens.some((found) => found.token === token)) this.tokens.push({ token, renew: signature === 'renew' })
  }

  #reject (reason: 'malformed' | 'bad-signature'): void {
    this.#context.events.emit('rejected', null, { reason })
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
  adviseOnPath(reply, (state.cookieOverrides ?? context.config.cookie).path)
  setCookie(context, reply, state, cookieValue(context, token), lasting)
}

/**
 * Sends the cookie again only because its date has moved, or because an old secret
 * signed it. That can wait: not on a response that shared caches keep.
 */
export function renewCookie (context: SessionContext, reply: FastifyReply, state: SessionState): void {
  if (!isForSharedCaches(reply)) sendCookie(context, reply, state)
}

/** Tells the browser to forget the cookie: same name and attributes, already expired. */
export function clearCookie (context: SessionContext, reply: FastifyReply, state: SessionState): void {
  setCookie(context, reply, state, '', { maxAge: 0, expires: new Date(0) })
}

function setCookie (context: SessionContext, reply: FastifyReply, state: SessionState, value: string, lasting: CookieLifetime): void {
  const attributes = state.cookieOverrides ?? context.config.cookie
  adviseOnCookie(reply, attributes)
  const secure = attributes.secure === 'auto' ? reply.request.protocol === 'https' : attributes.secure
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
