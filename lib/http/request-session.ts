// The session of one request and its reply: opened before the handler, closed
// before the headers leave, saved in between where the app asks for it.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isPromise } from '../awaitable.js'
import { keepVaryOnCookie, varyOnCookie } from './cache-headers.js'
import { CookieNotDeliverableError, NotCoveredError, StoreError, StoreTimeoutError } from '../errors.js'
import { loadSession, reloadSession, unavailableSession } from '../store/load-session.js'
import { logLine } from '../log-line.js'
import { hasOptedOut } from './opted-out.js'
import { isModified, needsNewCookie, planSave } from '../session/save-plan.js'
import { saveSession, type CookieAction } from '../store/save-session.js'
import { SessionMap, type Session, type SessionBacking } from '../session/session.js'
import type { SessionContext } from './registration.js'
import { clearCookie, keepCookie, mayCarryToken, renewCookie, sendCookie } from './session-cookie.js'
import { SessionState } from '../session/session-state.js'
import { thrownError } from '../thrown-error.js'
import { warnUnsaved } from '../warnings.js'
import { isWebResponse, sentStatus } from './web-response.js'
import type { Awaitable } from '../../types/store.js'

export class RequestSession implements SessionBacking {
  readonly session: Session
  readonly #context: SessionContext
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  #state: SessionState | null = null
  #failed = false
  #closed = false

  constructor (context: SessionContext, request: FastifyRequest, reply: FastifyReply) {
    this.#context = context
    this.#request = request
    this.#reply = reply
    this.session = new SessionMap(this) as Session
  }

  /** Loads the session that the request's cookies open; at once where the store answers at once. */
  open (): Awaitable<void> {
    const { cookie } = this.#request.headers
    if (!mayCarryToken(this.#context, cookie) || hasOptedOut(this.#request)) return
    try {
      const loading = loadSession(this.#context, cookie, this.#request.cookies, this.#request.log)
      if (isPromise(loading)) return loading.then((state) => { this.#use(state) }, (reason: unknown) => this.#openWithout(reason))
      this.#use(loading)
    } catch (reason) {
      this.#openWithout(reason)
    }
  }

  /** The store failed. There is a session all the same, if only for the handler of the error. */
  #openWithout (reason: unknown): void {
    const error = thrownError(reason)
    logLine(this.#request.log, 'error', { err: error.cause ?? error }, 'the session could not be loaded')
    this.#use(unavailableSession(this.#context))
    if (this.#context.config.onStoreError === 'fail') throw error
  }

  /** Where none was loaded it is made at the first look; most visitors' requests never look. */
  get state (): SessionState {
    return this.#state ?? this.#begin()
  }

  #begin (): SessionState {
    if (hasOptedOut(this.#request)) {
      throw new NotCoveredError(this.#context.config.property, 'the route opted out with config: { session: false }')
    }
    return this.#use(new SessionState(this.#context.settings, null))
  }

  #use (state: SessionState): SessionState {
    state.onPending = () => this.#reply.raw.on('finish', () => this.#finished(state))
    this.#state = state
    return state
  }

  get cookieName () { return this.#context.config.cookieName }
  get cookie () { return this.#context.config.cookie }

  async save (): Promise<boolean> {
    const { state } = this
    if (headersAreGone(this.#request, this.#reply) && needsNewCookie(planSave(state))) {
      throw new CookieNotDeliverableError('the headers have been sent; save the session before')
    }
    try {
      this.#answer(await saveSession(this.#context, state, this.#request.log))
      this.#failed = false
    } catch (error) {
      this.#noteFailure(thrownError(error))
      throw error
    }
    // for whoever goes on with reply.raw
    const line = this.#reply.getHeader('set-cookie')
    if (line !== undefined && !this.#reply.raw.headersSent) this.#reply.raw.setHeader('set-cookie', line as string | string[])
    return state.status === 'kept'
  }

  reload (): Promise<void> {
    return reloadSession(this.#context, this.state, this.#request.log)
  }

  /** Saves what is pending, for the response with this payload; at once where there is nothing to wait for. */
  close (payload: unknown): Awaitable<void> {
    const state = this.#state
    if (state === null) return
    // an error that came after the save leads here again, with a response of its own
    const { cookieLine } = state
    if (cookieLine !== null && this.#closed) keepCookie(this.#reply, cookieLine)
    this.#closed = true
    // nothing is tried twice: a failed save leads here again too
    if (this.#failed) return
    try {
      const { saveOn } = this.#context.config
      if (saveOn === 'success' && sentStatus(this.#reply, payload) >= 500) state.dropChanges()
      const saving = saveSession(this.#context, state, this.#request.log)
      if (isPromise(saving)) return saving.then((action) => this.#answer(action, payload)).catch((reason: unknown) => this.#fail(reason, payload))
      this.#answer(saving, payload)
    } catch (reason) {
      this.#fail(reason, payload)
    }
  }

  #answer (action: CookieAction, payload?: unknown): void {
    if (action === 'send') sendCookie(this.#context, this.#reply, this.state)
    if (action === 'renew') renewCookie(this.#context, this.#reply, this.state)
    if (action === 'clear') clearCookie(this.#context, this.#reply, this.state)
    this.#tellCaches(payload)
  }

  #tellCaches (payload: unknown): void {
    const { used, cookieLine } = this.state
    if (used) varyOnCookie(this.#reply)
    if ((used || cookieLine !== null) && isWebResponse(payload)) keepVaryOnCookie(this.#reply)
  }

  /** onSend never runs for a hijacked or raw response: what is still unsaved when it has gone is lost. */
  #finished (state: SessionState): void {
    if (!this.#failed && hasUnsaved(state)) warnUnsaved(this.#request)
  }

  #fail (reason: unknown, payload: unknown): void {
    const error = thrownError(reason)
    this.#noteFailure(error)
    // a request that changed nothing loses nothing but a renewal
    const canGoOn = this.#context.config.onStoreError === 'anonymous' && isStoreFailure(error) && !hasUnsaved(this.state)
    if (!canGoOn) throw error
    this.#tellCaches(payload)
  }

  #noteFailure (error: Error): void {
    this.#failed = true
    logLine(this.#request.log, 'error', { err: error.cause ?? error }, 'the session could not be saved')
    if (this.state.status === 'destroyed') this.#clearUnsaved()
  }

  /** Who logs out loses the cookie even if the store cannot be told. */
  #clearUnsaved (): void {
    try {
      clearCookie(this.#context, this.#reply, this.state)
    } catch (error) {
      logLine(this.#request.log, 'error', { err: error }, 'the session cookie could not be cleared')
    }
  }
}

/** A WebSocket takes over the connection of its request: the response of a hijacked upgrade is never written. */
function headersAreGone (request: FastifyRequest, reply: FastifyReply): boolean {
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
