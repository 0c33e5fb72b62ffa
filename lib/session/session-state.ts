// One session during one request. It only remembers what the app did; lib/store saves.
import { SessionEndedError, StoreError } from '../errors.js'
import { CorruptValueError, decode, encode } from '../record/codec.js'
import type { Clock } from '../../types/options.js'
import type { SessionLifetime } from '../../types/store.js'
import { beginsAnew, type Layer, type Scope } from './layer.js'
import { Layers, type StoredSession } from './layers.js'
import { LiveObjects } from './live-objects.js'
import { refuseTooLarge } from './size-limit.js'

/** The settings that a session needs to know. */
export interface SessionSettings {
  readonly namespace: string
  readonly lifetime: SessionLifetime
  readonly maxSize: number
  readonly clock: Clock
}

/**
 * `open`: what is changed will be stored. `ended`: the session this request came
 * for has ended, so only a login or a logout has an effect. `unavailable`: the store
 * could not be read; reads find nothing, writes throw.
 */
export type SessionStatus = 'open' | 'ended' | 'unavailable'

/** Who wants to know what happens to a state. */
export interface StateListener {
  /** There may be something to save from now on. */
  changing (): void
  /** A stored value cannot be decoded, and reads as absent. */
  foundCorrupt (id: string): void
}

/** The `createdAt` of a session that another library began. */
export const UNKNOWN_TIME = 0

export class SessionState extends Layers {
  readonly settings: SessionSettings
  status: SessionStatus
  /** Every session that the request's cookies belong to: a logout ends them all. */
  openedIds: readonly string[] = []
  listener: StateListener | null = null
  readonly #live = new LiveObjects()

  constructor (settings: SessionSettings, usedAt: number, status: SessionStatus = 'open') {
    super(settings.namespace, usedAt)
    this.settings = settings
    this.status = status
  }

  now (): number {
    return this.settings.clock.now()
  }

  get lifetime (): SessionLifetime {
    return this.ownLifetime ?? this.settings.lifetime
  }

  get (key: string): unknown {
    const live = this.#live.get(key)
    if (live !== undefined) return live
    const encoded = this.encodedValue(key)
    if (encoded === null) return undefined
    const value = this.#decode(encoded)
    if (isObject(value)) {
      this.listener?.changing()
      this.#live.hold(key, value, encoded)
    }
    return value
  }

  /** A value that cannot be decoded counts as absent. */
  override has (key: string): boolean {
    return super.has(key) && this.get(key) !== undefined
  }

  /** The value as a copy of its own. */
  copyOf (key: string): unknown {
    const live = this.#live.get(key)
    const encoded = live === undefined ? this.encodedValue(key) : encode(key, live)
    return encoded === null ? undefined : this.#decode(encoded)
  }

  set (key: string, value: unknown): void {
    this.#write(key, value, this.#encode(key, value))
  }

  /** All or, when one cannot be stored, none. */
  setMany (entries: ReadonlyArray<[key: string, value: unknown]>): void {
    const encoded = entries.map(([key, value]) => this.#encode(key, value))
    entries.forEach(([key, value], index) => this.#write(key, value, encoded[index] as string | null))
  }

  /** True if it was there. */
  remove (key: string): boolean {
    const had = this.has(key)
    if (super.has(key)) this.#write(key, undefined, null)
    return had
  }

  clear (): void {
    this.#change().clear()
    this.#live.releaseAll()
  }

  regenerate (keep: Scope): void {
    this.#beginAnew('regenerated').keepOnly(keep)
    this.#live.keepOnly(keep)
  }

  destroy (): void {
    const draft = this.#beginAnew('destroyed')
    draft.clear()
    draft.lifetime = null
    this.#live.releaseAll()
  }

  rotate (): void {
    this.#change().become('rotated')
  }

  /** The user has just proved who they are. Throws where there is no session to continue. */
  reauthenticate (): void {
    const draft = this.#change()
    const isThere = this.stored !== null || this.sent !== null || draft.written.size > 0
    if (this.status === 'ended' || !isThere) throw new SessionEndedError()
    draft.become('reauthenticated')
    draft.beganAt = this.now()
  }

  /** What is left out stays as it is. */
  setLifetime (change: Partial<SessionLifetime>): void {
    this.#change().lifetime = { ...this.lifetime, ...change }
  }

  touch (): void {
    this.#change().touchedAt = this.now()
  }

  /** Takes over the values of a session whose beginning nobody knows: a login, but not a fresh one. */
  adopt (entries: ReadonlyArray<[key: string, value: unknown]>, persistent: boolean): void {
    this.setMany(entries)
    const draft = this.#change()
    draft.become('regenerated')
    draft.beganAt = UNKNOWN_TIME
    this.setLifetime({ persistent })
  }

  /** Puts what was changed inside of objects into the draft. Throws when a value can no longer be stored. */
  collect (): void {
    for (const [key, encoded] of this.#live.takeChanges()) this.drafting().written.set(key, encoded)
  }

  /** Another request changed the session: what is pending lies on top of that. */
  refresh (stored: StoredSession): void {
    this.stored = stored
    this.#live.releaseUnless((key, encoded) => this.encodedValue(key) === encoded)
  }

  override confirmValue (stored: StoredSession, key: string, encoded: string | null, pending: string | null | undefined): void {
    super.confirmValue(stored, key, encoded, pending)
    if (this.draft?.written.has(key) !== true) this.#live.release(key)
  }

  /** The session has ended, and with it what is pending, but for a new session that begins in its place. */
  end (): void {
    this.endedId = this.stored?.id ?? this.endedId
    this.confirm(null)
    if (beginsAnew(this.draft)) return
    this.draft = null
    this.status = 'ended'
    this.#live.releaseAll()
  }

  /** Starts over from what the store holds. */
  restart ({ status, stored, openedIds, endedId }: SessionState): void {
    this.status = status
    this.openedIds = openedIds
    this.endedId = endedId
    this.confirm(stored)
    this.draft = null
    this.#live.releaseAll()
  }

  /** Forgets what is pending, but for a logout. */
  dropChanges (): void {
    const isLogout = this.draft?.identity === 'destroyed'
    if (isLogout) this.draft?.written.clear()
    else this.draft = null
    this.#live.releaseAll()
  }

  #beginAnew (identity: 'regenerated' | 'destroyed'): Layer {
    const draft = this.#change()
    if (this.status === 'ended') this.status = 'open'
    draft.become(identity)
    draft.beganAt = this.now()
    draft.token = null
    return draft
  }

  #write (key: string, value: unknown, encoded: string | null): void {
    this.#change().written.set(key, encoded)
    if (encoded !== null && isObject(value)) this.#live.hold(key, value, encoded)
    else this.#live.release(key)
  }

  /** Before every change: there is a session to change, and somebody to be told of it. */
  #change (): Layer {
    if (this.status === 'unavailable') throw new StoreError()
    this.listener?.changing()
    return this.drafting()
  }

  #encode (key: string, value: unknown): string | null {
    if (value === undefined) return null
    const encoded = encode(key, value)
    if (3 * encoded.length > this.settings.maxSize) refuseTooLarge({ [key]: encoded }, this.settings.maxSize)
    return encoded
  }

  #decode (encoded: string): unknown {
    try {
      return decode(encoded)
    } catch (error) {
      if (!(error instanceof CorruptValueError)) throw error
      this.listener?.foundCorrupt(this.id)
      return undefined
    }
  }
}

function isObject (value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
