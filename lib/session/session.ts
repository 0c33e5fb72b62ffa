// The session as an app sees it: a small typed map that belongs to one browser.
// Every method marks; what was marked is saved before the response leaves.
import { inspect } from 'node:util'
import { decode } from '../record/codec.js'
import { resolveCookieAttributes, type CookieAttributes } from '../cookie-attributes.js'
import { nextExpiresAt } from './deadlines.js'
import { DURATION_MEND, toMilliseconds } from '../duration.js'
import { InvalidArgumentError, MissingKeyError } from '../errors.js'
import { BEHIND, IndexAccess, freezeClass } from './index-access.js'
import { isModified } from './save-plan.js'
import { isExpired } from '../record/record.js'
import type { SessionState } from './session-state.js'
import type { Update } from './session-values.js'
import type { Duration, SessionCookieAttributes } from '../../types/options.js'
import type { IndexedValues, SessionKey, SessionValue, SessionValues } from '../../types/session-data.js'
import type { SessionRecord } from '../../types/store.js'

/** What a session marks, and who carries out what it asks for at once. */
export interface SessionBacking {
  readonly state: SessionState
  /** The cookie's name and attributes as the options have them. */
  readonly cookieName: string
  readonly cookie: CookieAttributes
  save (): Promise<boolean>
  reload (): Promise<void>
}

/** Sessions are made by the plugin; an app finds its own at `request.session`. */
export class SessionMap extends IndexAccess<SessionBacking> {
  /** The value, or `undefined`. Changes inside a value you got are saved too. */
  get<K extends SessionKey> (key: K): SessionValue<K> | undefined {
    return this[BEHIND].state.get(key) as SessionValue<K> | undefined
  }

  /** The value; throws an error with status 401 when it is absent. */
  getOrThrow<K extends SessionKey> (key: K): Exclude<SessionValue<K>, undefined> {
    const value = this[BEHIND].state.get(key)
    if (value === undefined) throw new MissingKeyError({ cause: new Error(`the session has no '${key}'`) })
    return value as Exclude<SessionValue<K>, undefined>
  }

  /**
   * Stores the value; `undefined` removes the key. Any string is a key. Values may
   * be JSON types, Date, Map, Set, BigInt, RegExp, URL, Uint8Array and Buffer, nested
   * at will; anything else throws, naming the key and the path.
   */
  set<K extends SessionKey> (key: K, value: SessionValue<K> | undefined): void {
    if (typeof key !== 'string') throw new InvalidArgumentError('set()', `a key of type ${typeof key}`, 'keys are strings')
    this[BEHIND].state.set(key, value)
  }

  /** `set` for every entry; all or, when one throws, none. */
  setMany (values: SessionValues): void {
    this[BEHIND].state.setMany(Object.entries(values))
  }

  /** Whether the key is there. */
  has (key: SessionKey): boolean {
    return this[BEHIND].state.has(key)
  }

  /** Drops the key; true if it was there. */
  remove (key: SessionKey): boolean {
    return this[BEHIND].state.remove(key)
  }

  /** The value, and drops it: for what is shown once, such as a flash message. */
  pop<K extends SessionKey> (key: K): SessionValue<K> | undefined {
    const { state } = this[BEHIND]
    const value = state.get(key) as SessionValue<K> | undefined
    state.remove(key)
    return value
  }

  /** Drops every key, those of parallel requests too. Left empty, the session ends. */
  clear (): void {
    this[BEHIND].state.clear()
  }

  /** Every key with its value, as a plain object of its own. */
  data (): SessionValues {
    const { state } = this[BEHIND]
    return Object.fromEntries(state.keys().map((key) => [key, state.get(key)])) as SessionValues
  }

  /**
   * Stores what `step` makes of the value, and returns it. Nothing is lost between
   * requests that do this at once: whoever saves later runs its step again, on
   * what the faster one stored. So `step` has no side effects and is not async.
   */
  update<K extends SessionKey> (key: K, step: (current: SessionValue<K> | undefined) => SessionValue<K> | undefined): SessionValue<K> | undefined {
    return this[BEHIND].state.update(key, step as Update) as SessionValue<K> | undefined
  }

  /**
   * A new session in the place of this one: new id, both timers from the start, and
   * only the listed keys go along. Call it at login, so that nothing an attacker
   * planted before survives (ASVS 5.0, 7.2.4). Saved in one atomic step: the old id
   * is dead before the response is sent.
   */
  regenerate (keep: readonly SessionKey[] = []): void {
    refuseCallback('regenerate()', keep)
    if (!Array.isArray(keep)) throw new InvalidArgumentError('regenerate()', typeof keep, 'give a list of keys to keep, or nothing')
    this[BEHIND].state.regenerate(keep)
  }

  /** A new id for the same session: same values, same `createdAt`, same absolute deadline. */
  rotate (): void {
    this[BEHIND].state.rotate()
  }

  /** Ends the session: logout. Its record goes, its cookie goes; what is set afterwards belongs to a new one. */
  destroy (): void
  destroy (callback?: unknown): void {
    refuseCallback('destroy()', callback)
    this[BEHIND].state.destroy()
  }

  /**
   * This session's own lifetime, for "remember me"; what is left out stays as it is.
   * `persistent` lets the cookie outlive the browser's session. A session ends at
   * the earlier of both deadlines, so raise `absolute` along with `idle`.
   */
  lifetime ({ idle, absolute, persistent }: { idle?: Duration, absolute?: Duration, persistent?: boolean }): void {
    this[BEHIND].state.setLifetime({
      ...(idle !== undefined && { idle: duration('idle', idle) }),
      ...(absolute !== undefined && { absolute: duration('absolute', absolute) }),
      ...(persistent !== undefined && { persistent })
    })
  }

  /** Other attributes for the cookie that this response sends. */
  options (attributes: SessionCookieAttributes): void {
    const { cookieName, cookie, state } = this[BEHIND]
    const resolved = resolveCookieAttributes(cookieName, attributes, (attribute, value, mend) => {
      throw new InvalidArgumentError('options()', `${attribute} ${inspect(value)}`, mend)
    }, cookie)
    state.overrideCookie(resolved)
  }

  /** Moves the idle deadline with this response, even if less than a tenth of it has gone by. */
  touch (): void {
    this[BEHIND].state.touch()
  }

  /**
   * Saves now: for a hijacked reply, raw writes or a WebSocket; elsewhere it happens
   * by itself. False when the session was ended elsewhere meanwhile, and its changes dropped.
   */
  save (): Promise<boolean>
  save (callback?: unknown): Promise<boolean> {
    refuseCallback('save()', callback)
    return this[BEHIND].save()
  }

  /** Drops the pending changes and reads the session again. */
  reload (): Promise<void>
  reload (callback?: unknown): Promise<void> {
    refuseCallback('reload()', callback)
    return this[BEHIND].reload()
  }

  /** The public handle, by which a session is logged, listed and revoked: the SHA-256 of what the cookie holds. */
  get sessionId (): string {
    return this[BEHIND].state.seen.id
  }

  /** Whether the store does not hold this session yet. */
  get isNew (): boolean {
    const { stored, status } = this[BEHIND].state.seen
    return stored === null || status === 'regenerated' || status === 'destroyed'
  }

  /** Whether there is something to save. */
  get isModified (): boolean {
    return isModified(this[BEHIND].state.seen)
  }

  /** When the session began: at its first save or at the last `regenerate`; 0 for one that another library began. Milliseconds since the epoch. */
  get createdAt (): number {
    return this[BEHIND].state.seen.createdAt
  }

  /** When it ends if nobody uses it after this request. Milliseconds since the epoch. */
  get expiresAt (): number {
    return nextExpiresAt(this[BEHIND].state.seen)
  }

  /** Shows the values; neither token nor secret is within reach. Behind the proxy, where `showProxy` looks, there is nothing. */
  [inspect.custom] (): unknown {
    const behind: SessionBacking | undefined = this[BEHIND]
    return behind === undefined ? {} : this.data()
  }

  /** Takes over a record of another library; false when it has expired. Like those below a static, to leave the name to the app. */
  static adopt (session: SessionMap, record: SessionRecord): boolean {
    const { state } = session[BEHIND]
    if (isExpired(record, state.now())) return false
    state.adopt(Object.entries(record.values).map(([key, encoded]) => [key, decode(encoded)]), record.lifetime?.persistent ?? false)
    return true
  }

  /** The time by this session's clock. */
  static now (session: SessionMap): number {
    return session[BEHIND].state.now()
  }
}

freezeClass(SessionMap)

/** `request.session`: the map's methods, and every key as a property. */
export type Session = SessionMap & IndexedValues<SessionMap>

/** Code written for other session libraries would wait for its callback for ever. */
function refuseCallback (call: string, given: unknown): void {
  if (typeof given === 'function') throw new InvalidArgumentError(call, 'a callback', 'there are none; what is marked is saved before the response leaves, and save() and reload() return promises')
}

function duration (name: string, value: unknown): number {
  const milliseconds = toMilliseconds(value)
  if (milliseconds === null) throw new InvalidArgumentError('lifetime()', `${name} ${inspect(value)}`, DURATION_MEND)
  return milliseconds
}
