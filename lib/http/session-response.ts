// What a save means for the cookie of the response.
import type { FastifyReply } from 'fastify'
import { logLine } from '../log-line.js'
import type { SessionState } from '../session/session-state.js'
import type { SaveResult } from '../store/save.js'
import type { SessionCookieAttributes } from '../../types/options.js'
import type { CookieToken } from './read-tokens.js'
import type { Registration } from './registration.js'
import { ResponseCookie } from './response-cookie.js'

export class SessionResponse {
  readonly #registration: Registration
  readonly #reply: FastifyReply
  #cookie: ResponseCookie | null = null

  constructor (registration: Registration, reply: FastifyReply) {
    this.#registration = registration
    this.#reply = reply
  }

  overrideCookie (attributes: SessionCookieAttributes): void {
    this.#ownCookie.override(attributes)
  }

  /**
   * Does about the cookie what a save asks for, by the session as it is now: answers of several saves may come in any order.
   * A request with an earlier token gets none: the browser has, or will get, a newer one.
   */
  answer (action: SaveResult, state: SessionState, tokens: readonly CookieToken[]): void {
    const { stored } = state
    if (action === 'replace') this.#forgetSite()
    if (action === 'clear' && stored === null) return this.#clear()
    if (stored?.isCurrent !== true) return this.withdrawCookie()
    if (action === 'send' || action === 'replace' || this.#cookie?.isDue === true) this.#ownCookie.send(state)
    else if (action === 'renew' || this.#isToBeSignedAnew(stored.cookieToken, tokens)) this.#ownCookie.renew(state)
  }

  /** Clears the cookie whatever the store says. */
  clearCookie (): void {
    try {
      this.#clear()
    } catch (error) {
      logLine(this.#reply.request.log, 'error', { err: error }, 'the session cookie could not be cleared')
    }
  }

  /** The session that a save of this response made a cookie for has ended since. */
  withdrawCookie (): void {
    this.#cookie?.withdraw()
  }

  /** The response that the cookie was made for has failed; the one in its place carries it too. */
  keepCookie (): void {
    this.#cookie?.keep()
  }

  #clear (): void {
    this.#ownCookie.clear()
    this.#forgetSite()
  }

  /** Tells the browser what else to forget, unless the app did. */
  #forgetSite (): void {
    const { clearSiteData } = this.#registration.config
    if (clearSiteData !== null && !this.#reply.hasHeader('clear-site-data')) this.#reply.header('clear-site-data', clearSiteData)
  }

  /** Whether an old secret signed the cookie that the request came with. */
  #isToBeSignedAnew (cookieToken: string, tokens: readonly CookieToken[]): boolean {
    return this.#cookie?.isSet !== true && tokens.some(({ token, renew }) => renew && token === cookieToken)
  }

  get #ownCookie (): ResponseCookie {
    this.#cookie ??= new ResponseCookie(this.#registration, this.#reply)
    return this.#cookie
  }
}
