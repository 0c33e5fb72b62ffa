// Loads the session of one request: from its cookies to a session that it may have. Only one
// that it may have is renewed.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { andThen, isPromise, recover } from '../awaitable.js'
import { CrossSiteError } from '../errors.js'
import { logLine } from '../log-line.js'
import type { StoredSession } from '../session/layers.js'
import type { Session } from '../session/session.js'
import type { SessionState } from '../session/session-state.js'
import { endInvalid } from '../store/end-session.js'
import { closedSession, findSession, readySession, reloadSession, unavailableSession } from '../store/load-session.js'
import { thrownError } from '../thrown-error.js'
import { warnUntrustedOrigin } from '../warnings.js'
import type { Awaitable } from '../../types/store.js'
import { askValidate, type SessionValidator, type Validity } from './ask-validate.js'
import { describeForeign, foreignReason, headersLookedAt, mayActForUser } from './cross-site.js'
import { mayComeFromAnywhere } from './cross-site-route.js'
import { readTokens, type CookieToken } from './read-tokens.js'
import { closeAfterResponse } from './refused-upgrade.js'
import type { Registration } from './registration.js'

/** Who the session is loaded for. */
export interface LoadedFor {
  readonly session: Session
  /** The state behind the session from now on. */
  use (state: SessionState): void
  /** The cookie opens nothing any more. */
  forgetCookie (): void
}

export class SessionLoader {
  tokens: readonly CookieToken[] = []
  /** What a decision about another site depended on, for `Vary`. */
  lookedAt: readonly string[] | null = null
  readonly #registration: Registration
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #for: LoadedFor

  constructor (registration: Registration, request: FastifyRequest, reply: FastifyReply, loadedFor: LoadedFor) {
    this.#registration = registration
    this.#request = request
    this.#reply = reply
    this.#for = loadedFor
  }

  /** Loads what the cookies open; at once where the store answers at once. */
  load (cookie: string): Awaitable<void> {
    if (this.#request.headers.upgrade !== undefined) closeAfterResponse(this.#request, this.#reply)
    const found = recover(() => {
      this.tokens = readTokens(this.#registration, cookie, this.#request.cookies)
      return findSession(this.#registration, this.tokens, this.#request.log)
    }, (reason) => this.#loadFailed(thrownError(reason)))
    return isPromise(found) ? found.then((state) => this.#enter(state)) : this.#enter(found)
  }

  #enter (found: SessionState): Awaitable<void> {
    const admitted = this.#admit(found)
    return isPromise(admitted) ? admitted.then((state) => { this.#for.use(state) }) : this.#for.use(admitted)
  }

  /** Reads it again. What was not there to be admitted is admitted now. */
  reload (current: SessionState): Promise<void> {
    return reloadSession(this.#registration, current, this.#request.log, async () => {
      try {
        return await this.#admit(await findSession(this.#registration, this.tokens, this.#request.log))
      } finally {
        this.#for.use(current)
      }
    })
  }

  /** The store failed. There is a session all the same, if only for the handler of the error. */
  #loadFailed (error: Error): SessionState {
    logLine(this.#request.log, 'error', { err: error.cause ?? error }, 'the session could not be loaded')
    const unavailable = unavailableSession(this.#registration)
    if (this.#registration.config.onStoreError === 'anonymous') return unavailable
    this.#for.use(unavailable)
    throw error
  }

  /** What the request gets of what was found. Throws where it gets nothing, not even a handler. */
  #admit (found: SessionState): Awaitable<SessionState> {
    if (found.openedIds.length === 0) return found
    if (mayActForUser(this.#request)) this.#refuseForeign(found)
    const { config: { validate } } = this.#registration
    const { stored } = found
    if (validate === null || stored === null) return this.#ready(found)
    return andThen(this.#ask(validate, found), (validity) => validity === false ? this.#end(found, stored) : this.#ready(found, validity))
  }

  #refuseForeign (found: SessionState): void {
    const { config: { crossSite, trustedOrigins }, events } = this.#registration
    if (mayComeFromAnywhere(this.#request, crossSite)) return
    this.lookedAt = headersLookedAt(this.#request)
    const reason = foreignReason(this.#request, trustedOrigins)
    if (reason === null) return
    if (reason === 'foreign-origin') warnUntrustedOrigin(this.#request)
    const closed = closedSession(this.#registration, found)
    this.#for.use(closed)
    events.emit('denied', closed.id, { reason })
    throw new CrossSiteError({ cause: new Error(describeForeign(this.#request)) })
  }

  #ask (validate: SessionValidator, found: SessionState): Awaitable<Validity> {
    this.#for.use(found)
    return recover(() => askValidate(validate, this.#for.session, this.#request, this.#registration.config.storeTimeout), (error) => {
      const { id } = this.#close(found)
      this.#registration.events.emit('denied', id, { reason: 'validate-failed' })
      throw error
    })
  }

  #end (found: SessionState, stored: StoredSession): Awaitable<SessionState> {
    const closed = this.#close(found)
    return andThen(endInvalid(this.#registration, stored, this.#request.log), (result) => {
      if (result === 'done') this.#for.forgetCookie()
      return closed
    })
  }

  /** Whatever comes next in this request, it is without the session. A logout still ends what it came with. */
  #close (found: SessionState): SessionState {
    const closed = closedSession(this.#registration, found)
    closed.openedIds = found.openedIds
    this.#for.use(closed)
    return closed
  }

  #ready (found: SessionState, validity: Validity = true): Awaitable<SessionState> {
    const ready = readySession(this.#registration, found, this.#request.log)
    // a WebSocket's response carries no cookie
    if (validity !== 'rotate' || this.#request.headers.upgrade !== undefined) return ready
    return andThen(ready, (state) => {
      state.rotate()
      return state
    })
  }
}
