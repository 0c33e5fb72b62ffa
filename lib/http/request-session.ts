// The session of one request and its reply: loaded before the handler, saved
// before the headers leave, and in between where the app asks for it.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { andThen, recover } from '../awaitable.js'
import { CookieNotDeliverableError, NotCoveredError, SessionLimitError } from '../errors.js'
import { logLine } from '../log-line.js'
import { hasUnsaved, needsNewCookie, type SavePlan } from '../session/save-plan.js'
import { SessionMap, type Session } from '../session/session.js'
import type { SessionHost, ValueStep } from '../session/session-host.js'
import { SessionState } from '../session/session-state.js'
import type { StateListener } from '../session/state-listener.js'
import { reportCorruptValue } from '../store/corrupt-records.js'
import type { Save, SaveResult } from '../store/save.js'
import { saveSession } from '../store/save-session.js'
import { thrownError } from '../thrown-error.js'
import type { SessionCookieAttributes } from '../../types/options.js'
import type { Awaitable } from '../../types/store.js'
import { takeAtOnce, updateAtOnce } from './at-once.js'
import { varyOn } from './cache-headers.js'
import { ChangeWatch } from './change-watch.js'
import { describeRequest } from './describe-request.js'
import { areHeadersSent, copyToRaw } from './headers-sent.js'
import { hasOptedOut } from './opted-out.js'
import { mayCarryToken } from './read-tokens.js'
import type { Registration } from './registration.js'
import { SessionLoader } from './session-loader.js'
import { SessionResponse } from './session-response.js'
import { sentStatus } from './web-response.js'

const NOTHING: readonly never[] = []
const COOKIE: readonly string[] = ['Cookie']

export class RequestSession implements SessionHost, StateListener {
  readonly session: Session
  readonly #registration: Registration
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  #loader: SessionLoader | null = null
  #response: SessionResponse | null = null
  #state: SessionState | null = null
  #watch: ChangeWatch | null = null
  /** The app looked at the session, so the response depends on the cookie. */
  #isLookedAt = false
  #isClosing = false
  #hasFailed = false
  /** The save for the response was tried, and failed. */
  #hasGivenUp = false

  constructor (registration: Registration, request: FastifyRequest, reply: FastifyReply) {
    this.#registration = registration
    this.#request = request
    this.#reply = reply
    this.session = new SessionMap(this) as Session
  }

  /** Loads the session that the request's cookies open; at once where the store answers at once. */
  load (): Awaitable<void> {
    const { cookie } = this.#request.headers
    if (!mayCarryToken(this.#registration, cookie) || hasOptedOut(this.#request)) return
    this.#loader = new SessionLoader(this.#registration, this.#request, this.#reply, this)
    return this.#loader.load(cookie)
  }

  /** Where none was loaded it is made at the first look; most visitors' requests never look. */
  get state (): SessionState {
    this.#isLookedAt = true
    return this.#state ?? this.#begin()
  }

  #begin (): SessionState {
    const { config: { property }, settings } = this.#registration
    if (hasOptedOut(this.#request)) throw new NotCoveredError(property, 'the route opted out with config: { session: false }')
    return this.use(new SessionState(settings, settings.clock.now()))
  }

  use (state: SessionState): SessionState {
    state.listener = this
    this.#state = state
    return state
  }

  forgetCookie (): void {
    this.#owed.clearCookie()
  }

  changing (): void {
    if (this.#watch === null) {
      this.#watch = new ChangeWatch(this.#reply, () => hasUnsaved(this.#state as SessionState))
      if (this.#isClosing) this.#watch.closing()
    }
    this.#watch.changing()
  }

  foundCorrupt (id: string, value: string): void {
    reportCorruptValue(this.#registration, id, value, this.#request.log)
  }

  describe (): string | null {
    return describeRequest(this.#registration.config.describe, this.#request)
  }

  overrideCookie (attributes: SessionCookieAttributes): void {
    this.changing()
    this.#owed.overrideCookie(attributes)
  }

  async save (): Promise<boolean> {
    const { state } = this
    if (state.status === 'unavailable') await this.reload()
    state.usedAt = state.now()
    let result: SaveResult
    try {
      result = await saveSession(this.#registration, state, this.#request.log, (plan) => this.#refuseNewCookie(plan))
      this.#answer(result, state)
    } catch (error) {
      throw error instanceof CookieNotDeliverableError ? error : this.#saveFailed(thrownError(error))
    }
    // for a reply that goes on with reply.raw
    copyToRaw(this.#reply, ['set-cookie', 'clear-site-data'])
    return result !== 'ended'
  }

  reload (): Promise<void> {
    const { state } = this
    this.#loader ??= new SessionLoader(this.#registration, this.#request, this.#reply, this)
    return this.#loader.reload(state)
  }

  update (key: string, step: ValueStep): Promise<unknown> {
    return updateAtOnce(this, this.#saving, key, step)
  }

  take (key: string): Promise<unknown> {
    return takeAtOnce(this, this.#saving, key)
  }

  /** Saves what is pending, for the response with this payload; at once where there is nothing to wait for. */
  finish (payload: unknown): Awaitable<void> {
    // an error that came after the save leads here again, with a response of its own
    if (this.#isClosing) this.#response?.keepCookie()
    this.#isClosing = true
    this.#watch?.closing()
    const state = this.#state
    if (state === null) return this.#tellCaches(payload)
    // an error's response is no second try; where the app went on after a failed save, the response is
    if (this.#hasGivenUp || (this.#hasFailed && sentStatus(this.#reply, payload) >= 500)) return
    if (state.isUntouched && !this.#owesCookie) return this.#tellCaches(payload)
    return recover(() => {
      if (this.#registration.config.saveOn === 'success' && sentStatus(this.#reply, payload) >= 500) state.dropChanges()
      return andThen(saveSession(this.#registration, state, this.#request.log), (action) => {
        this.#answer(action, state)
        this.#tellCaches(payload)
      })
    }, (reason) => {
      // nothing is tried twice: the error's response leads here again
      this.#hasGivenUp = true
      throw this.#saveFailed(thrownError(reason))
    })
  }

  /** Asked when it is the save's turn: the headers may have left since the call. */
  #refuseNewCookie (plan: SavePlan): void {
    if (areHeadersSent(this.#request, this.#reply) && needsNewCookie(plan, this.state)) {
      throw new CookieNotDeliverableError('the headers have been sent; save the session before')
    }
  }

  #answer (action: SaveResult, state: SessionState): void {
    if (action !== 'none' || this.#owesCookie) this.#owed.answer(action, state, this.#loader?.tokens ?? NOTHING)
  }

  /** Whether the cookie may have to be sent although nothing is saved. */
  get #owesCookie (): boolean {
    const tokens = this.#loader?.tokens
    return this.#response !== null || (tokens !== undefined && (tokens.length > 1 || tokens[0]?.renew === true))
  }

  #tellCaches (payload: unknown): void {
    const lookedAt = this.#loader?.lookedAt ?? (this.#isLookedAt || this.#response !== null ? COOKIE : null)
    if (lookedAt !== null) varyOn(this.#reply, payload, lookedAt)
  }

  #saveFailed (error: Error): Error {
    this.#hasFailed = true
    logLine(this.#request.log, error instanceof SessionLimitError ? 'debug' : 'error', { err: error.cause ?? error }, 'the session could not be saved')
    // a logout clears the cookie even if the store cannot be told
    if (this.#state?.draft?.identity === 'destroyed') this.#owed.clearCookie()
    else if (this.#state?.stored?.isCurrent !== true) this.#response?.withdrawCookie()
    return error
  }

  get #owed (): SessionResponse {
    this.#response ??= new SessionResponse(this.#registration, this.#reply)
    return this.#response
  }

  get #saving (): Save {
    return { context: this.#registration, state: this.state, log: this.#request.log }
  }
}
