// The session of one request and its reply: loaded before the handler, saved
// before the headers leave, and in between where the app asks for it.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { andThen, recover } from '../awaitable.js'
import { CookieNotDeliverableError, NotCoveredError, StoreError, StoreTimeoutError } from '../errors.js'
import { logLine } from '../log-line.js'
import { isModified, needsNewCookie, planSave } from '../session/save-plan.js'
import { SessionMap, type Session } from '../session/session.js'
import type { SessionHost, ValueStep } from '../session/session-host.js'
import { SessionState } from '../session/session-state.js'
import type { StateListener } from '../session/session-values.js'
import { reportCorrupt } from '../store/corrupt-records.js'
import { loadSession, reloadSession, unavailableSession } from '../store/load-session.js'
import type { Save } from '../store/save.js'
import { saveSession } from '../store/save-session.js'
import { thrownError } from '../thrown-error.js'
import type { SessionCookieAttributes } from '../../types/options.js'
import type { Awaitable } from '../../types/store.js'
import { takeAtOnce, updateAtOnce } from './at-once.js'
import { ChangeWatch } from './change-watch.js'
import { hasOptedOut } from './opted-out.js'
import { mayCarryToken, readTokens } from './read-tokens.js'
import type { Registration } from './registration.js'
import { SessionResponse } from './session-response.js'
import { sentStatus } from './web-response.js'

export class RequestSession implements SessionHost, StateListener {
  readonly session: Session
  readonly #registration: Registration
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #response: SessionResponse
  #state: SessionState | null = null
  #watch: ChangeWatch | null = null
  #isSaved = false
  #hasFailed = false

  constructor (registration: Registration, request: FastifyRequest, reply: FastifyReply) {
    this.#registration = registration
    this.#request = request
    this.#reply = reply
    this.#response = new SessionResponse(registration, reply)
    this.session = new SessionMap(this) as Session
  }

  /** Loads the session that the request's cookies open; at once where the store answers at once. */
  load (): Awaitable<void> {
    const { cookie } = this.#request.headers
    if (!mayCarryToken(this.#registration, cookie) || hasOptedOut(this.#request)) return
    return recover(() => {
      this.#response.tokens = readTokens(this.#registration, cookie, this.#request.cookies)
      return andThen(loadSession(this.#registration, this.#tokens, this.#request.log), (state) => { this.#use(state) })
    }, (reason) => this.#loadFailed(thrownError(reason)))
  }

  /** The store failed. There is a session all the same, if only for the handler of the error. */
  #loadFailed (error: Error): void {
    logLine(this.#request.log, 'error', { err: error.cause ?? error }, 'the session could not be loaded')
    this.#use(unavailableSession(this.#registration))
    if (this.#registration.config.onStoreError === 'fail') throw error
  }

  /** Where none was loaded it is made at the first look; most visitors' requests never look. */
  get state (): SessionState {
    this.#response.isLookedAt = true
    return this.#state ?? this.#begin()
  }

  #begin (): SessionState {
    const { config: { property }, settings } = this.#registration
    if (hasOptedOut(this.#request)) throw new NotCoveredError(property, 'the route opted out with config: { session: false }')
    return this.#use(new SessionState(settings, settings.clock.now()))
  }

  #use (state: SessionState): SessionState {
    state.listener = this
    this.#state = state
    return state
  }

  changing (): void {
    this.#watch ??= new ChangeWatch(this.#reply, () => hasUnsaved(this.#state as SessionState))
    this.#watch.changing()
  }

  foundCorrupt (id: string): void {
    reportCorrupt(this.#registration, id, 'value', this.#request.log)
  }

  overrideCookie (attributes: SessionCookieAttributes): void {
    this.changing()
    this.#response.overrideCookie(attributes)
  }

  async save (): Promise<boolean> {
    const { state } = this
    if (state.status === 'unavailable') await this.reload()
    state.usedAt = state.now()
    state.collect()
    if (areHeadersSent(this.#request, this.#reply) && needsNewCookie(planSave(state), state)) {
      throw new CookieNotDeliverableError('the headers have been sent; save the session before')
    }
    try {
      this.#response.answer(await saveSession(this.#registration, state, this.#request.log), state)
      this.#hasFailed = false
    } catch (error) {
      this.#noteFailure(thrownError(error))
      throw error
    }
    // for a reply that goes on with reply.raw
    const line = this.#reply.getHeader('set-cookie')
    if (line !== undefined && !this.#reply.raw.headersSent) this.#reply.raw.setHeader('set-cookie', line as string | string[])
    return state.status === 'open'
  }

  reload (): Promise<void> {
    return reloadSession(this.#registration, this.state, this.#tokens, this.#request.log)
  }

  update (key: string, step: ValueStep): Promise<unknown> {
    return updateAtOnce(this, this.#saving, key, step)
  }

  take (key: string): Promise<unknown> {
    return takeAtOnce(this, this.#saving, key)
  }

  /** Saves what is pending, for the response with this payload; at once where there is nothing to wait for. */
  finish (payload: unknown): Awaitable<void> {
    const state = this.#state
    if (state === null) return this.#response.tellCaches(payload)
    // an error that came after the save leads here again, with a response of its own
    if (this.#isSaved) this.#response.keepCookie()
    this.#isSaved = true
    // nothing is tried twice: a failed save leads here again too
    if (this.#hasFailed) return
    const { saveOn } = this.#registration.config
    return recover(() => {
      if (saveOn === 'success' && sentStatus(this.#reply, payload) >= 500) state.dropChanges()
      const saving = state.isUntouched ? 'none' : saveSession(this.#registration, state, this.#request.log)
      return andThen(saving, (action) => {
        this.#watch?.saved()
        this.#response.answer(action, state)
        this.#response.tellCaches(payload)
      })
    }, (reason) => this.#finishFailed(thrownError(reason), payload))
  }

  #finishFailed (error: Error, payload: unknown): void {
    this.#noteFailure(error)
    // a request that changed nothing loses nothing
    const canGoOn = this.#registration.config.onStoreError === 'anonymous' && isStoreFailure(error) && !hasUnsaved(this.#state as SessionState)
    if (!canGoOn) throw error
    this.#response.tellCaches(payload)
  }

  #noteFailure (error: Error): void {
    this.#hasFailed = true
    logLine(this.#request.log, 'error', { err: error.cause ?? error }, 'the session could not be saved')
    // a logout clears the cookie even if the store cannot be told
    if (this.#state?.draft?.identity === 'destroyed') this.#response.clearCookie()
  }

  get #tokens (): readonly string[] {
    return this.#response.tokens.map(({ token }) => token)
  }

  get #saving (): Save {
    return { context: this.#registration, state: this.state, log: this.#request.log }
  }
}

/** A WebSocket takes over the connection of its request: the response of a hijacked upgrade is never written. */
function areHeadersSent (request: FastifyRequest, reply: FastifyReply): boolean {
  const { upgrade } = request.raw as { upgrade?: boolean }
  return reply.raw.headersSent || (upgrade === true && reply.sent)
}

function isStoreFailure (error: Error): boolean {
  return error instanceof StoreError || error instanceof StoreTimeoutError
}

/** A value that cannot even be encoded was not saved either. */
function hasUnsaved (state: SessionState): boolean {
  try {
    return isModified(state)
  } catch {
    return true
  }
}
