// From the Cookie header to the tokens in it.
import { isToken } from '../record/token.js'
import type { Registration } from './registration.js'

/** A header as @fastify/cookie gives it. */
export type ParsedCookies = Record<string, string | undefined>

/** A token that a request brought. */
export interface CookieToken {
  readonly token: string
  /** Signed by a secret that is no longer the first: to be sent again. */
  readonly renew: boolean
}

// Which of several cookies of one name is ours cannot be seen (RFC 6265bis 4.2.2), so
// each is tried. Anybody may send a header full of them: what that costs has a bound.
const MAX_TOKENS = 8
const MAX_SIGNATURE_CHECKS = 16

/** Whether it is worth looking for a token in the header. */
export function mayCarryToken ({ cookiePrefix }: Registration, header: string | undefined): header is string {
  return header !== undefined && header.includes(cookiePrefix)
}

/**
 * Every token in the header that could be one of ours, each once, the first eight at
 * most; a signed one counts only if the signature is right. What @fastify/cookie has
 * parsed will do, unless the name may be there twice: it keeps only the first.
 */
export function readTokens (registration: Registration, header: string, cookies: ParsedCookies | null): readonly CookieToken[] {
  const { config: { cookieName, signer }, cookiePrefix } = registration
  const isThereOnce = !header.includes(cookiePrefix, header.indexOf(cookiePrefix) + 1)
  const parsed = isThereOnce && cookies !== null ? cookies[cookieName] : undefined
  if (signer === null && parsed !== undefined && isToken(parsed)) return [{ token: parsed, renew: false }]
  const reader = new TokenReader(registration)
  if (isThereOnce && cookies !== null) {
    reader.read(parsed)
    return reader.tokens
  }
  for (const pair of header.split(';')) {
    if (!pair.trimStart().startsWith(cookiePrefix)) continue
    if (reader.isFull) {
      registration.events.emit('rejected', null, { reason: 'too-many' })
      break
    }
    reader.read(parsePair(registration, pair))
  }
  return reader.tokens
}

/** The app may have given @fastify/cookie a decoder that throws. */
function parsePair ({ config: { cookieName }, parseCookie }: Registration, pair: string): unknown {
  try {
    return parseCookie(pair)[cookieName]
  } catch {
    return ''
  }
}

/** Takes what the cookies of one request hold, and does no more work than the bounds allow. */
class TokenReader {
  readonly tokens: CookieToken[] = []
  readonly #registration: Registration
  readonly #seen = new Set<string>()
  #checksLeft: number

  constructor (registration: Registration) {
    this.#registration = registration
    // one cookie may always try every secret
    this.#checksLeft = Math.max(MAX_SIGNATURE_CHECKS, registration.config.signer?.secretCount ?? 0)
  }

  get isFull (): boolean {
    return this.tokens.length === MAX_TOKENS || this.#checksLeft === 0
  }

  read (value: unknown): void {
    if (typeof value !== 'string' || this.#seen.has(value)) return
    this.#seen.add(value)
    const { signer } = this.#registration.config
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
    this.#registration.events.emit('rejected', null, { reason })
  }
}
