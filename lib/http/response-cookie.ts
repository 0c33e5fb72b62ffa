// The session's cookie in one response: sent, renewed or cleared, and never twice.
import { inspect } from 'node:util'
import type { FastifyReply } from 'fastify'
import { cookieAttributeNames, resolveCookieAttributes, type CookieAttributes } from '../cookie-attributes.js'
import { InvalidArgumentError } from '../errors.js'
import type { StoredSession } from '../session/layers.js'
import type { SessionState } from '../session/session-state.js'
import { unknownName } from '../unknown-names.js'
import type { SessionCookieAttributes } from '../../types/options.js'
import { forbidCaching, isForSharedCaches } from './cache-headers.js'
import { adviseOnCookie, adviseOnPath } from './cookie-advice.js'
import type { CookieLineOptions, Registration } from './registration.js'

/** What makes a cookie outlive the browser's session; empty for one that does not. */
interface CookieLifetime {
  readonly maxAge?: number
  readonly expires?: Date
}

// @fastify/csrf-protection hands on the options of generateCsrf(), its own among them
const OF_CSRF_PROTECTION = 'userInfo'

/** The attributes for one response. Throws an `InvalidArgumentError` for what cannot work. */
export function cookieOverrides ({ config: { cookieName, cookie } }: Registration, given: SessionCookieAttributes): CookieAttributes {
  const refuse = (name: string, value: unknown, fix: string): never => {
    throw new InvalidArgumentError('session.options()', `${name} ${inspect(value, { depth: 0 })}`, fix)
  }
  if (typeof given !== 'object' || given === null) throw new InvalidArgumentError('session.options()', inspect(given), "give an object such as { sameSite: 'strict' }")
  const unknown = unknownName(given, [...cookieAttributeNames, OF_CSRF_PROTECTION], { maxAge: 'write session.lifetime({ idle, persistent: true })', expires: 'write session.lifetime({ idle, persistent: true })' })
  if (unknown !== null) refuse(unknown.name, (given as Record<string, unknown>)[unknown.name], unknown.fix)
  const { [OF_CSRF_PROTECTION]: _, ...attributes } = given as SessionCookieAttributes & Record<typeof OF_CSRF_PROTECTION, unknown>
  return resolveCookieAttributes(cookieName, attributes, refuse, cookie)
}

/** What the cookie holds for this token. */
export function cookieValue ({ config }: Registration, token: string): string {
  return config.signer === null ? token : config.signer.sign(token)
}

export class ResponseCookie {
  readonly #registration: Registration
  readonly #reply: FastifyReply
  #overrides: CookieAttributes | null = null
  #line: string | null = null
  #isExpiry = false
  #isDue = false

  constructor (registration: Registration, reply: FastifyReply) {
    this.#registration = registration
    this.#reply = reply
  }

  /** Whether this response carries it. */
  get isSet (): boolean {
    return this.#line !== null
  }

  /** Whether it was given other attributes and has not been sent with them. */
  get isDue (): boolean {
    return this.#isDue
  }

  override (attributes: SessionCookieAttributes): void {
    this.#overrides = cookieOverrides(this.#registration, attributes)
    this.#isDue = true
  }

  /** The cookie of a session that the store holds, in the place of one sent before. */
  send (state: SessionState): void {
    const { cookieToken, record: { expiresAt } } = state.stored as StoredSession
    const lasting = state.lifetime.persistent
      ? { maxAge: Math.ceil((expiresAt - state.now()) / 1000), expires: new Date(expiresAt) }
      : {}
    adviseOnPath(this.#reply, this.#attributes.path)
    this.#set(cookieValue(this.#registration, cookieToken), lasting)
  }

  /**
   * The cookie once more, only because its date has moved or an old secret signed it. That can wait: not on a
   * response that shared caches keep.
   */
  renew (state: SessionState): void {
    if (!isForSharedCaches(this.#reply)) this.send(state)
  }

  /** Tells the browser to forget the cookie: same name and attributes, already expired. */
  clear (): void {
    this.#set('', { maxAge: 0, expires: new Date(0) })
    this.#isExpiry = true
  }

  /** Takes back a cookie that opens nothing any more: it might overwrite that of another login. An expiry stays. */
  withdraw (): void {
    const reply = this.#reply
    if (this.#line === null || this.#isExpiry) return
    setLines(reply, otherLines(reply, this.#line))
    // the copy for a reply that goes on with reply.raw; save() makes another one
    if (!reply.raw.headersSent) reply.raw.removeHeader('set-cookie')
    this.#line = null
  }

  /**
   * An error's response may come after the one that the cookie was made for. It carries
   * the cookie too, also where Fastify has to leave out the reply's headers because one of them cannot be sent.
   */
  keep (): void {
    const line = this.#line
    const reply = this.#reply
    if (line === null) return
    if (![reply.getHeader('set-cookie')].flat().includes(line)) reply.header('set-cookie', line)
    forbidCaching(reply)
    if (reply.raw.headersSent) return
    reply.raw.setHeader('set-cookie', line)
    reply.raw.setHeader('cache-control', 'no-store')
  }

  get #attributes (): CookieAttributes {
    return this.#overrides ?? this.#registration.config.cookie
  }

  #set (value: string, lasting: CookieLifetime): void {
    const reply = this.#reply
    const attributes = this.#attributes
    const secure = attributes.secure === 'auto' ? reply.request.protocol === 'https' : attributes.secure
    const { serializeCookie, config: { cookieName } } = this.#registration
    const line = serializeCookie(cookieName, value, serializeOptions(attributes, secure, lasting))
    replaceLine(reply, this.#line, line)
    this.#line = line
    this.#isExpiry = false
    this.#isDue = false
    forbidCaching(reply)
    // last, so that nothing it meets keeps the cookie of a stored session back
    adviseOnCookie(reply, attributes)
  }
}

/** Written out, for copying a frozen object is slow. */
function serializeOptions ({ path, domain, sameSite, httpOnly, partitioned, priority }: CookieAttributes, secure: boolean, { maxAge, expires }: CookieLifetime): CookieLineOptions {
  return { path, domain, secure, sameSite, httpOnly, partitioned, priority, maxAge, expires }
}

/** One response sets a cookie once (RFC 6265bis 4.1.1): the last decision stands. */
function replaceLine (reply: FastifyReply, previous: string | null, line: string): void {
  if (!reply.hasHeader('set-cookie')) reply.header('set-cookie', line)
  else setLines(reply, [...otherLines(reply, previous), line])
}

function otherLines (reply: FastifyReply, line: string | null): string[] {
  return [reply.getHeader('set-cookie') ?? []].flat().map(String).filter((each) => each !== line)
}

function setLines (reply: FastifyReply, lines: string[]): void {
  reply.removeHeader('set-cookie')
  if (lines.length > 0) reply.header('set-cookie', lines)
}
