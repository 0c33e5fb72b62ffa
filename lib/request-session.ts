// The session of one request and its reply: opened before the handler, closed
// before the headers leave, saved in between where the app asks for it.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isPromise } from './awaitable.js'
import { varyOnCookie } from './cache-headers.js'
import { CookieNotDeliverableError, NotCoveredError, StoreError, StoreTimeoutError } from './errors.js'
import { loadSession, reloadSession, unavailableSession } from './load-session.js'
import { hasOptedOut } from './opted-out.js'
import { isModified, needsNewCookie, planSave } from './save-plan.js'
import { saveSession, type CookieAction } from './save-session.js'
import { SessionMap, type Session, type SessionBacking } from './session.js'
import type { SessionContext } from './session-context.js'
import { clearCookie, mayCarryToken, renewCookie, sendCookie } from './session-cookie.js'
import { SessionState } from './session-state.js'
import { warnUnsaved } from './warnings.js'
import type { Awaitable } from '../types/store.js'

export type Done = (error?: Error) => void

export class RequestSession implements SessionBacking {
  readonly session: Session
  readonly #context: SessionContext
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  #state: SessionState | null = null
  #failed = false

  constructor (context: SessionContext, request: FastifyRequest, reply: FastifyReply) {
    this.#context = context
    this.#request = request
    this.#reply = reply
    this.session = new SessionMap(this) as Session
  }

  /** Loads the session that the request's cookies open. Calls back in the same tick when there is nothing to wait for. */
  open (done: Done): void {
    const { cookie } = this.#request.headers
    if (!mayCarryToken(this.#context, cookie) || hasOptedOut(this.#request)) return done()
    let loading: Awaitable<SessionState>
    try {
      loading = loadSession(this.#context, cookie, this.#request.cookies, this.#request.log)
    } catch (error) {
      return this.#openWithout(error as Error, done)
    }
    if (isPromise(loading)) return this.#openWhenLoaded(loading, done)
    this.#use(loading)
    done()
  }

  #openWhenLoaded (loading: Promise<SessionState>, done: Done): void {
    loading.then((state) => {
      this.#use(state)
      done()
    }, (error: Error) => this.#openWithout(error, done))
  }

  /** The store failed. There is a session all the same, if only for the handler of the error. */
  #openWithout (error: Error, done: Done): void {
    this.#request.log.error({ err: error.cause ?? error }, 'the session could not be loaded')
    this.#use(unavailableSession(this.#context))
    done(this.#context.config.onStoreError === 'fail' ? error : undefined)
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
      this.#noteFailure(error as Error)
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

  /** Saves what is pending, then lets the response go. Calls back in the same tick when there is nothing to wait for. */
  close (done: Done): void {
    // nothing is tried twice: a failed save leads here again, with the error's own response
    if (this.#state === null || this.#failed) return done()
    const { saveOn } = this.#context.config
    if (saveOn === 'success' && this.#reply.statusCode >= 500) this.#state.dropChanges()
    try {
      const saving = saveSession(this.#context, this.#state, this.#request.log)
      if (isPromise(saving)) return this.#closeWhenSaved(saving, done)
      this.#answer(saving)
    } catch (error) {
      return this.#fail(error as Error, done)
    }
    done()
  }

  #closeWhenSaved (saving: Promise<CookieAction>, done: Done): void {
    const release = holdReply(this.#reply)
    saving.then((action) => {
      release()
      this.#answer(action)
      done()
    }, (error: Error) => {
      release()
      this.#fail(error, done)
    })
  }

  #answer (action: CookieAction): void {
    if (action === 'send') sendCookie(this.#context, this.#reply, this.state)
    if (action === 'renew') renewCookie(this.#context, this.#reply, this.state)
    if (action === 'clear') clearCookie(this.#context, this.#reply, this.state)
    if (this.state.used) varyOnCookie(this.#reply)
  }

  /** onSend never runs for a hijacked or raw response: what is still unsaved when it has gone is lost. */
  #finished (state: SessionState): void {
    if (!this.#failed && hasUnsaved(state)) warnUnsaved(this.#request)
  }

  #fail (error: Error, done: Done): void {
    this.#noteFailure(error)
    // a request that changed nothing loses nothing but a renewal
    const canGoOn = this.#context.config.onStoreError === 'anonymous' && isStoreFailure(error) && !isModified(this.state)
    done(canGoOn ? undefined : error)
  }

  #noteFailure (error: Error): void {
    this.#failed = true
    this.#request.log.error({ err: error.cause ?? error }, 'the session could not be saved')
    // whoever logs out loses the cookie even if the store cannot be told
    if (this.state.status === 'destroyed') clearCookie(this.#context, this.#reply, this.state)
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

/**
 * Until the save is done the reply counts as sent. Fastify takes a hook that
 * replied without returning the reply for one that did not reply, and would run
 * the handler that the hook was guarding.
 */
function holdReply (reply: FastifyReply): () => void {
  Object.defineProperty(reply, 'sent', { value: true, configurable: true })
  return () => { delete (reply as { sent?: boolean }).sent }
}
