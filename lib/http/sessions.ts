// A session without a request: by a cookie header, for a test, in a count.
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { NotListedError } from '../errors.js'
import type { DenialReason, SessionCounts } from '../events.js'
import { Message } from '../message.js'
import { ownerNamed } from '../record/owner.js'
import { isId } from '../record/token.js'
import { SessionState } from '../session/session-state.js'
import type { Session } from '../session/session.js'
import { issueSession } from '../store/begin-session.js'
import { loadSession, unavailableSession, type PresentedToken } from '../store/load-session.js'
import { ownedSessions, revokeEvery, revokeOne, revokeOwned } from '../store/owned-sessions.js'
import type { SessionOwners } from '../../types/owners.js'
import type { SessionData, SessionValues } from '../../types/session-data.js'
import type { SessionStore } from '../../types/store.js'
import { foreignReason, mayActForUser } from './cross-site.js'
import { mayComeFromAnywhere } from './cross-site-route.js'
import { DetachedSession } from './detached-session.js'
import { beginIssued, type IssueOptions } from './issue-options.js'
import { idsNamed, lastSeenFirst, listedSession, refuseOtherOptions, type ListedSession, type SessionHandle, type SessionOwner } from './listed-session.js'
import { mayCarryToken, readTokens } from './read-tokens.js'
import type { Registration } from './registration.js'
import { cookieValue } from './response-cookie.js'
import { policyOf, type SessionPolicy } from './session-policy.js'

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

/** `app.sessions`: sessions outside a request. A second session has its own type: `Sessions<AdminData>`. */
export class Sessions<Data = SessionData> {
  readonly #registration: Registration
  readonly #log: FastifyBaseLogger

  /** Made by the plugin; an app finds it at `app.sessions`. */
  constructor (registration: Registration, log: FastifyBaseLogger) {
    this.#registration = registration
    this.#log = log
  }

  /**
   * The session that a `Cookie` header opens, for a WebSocket's upgrade and
   * anything else without a request; an empty one when it opens none. Nobody
   * saves it by itself: call `save()`. Throws a `StoreError` when the store fails.
   */
  async load (cookieHeader: string | undefined): Promise<Session<Data>> {
    const tokens = mayCarryToken(this.#registration, cookieHeader) ? readTokens(this.#registration, cookieHeader, null) : []
    return new DetachedSession(this.#registration, this.#log, await this.#load(tokens), tokens).session as unknown as Session<Data>
  }

  /**
   * A new session that holds these values, and the cookie that opens it: for tests
   * and scripts. `await app.inject({ url: '/me', cookies: (await app.sessions.issue({ userId: 1 })).cookies })`
   * With `createdAt` the user logged in at that time, and the session was last used now. Throws an `InvalidArgumentError` for options that cannot work.
   */
  async issue (values: SessionValues<Data> = {}, options: IssueOptions = {}): Promise<IssuedSession> {
    const { settings, config: { cookieName } } = this.#registration
    const state = new SessionState(settings, settings.clock.now())
    beginIssued(state, Object.entries(values), options)
    const { id, cookieToken } = await issueSession({ context: this.#registration, state, log: this.#log })
    const value = cookieValue(this.#registration, cookieToken)
    return { sessionId: id, cookies: { [cookieName]: value }, headers: { cookie: `${cookieName}=${value}` } }
  }

  /**
   * The live sessions of a user, last seen first. Needs `ownerKey`. With `current`, that of this request, which of them it is:
   * `await app.sessions.list(userId, { current: request.session })`. Throws an `InvalidOwnerError` for what can be no owner, a `StoreError` when the store fails.
   */
  async list (owner: SessionOwner, options: { current?: SessionHandle } = {}): Promise<ListedSession[]> {
    refuseOtherOptions('list()', options, ['current'])
    const { owners, name } = this.#ownerNamed('list()', owner)
    const current = idsNamed('list()', options, 'current')
    const sessions = await ownedSessions(this.#registration, owners, name, this.#log)
    return sessions.map((session) => listedSession(session, this.#registration.settings.lifetime, current)).sort(lastSeenFirst)
  }

  /**
   * Ends one session. With `owner` only if it is theirs, so that a handle from a form may be passed on: `await app.sessions.revoke(request.body.sessionId, { owner: userId })`.
   * False when there was none to end. Throws a `StoreError` when the store fails.
   */
  async revoke (sessionId: string, options: { owner?: SessionOwner } = {}): Promise<boolean> {
    refuseOtherOptions('revoke()', options, ['owner'])
    const name = 'owner' in options ? this.#ownerNamed('revoke()', options.owner).name : null
    return isId(sessionId) && await revokeOne(this.#registration, sessionId, name, this.#log)
  }

  /**
   * Ends every session of a user, in slices, and answers with how many. `except: request.session` leaves that one: for a change of the password.
   * Needs `ownerKey`. A login whose password was checked before, and which is stored after, is a new session and stays; to end that too, store a version of the
   * password with the login and compare it in a guard. Throws an `InvalidOwnerError` for what can be no owner, a `StoreError` when the store fails: then call it again.
   *
   * Without an owner it ends every session in the store, those of other registrations with it. Needs no `ownerKey`, but a store that knows its sessions, as every store of this package does but one made for express-session;
   * throws a `NotListedError` otherwise. Who logs in before it returns may be logged out, too.
   */
  revokeAll (): Promise<number>
  revokeAll (owner: SessionOwner, options?: { except?: SessionHandle }): Promise<number>
  async revokeAll (...args: [owner?: SessionOwner, options?: { except?: SessionHandle }]): Promise<number> {
    // `revokeAll(undefined)` is a mistake about one user, and must not end everybody's
    if (args.length === 0) return revokeEvery(this.#registration, this.#everyId(), this.#log)
    const [owner, options = {}] = args
    refuseOtherOptions('revokeAll()', options, ['except'])
    const { owners, name } = this.#ownerNamed('revokeAll()', owner)
    return revokeOwned(this.#registration, owners, name, idsNamed('revokeAll()', options, 'except'))
  }

  #everyId (): NonNullable<SessionStore['ids']> {
    const { ids } = this.#registration.store
    if (ids === undefined) throw new NotListedError('revokeAll()', 'the store does not know its sessions; name an owner, or empty the store with its own tools')
    return ids
  }

  #ownerNamed (call: string, owner: unknown): { owners: SessionOwners, name: string } {
    const { owners, settings: { namespace } } = this.#registration
    if (owners === null) throw new NotListedError(call, "register the session with ownerKey, such as 'userId'")
    return { owners, name: ownerNamed(namespace, owner) }
  }

  /** Counts since the start, and the store's own. */
  stats (): SessionStats {
    const { counts } = this.#registration.events
    const { size = null, bytes = null, expired = 0, evicted = 0 } = this.#registration.config.store
    return { ...counts, expired: counts.expired + expired, evicted, size, bytes }
  }

  /** The limits in force, for an auditor: frozen, plain data, and no key. What guards ask for is said where they are. */
  policy (): SessionPolicy {
    return policyOf(this.#registration.config)
  }

  /** Takes note that a guard turned away a request with this session. Not for apps, so a static. */
  static deny (sessions: Sessions, session: Session | null, reason: DenialReason): void {
    sessions.#registration.events.emit('denied', session === null || session.isNew ? null : session.sessionId, { reason })
  }

  /** Whether the request comes from another site, and may not act with a session. Not for apps, so a static. */
  static isForeign (sessions: Sessions, request: FastifyRequest): boolean {
    const { crossSite, trustedOrigins } = sessions.#registration.config
    return mayActForUser(request) && !mayComeFromAnywhere(request, crossSite) && foreignReason(request, trustedOrigins) !== null
  }

  /** Whether a published event, or a call of the store, is one of these sessions. Not for apps, so a static. */
  static isSourceOf (sessions: Sessions, message: unknown): boolean {
    const { events, config: { store } } = sessions.#registration
    return Message.isFrom(message, events) || Message.isFrom(message, store)
  }

  async #load (tokens: readonly PresentedToken[]): Promise<SessionState> {
    try {
      return await loadSession(this.#registration, tokens, this.#log)
    } catch (error) {
      if (this.#registration.config.onStoreError === 'fail') throw error
      return unavailableSession(this.#registration)
    }
  }
}
