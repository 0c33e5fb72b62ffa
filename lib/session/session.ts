// The session as an app sees it: a small typed map that belongs to one browser.
// What a method changes is saved before the response leaves.
import { inspect } from 'node:util'
import type { SessionCookieAttributes } from '../../types/options.js'
import type { IndexedValues, KeepList, SessionData, SessionKey, SessionValue, SessionValues } from '../../types/session-data.js'
import { MissingKeyError } from '../errors.js'
import { keysToKeep, lifetimeChange, refuseCallback, refuseOtherKeys, refuseOtherThanFunction, type LifetimeChange } from './arguments.js'
import { expiresAtOf } from './deadlines.js'
import { freezeClass, HOST, IndexAccess } from './index-access.js'
import { draftOf } from './new-record.js'
import { isModified } from './save-plan.js'
import type { SessionHost, ValueStep } from './session-host.js'
import type { SessionState } from './session-state.js'

/** Sessions are made by the plugin; an app finds its own at `request.session`. */
export class SessionMap<Data = SessionData> extends IndexAccess<SessionHost> {
  /** The value, or `undefined`. Changes inside a value you got are saved too. */
  get<K extends SessionKey<Data>> (key: K): SessionValue<K, Data> | undefined {
    return this[HOST].state.get(key) as SessionValue<K, Data> | undefined
  }

  /** The value; throws an error with status 401 when it is absent. */
  getOrThrow<K extends SessionKey<Data>> (key: K): Exclude<SessionValue<K, Data>, undefined> {
    const value = this[HOST].state.get(key)
    if (value === undefined) throw new MissingKeyError({ cause: new Error(`the session has no '${key}'`) })
    return value as Exclude<SessionValue<K, Data>, undefined>
  }

  /** Stores the value; `undefined` removes the key. Any string is a key. Values may be JSON types, Date, Map, Set, BigInt, RegExp, URL, Uint8Array and Buffer, nested at will; anything else throws, naming key and path. */
  set<K extends SessionKey<Data>> (key: K, value: SessionValue<K, Data> | undefined): void {
    refuseOtherKeys('set()', key)
    this[HOST].state.set(key, value)
  }

  /** `set` for every entry; all or, when one throws, none. */
  setMany (values: SessionValues<Data>): void {
    this[HOST].state.setMany(Object.entries(values))
  }

  /** Whether the key is there. */
  has (key: SessionKey<Data>): boolean {
    return this[HOST].state.has(key)
  }

  /** Drops the key; true if it was there. */
  remove (key: SessionKey<Data>): boolean {
    return this[HOST].state.remove(key)
  }

  /** The value, and drops it: for what is shown once, such as a flash message. What is corrupt stays. */
  pop<K extends SessionKey<Data>> (key: K): SessionValue<K, Data> | undefined {
    const value = this.get(key)
    if (value !== undefined) this[HOST].state.remove(key)
    return value
  }

  /** Drops every key, those of parallel requests too. Left empty, the session ends. */
  clear (): void {
    this[HOST].state.clear()
  }

  /** Every key with its value, as a plain object of copies: changing it changes nothing in the session. */
  data (): SessionValues<Data> {
    const { state } = this[HOST]
    return Object.fromEntries(state.keys().map((key) => [key, state.copyOf(key)])) as SessionValues<Data>
  }

  /**
   * Stores what `step` makes of the value, at once, and answers with what is stored then. Fifty requests that do this in parallel count to fifty: where another
   * one was faster `step` runs again, so it has no side effects and is not async. A session that is not stored yet stores it at the end, like a `set`. Throws a
   * `SessionEndedError` when the session has ended, and a `StoreError` when the store fails: then the change may have been stored.
   */
  update<K extends SessionKey<Data>, R extends SessionValue<K, Data> | undefined> (key: K, step: (current: SessionValue<K, Data> | undefined) => R): Promise<R> {
    refuseOtherKeys('update()', key)
    refuseOtherThanFunction('update()', step)
    return this[HOST].update(key, step as ValueStep) as Promise<R>
  }

  /** The value, exactly once: of all requests that take it one gets it, the others `undefined`, and so does everybody once the session has ended. */
  take<K extends SessionKey<Data>> (key: K): Promise<SessionValue<K, Data> | undefined> {
    refuseOtherKeys('take()', key)
    return this[HOST].take(key) as Promise<SessionValue<K, Data> | undefined>
  }

  /**
   * A login: a new session under a new id, both timers from the start, and of the values only the listed keys, or `'all'`. So nothing that an attacker planted
   * before survives (ASVS 5.0, 7.2.4). A lifetime of its own stays. The old session has ended before the response is sent.
   */
  regenerate<K extends string = never> (keep: KeepList<K, Data> | 'all' = []): void {
    refuseCallback('regenerate()', keep)
    this[HOST].state.regenerate(keysToKeep(keep))
  }

  /** A new cookie for the same session; the old one works until a minute after the new one was first used. No answer to a thief, and no login. */
  rotate (): void {
    this[HOST].state.rotate()
  }

  /**
   * The user has just proved again who they are: a new cookie, and every older one is dead at once. Same id, values
   * and lifetime; both timers, and `fresh` of guards, from now. Throws a `SessionEndedError` where there is no session, here or at the save.
   */
  reauthenticated (): void {
    this[HOST].state.reauthenticate()
  }

  /** Ends the session: logout. Its record goes, its cookie goes; what is set afterwards belongs to a new one. */
  destroy (): void
  destroy (callback?: unknown): void {
    refuseCallback('destroy()', callback)
    this[HOST].state.destroy()
  }

  /**
   * This session's own lifetime, for "remember me"; what is left out stays as it is. `persistent` lets the cookie outlive
   * the browser's session. An `idle` beyond `absolute` throws: raise both.
   */
  lifetime (lifetime: LifetimeChange): void {
    this[HOST].state.setLifetime(lifetimeChange(lifetime, this[HOST].state.lifetime))
  }

  /** Other attributes for the cookie, in this response only. */
  options (attributes: SessionCookieAttributes): void {
    this[HOST].overrideCookie(attributes)
  }

  /** Moves the idle deadline with this response, even if less than a tenth of it has passed. */
  touch (): void {
    this[HOST].state.touch()
  }

  /** Saves now: for a hijacked reply, raw writes or a WebSocket; elsewhere it happens by itself. False when the session had ended, and what was pending is not stored. */
  save (): Promise<boolean>
  save (callback?: unknown): Promise<boolean> {
    refuseCallback('save()', callback)
    return this[HOST].save()
  }

  /** Drops the pending changes and reads the session again. */
  reload (): Promise<void>
  reload (callback?: unknown): Promise<void> {
    refuseCallback('reload()', callback)
    return this[HOST].reload()
  }

  /** The public handle, by which a session is logged, listed and revoked. It opens nothing. It changes at login only. */
  get sessionId (): string {
    return this[HOST].state.id
  }

  /** Whether the store does not hold this session yet. */
  get isNew (): boolean {
    return this[HOST].state.isNew
  }

  /** Whether there is something to save. */
  get isModified (): boolean {
    return isModified(this[HOST].state)
  }

  /** Whether the session this request came for has ended: logged out, or replaced by a login. Nothing that is set now will be stored. */
  get isEnded (): boolean {
    return this[HOST].state.status === 'ended'
  }

  /**
   * Aborted when the session ends, for WebSockets, server-sent events and long work: here at once, and by what another process does as soon as the store tells, a minute later at
   * most. `signal.reason` is a `SessionEndedError` whose `reason` says why, where that is known. Closing the app ends no session, so it aborts no signal.
   */
  get signal (): AbortSignal {
    return this[HOST].state.signal
  }

  /** When the session began, or its user last proved who they are; 0 for one that another library began. Milliseconds since the epoch. */
  get createdAt (): number {
    return this[HOST].state.createdAt
  }

  /** When it ends if nobody uses it after this request. Milliseconds since the epoch. */
  get expiresAt (): number {
    const { state } = this[HOST]
    return expiresAtOf(draftOf(state, state.draft ?? state.sent), state.now())
  }

  /** Shows the values; the token is not within reach. On the target, where `showProxy` looks, there is nothing. */
  [inspect.custom] (): unknown {
    return (this[HOST] as SessionHost | undefined) === undefined ? {} : this.data()
  }

  /** The state of a session, for this package only. A static, to leave the name to the app. */
  static stateOf (session: SessionMap): SessionState {
    return session[HOST].state
  }
}

freezeClass(SessionMap)

/** `request.session`: the map's methods, and every key as a property. */
export type Session<Data = SessionData> = SessionMap<Data> & IndexedValues<SessionMap<Data>, Data>
