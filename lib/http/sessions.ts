// A session without a request: by a cookie header, for a test, in a count.
import type { FastifyBaseLogger } from 'fastify'
import type { DenialReason, SessionCounts } from '../events.js'
import { CookieNotDeliverableError } from '../errors.js'
import { loadSession, reloadSession, unavailableSession } from '../store/load-session.js'
import { needsNewCookie, planSave } from '../session/save-plan.js'
import { saveSession } from '../store/save-session.js'
import { SessionMap, type Session, type SessionBacking } from '../session/session.js'
import type { SessionContext } from './registration.js'
import { cookieValue } from './session-cookie.js'
import { SessionState } from '../session/session-state.js'
import type { SessionValues } from '../../types/session-data.js'

/** A session made by `issue`, with what opens it. */
export interface IssuedSession {
  /** The public handle. */
  readonly sessionId: string
  /** For `app.inject({ cookies })`. */
  readonly cookies: Record<string, string>
  /** For `fetch`, a WebSocket client or `app.inject({ headers })`. */
  readonly headers: {
    /** Name and value, as a browser would send them. */
    cookie: string
  }
}

/** What this registration has seen since it started, and what its store holds where it counts. */
export interface SessionStats extends SessionCounts {
  /** Live sessions that a bounded store had to drop. */
  evicted: number
  /** Sessions in the store now; `null` when the store does not count. */
  size: number | null
  /** The memory they take; `null` when the store does not count. */
  bytes: number | null
}

/** `app.sessions`: sessions outside a request. */
export class Sessions {
  readonly #context: SessionContext
  readonly #log: FastifyBaseLogger

  /** Made by the plugin; an app finds it at `app.sessions`. */
  constructor (context: SessionContext, log: FastifyBaseLogger) {
    this.#context = context
    this.#log = log
  }

  /**
   * The session that a `Cookie` header opens, for a WebSocket's upgrade and
   * anything else without a request; an empty one when it opens none. Nobody
   * saves it by itself: call `save()`. Throws a `StoreError` when the store fails.
   */
  async load (cookieHeader: string | undefined): Promise<Session> {
    return new DetachedSession(this.#context, this.#log, await this.#open(cookieHeader)).session
  }

  /**
   * A new session that holds these values, and the cookie that opens it: for tests
   * and scripts. `await app.inject({ url: '/me', cookies: (await app.sessions.issue({ userId: 1 })).cookies })`
   */
  async issue (values: SessionValues = {}): Promise<IssuedSession> {
    const state = new SessionState(this.#context.settings, null)
    state.rotate() // stored even when it holds nothing
    state.setMany(Object.entries(values))
    await saveSession(this.#context, state, this.#log)
    const { token, id } = state.identity()
    const { cookieName } = this.#context.config
    const value = cookieValue(this.#context, token)
    return { sessionId: id, cookies: { [cookieName]: value }, headers: { cookie: `${cookieName}=${value}` } }
  }

  /** Counts since the start, and the store's own. */
  stats (): SessionStats {
    const { counts } = this.#context.events
    const { size = null, bytes = null, expired = 0, evicted = 0 } = this.#context.config.store
    return { ...counts, expired: counts.expired + expired, evicted, size, bytes }
  }

  /** Takes note that a guard turned away a request with this session. Not for apps, so a static. */
  static deny (sessions: Sessions, session: Session | null, reason: DenialReason): void {
    sessions.#context.events.emit('denied', session === null || session.isNew ? null : session.sessionId, { reason })
  }

  async #open (cookieHeader: string | undefined): Promise<SessionState> {
    try {
      return await loadSession(this.#context, cookieHeader, null, this.#log)
    } catch (error) {
      if (this.#context.config.onStoreError === 'fail') throw error
      return unavailableSession(this.#context)
    }
  }
}

/** A session without a reply: what it saves must not need a new cookie. */
class DetachedSession implements SessionBacking {
  readonly session: Session
  readonly state: SessionState
  readonly #context: SessionContext
  readonly #log: FastifyBaseLogger

  constructor (context: SessionContext, log: FastifyBaseLogger, state: SessionState) {
    this.#context = context
    this.#log = log
    this.state = state
    this.session = new SessionMap(this) as Session
  }

  get cookieName () { return this.#context.config.cookieName }
  get cookie () { return this.#context.config.cookie }

  async save (): Promise<boolean> {
    if (needsNewCookie(planSave(this.state))) {
      throw new CookieNotDeliverableError('there is no response here; begin the session in a request, or with app.sessions.issue()')
    }
    await saveSession(this.#context, this.state, this.#log)
    return this.state.status === 'kept'
  }

  reload (): Promise<void> {
    return reloadSession(this.#context, this.state, this.#log)
  }
}
