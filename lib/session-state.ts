// One session during one request: what was loaded, what is pending, and what is
// to become of it. It marks; saving is somebody else's work.
import { StoreError } from './errors.js'
import { changedLifetime, UNKNOWN } from './own-lifetime.js'
import { createIdentity, type SessionIdentity } from './session-id.js'
import { SessionValues, type Update } from './session-values.js'
import type { CookieAttributes } from './cookie-attributes.js'
import type { Clock } from '../types/options.js'
import type { SessionLifetime, SessionRecord } from '../types/store.js'

/**
 * What becomes of the session at its next save.
 *
 *     kept ── rotate() ──▶ rotated ── regenerate() ──▶ regenerated
 *     any of these ── destroy() ──▶ destroyed: what is set afterwards goes into a new session
 *     a save found the record gone ──▶ ended: nothing can bring it back
 *     the store could not be read ──▶ unavailable: reads find nothing, writes throw
 *
 * A save that succeeds leads back to kept.
 */
export type SessionStatus = 'kept' | 'rotated' | 'regenerated' | 'destroyed' | 'ended' | 'unavailable'

/** A session that the store holds. */
export interface StoredSession extends SessionIdentity {
  readonly record: SessionRecord
}

/** A session that a cookie of the request opens. */
export interface FoundSession extends StoredSession {
  /** Its cookie was signed by a secret that is no longer the first. */
  readonly renew: boolean
}

/** The settings that a session needs to know. */
export interface SessionSettings {
  readonly namespace: string
  readonly lifetime: SessionLifetime
  readonly maxSize: number
  readonly clock: Clock
}

/** A moment in the life of a state. */
export interface Checkpoint {
  readonly marks: number
  readonly values: SessionValues
}

export class SessionState {
  status: SessionStatus = 'kept'
  /** What the store holds, as far as this request knows. */
  stored: StoredSession | null
  /** Every session that the request's cookies open; a logout ends them all. */
  found: readonly FoundSession[] = []
  values: SessionValues
  createdAt: number
  /** This session's own lifetime; `null` while the options hold. */
  ownLifetime: SessionLifetime | null
  lifetimeChanged = false
  /** The app asked for the deadline to be moved. */
  touched = false
  /** The app looked at the session, so the response depends on the cookie. */
  used = false
  /** The cookie has to be sent again although the id stays. */
  cookieDue = false
  cookieOverrides: CookieAttributes | null = null
  /** The Set-Cookie line that this response carries so far. */
  cookieLine: string | null = null
  /** Told once, as soon as there may be something to save. */
  onPending: (() => void) | null = null
  /** Told once, when a stored value is found to be corrupt. */
  onCorrupt: (() => void) | null = null
  /** Settled as soon as a save that is on its way is through; `null` while there is none. */
  saving: Promise<unknown> | null = null
  readonly settings: SessionSettings
  #next: SessionIdentity | null = null
  /** Counts what concerns the session as a whole, single keys aside. */
  #marks = 0

  constructor (settings: SessionSettings, stored: StoredSession | null) {
    this.settings = settings
    this.stored = stored
    this.values = new SessionValues(stored?.record.values ?? null, settings.maxSize, () => this.#tellCorrupt())
    this.createdAt = stored?.record.createdAt ?? this.now()
    this.ownLifetime = stored?.record.lifetime ?? null
  }

  now (): number {
    return this.settings.clock.now()
  }

  get lifetime (): SessionLifetime {
    return this.ownLifetime ?? this.settings.lifetime
  }

  /** The id this session has, or will have once it is saved. */
  get id (): string {
    return this.identity().id
  }

  /** The names under which the next save leaves this session. */
  identity (): SessionIdentity {
    if (this.stored !== null && (this.status === 'kept' || this.status === 'ended')) return this.stored
    this.#next ??= createIdentity(this.settings.namespace)
    return this.#next
  }

  /** Takes another new id: the store says this one is taken. */
  renameNew (): void {
    this.#next = null
  }

  /** The same, for the app that looks at it. */
  get seen (): this {
    this.used = true
    return this
  }

  get (key: string): unknown {
    this.used = true
    const value = this.values.get(key)
    // an object may be changed from the inside, without another word to us
    if (typeof value === 'object' && value !== null) this.#pending()
    return value
  }

  has (key: string): boolean {
    this.used = true
    return this.values.has(key)
  }

  keys (): string[] {
    this.used = true
    return this.values.keys()
  }

  set (key: string, value: unknown): void {
    this.#mark()
    this.values.set(key, value)
  }

  setMany (entries: ReadonlyArray<[key: string, value: unknown]>): void {
    this.#mark()
    this.values.setMany(entries)
  }

  remove (key: string): boolean {
    this.used = true
    this.#mark()
    return this.values.remove(key)
  }

  update (key: string, step: Update): unknown {
    this.get(key)
    this.#mark()
    return this.values.update(key, step)
  }

  clear (): void {
    this.#mark()
    this.#marks++
    this.values.clear()
  }

  regenerate (keep: readonly string[]): void {
    this.#mark()
    this.#leaveEnded()
    this.#marks++
    if (this.status !== 'destroyed') this.status = 'regenerated'
    this.values.keepOnly(keep)
    this.#begin()
  }

  rotate (): void {
    this.#mark()
    this.#marks++
    if (this.status === 'kept') this.status = 'rotated'
    this.#next = null
  }

  destroy (): void {
    this.#mark()
    this.#leaveEnded()
    this.#marks++
    this.status = 'destroyed'
    this.#empty()
  }

  /** What is left out stays as it is. */
  setLifetime (change: Partial<SessionLifetime>): void {
    this.#mark()
    this.#marks++
    this.ownLifetime = changedLifetime({ createdAt: this.createdAt, own: this.ownLifetime, options: this.settings.lifetime, now: this.now() }, change)
    this.lifetimeChanged = true
  }

  /** Takes over values of a session whose beginning nobody knows, so that it is no fresh login. */
  adopt (entries: ReadonlyArray<[key: string, value: unknown]>, persistent: SessionLifetime['persistent']): void {
    this.setMany(entries)
    this.createdAt = UNKNOWN
    this.setLifetime({ absolute: this.lifetime.absolute, persistent })
  }

  touch (): void {
    this.#mark()
    this.#marks++
    this.touched = true
  }

  overrideCookie (attributes: CookieAttributes): void {
    this.#mark()
    this.cookieOverrides = attributes
    this.cookieDue = true
  }

  /** How things stand when a save sets off. What is marked after it is not part of that save. */
  checkpoint (): Checkpoint {
    return { marks: this.#marks, values: this.values }
  }

  /** Takes note that the store now holds this. */
  saved (stored: StoredSession, since: Checkpoint): void {
    this.stored = stored
    const isUpToDate = since.marks === this.#marks
    if (since.values === this.values) this.values.commit(stored.record.values, isUpToDate)
    if (isUpToDate) this.#settle()
    if (this.#next?.id === stored.id) this.#next = null
  }

  /** Takes note that the store no longer holds the session. What was set since stays pending, under the id it was given. */
  destroyed (since: Checkpoint): void {
    this.stored = null
    if (since.marks === this.#marks) this.#settle()
  }

  /** The record is gone: logged out elsewhere, evicted, or replaced by a faster request. */
  ended (since: Checkpoint): void {
    const beginsAnew = since.marks !== this.#marks && (this.status === 'regenerated' || this.status === 'destroyed')
    if (beginsAnew) {
      this.stored = null
    } else {
      this.status = 'ended'
      this.#empty()
    }
  }

  /** Starts over from what the store holds. */
  reloaded (stored: StoredSession | null): void {
    this.stored = stored
    this.values = new SessionValues(stored?.record.values ?? null, this.settings.maxSize, () => this.#tellCorrupt())
    this.createdAt = stored?.record.createdAt ?? this.now()
    this.ownLifetime = stored?.record.lifetime ?? null
    this.#settle()
    this.#next = null
  }

  /** Forgets what is pending. A session that was ended stays ended. */
  dropChanges (): void {
    if (this.status !== 'destroyed') this.reloaded(this.stored)
  }

  /** Puts the pending changes on top of what another request stored meanwhile. */
  rebase (record: SessionRecord, since: Checkpoint): void {
    this.stored = { ...this.stored as StoredSession, record }
    if (since.values === this.values) this.values.rebase(record.values)
    if (!this.lifetimeChanged && this.status !== 'regenerated') this.ownLifetime = record.lifetime
  }

  /** Before every change: there is a session to change, and somebody to be told of it. */
  #mark (): void {
    if (this.status === 'unavailable') throw new StoreError()
    this.#pending()
  }

  #pending (): void {
    const tell = this.onPending
    this.onPending = null
    tell?.()
  }

  #tellCorrupt (): void {
    const tell = this.onCorrupt
    this.onCorrupt = null
    tell?.()
  }

  /** Whoever begins a new session knowing that the old one ended does not need the old record. */
  #leaveEnded (): void {
    if (this.status === 'ended') this.stored = null
  }

  #settle (): void {
    this.status = 'kept'
    this.lifetimeChanged = false
    this.touched = false
  }

  #begin (): void {
    this.#next = null
    this.createdAt = this.now()
    this.ownLifetime = null
    this.lifetimeChanged = false
  }

  #empty (): void {
    this.values = new SessionValues(null, this.settings.maxSize, () => this.#tellCorrupt())
    this.#begin()
  }
}
