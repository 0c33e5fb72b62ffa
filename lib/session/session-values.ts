// The values of one session during one request, over the layers. An object that
// the app holds may change from the inside: it is encoded again before a save.
import type { Clock } from '../../types/options.js'
import type { SessionLifetime } from '../../types/store.js'
import { StoreError } from '../errors.js'
import { CorruptValueError, decode, encode } from '../record/codec.js'
import type { OwnerSettings } from '../owner-options.js'
import { isSealed, type Encryption } from '../record/encryption.js'
import { refuseOwner } from '../record/owner.js'
import type { Layer } from './layer.js'
import { Layers, type StoredSession } from './layers.js'
import { LiveObjects } from './live-objects.js'
import { OpenedValues } from './opened-values.js'
import { refuseTooLarge } from './size-limit.js'
import type { StateListener } from './state-listener.js'

/** The settings that a session needs to know. */
export interface SessionSettings {
  readonly namespace: string
  readonly lifetime: SessionLifetime
  readonly maxSize: number
  readonly clock: Clock
  /** How sessions are listed by their owners; `null` where they are not. */
  readonly owner: OwnerSettings | null
  /** What is stored is sealed by it; `null` where nothing is. */
  readonly encryption: Encryption | null
  readonly signals: StateSignals
}

/** The signals of sessions' ends. */
export interface StateSignals {
  /** That of the session which the state has, or will have once it is stored. */
  of (state: SessionValues): AbortSignal
  /** The session that the state begins is stored now. */
  bind (state: SessionValues): void
}

/**
 * `open`: what is changed will be stored. `ended`: the session this request came
 * for has ended, so only a login or a logout has an effect. `unavailable`: the store
 * could not be read; reads find nothing, writes throw.
 */
export type SessionStatus = 'open' | 'ended' | 'unavailable'

export class SessionValues extends Layers {
  readonly settings: SessionSettings
  status: SessionStatus
  listener: StateListener | null = null
  /** Made for the first object. */
  protected live: LiveObjects | null = null
  #opened: OpenedValues | null = null
  #isCorruptTold = false

  constructor (settings: SessionSettings, usedAt: number, status: SessionStatus = 'open') {
    super(settings.namespace, settings.encryption, usedAt)
    this.settings = settings
    this.status = status
  }

  /** Whether nothing was changed, nor can have been, and no renewal is due: then there is nothing to plan. */
  get isUntouched (): boolean {
    if (this.draft !== null || this.saving !== null || this.live !== null) return false
    if (this.stored === null) return true
    const { expiresAt, absoluteExpiresAt, lifetime } = this.stored.record
    const left = expiresAt - this.usedAt
    const { idle } = lifetime ?? this.settings.lifetime
    return left <= idle && (left > idle * 0.9 || expiresAt === absoluteExpiresAt)
  }

  /** Whether less than half of the idle timeout is left, and a renewal can give more. */
  get isHalfUsed (): boolean {
    const { expiresAt, absoluteExpiresAt, lifetime } = (this.stored as StoredSession).record
    return expiresAt - this.usedAt < (lifetime ?? this.settings.lifetime).idle / 2 && expiresAt < absoluteExpiresAt
  }

  get (key: string): unknown {
    const live = this.live?.get(key)
    if (live !== undefined) return live
    const encoded = this.encodedValue(key)
    if (encoded === null) return undefined
    const value = this.decoded(encoded)
    if (isObject(value)) {
      this.listener?.changing()
      this.#holdings.hold(key, value, encoded)
    }
    return value
  }

  override storedText (key: string): string | null {
    const held = super.storedText(key)
    const { encryption } = this.settings
    if (held === null || encryption === null) return held
    this.#opened ??= new OpenedValues(encryption)
    return this.#opened.open((this.stored as StoredSession).id, key, held)
  }

  /** The same; `null` where it cannot be opened. */
  openedText (key: string): string | null {
    const text = this.storedText(key)
    if (text === null || !isSealed(text)) return text
    this.#tellCorrupt(text)
    return null
  }

  /** A value that cannot be decoded counts as absent. */
  override has (key: string): boolean {
    return super.has(key) && this.get(key) !== undefined
  }

  /** The value as a copy of its own. */
  copyOf (key: string): unknown {
    const live = this.live?.get(key)
    const encoded = live === undefined ? this.encodedValue(key) : encode(key, live)
    return encoded === null ? undefined : this.decoded(encoded)
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

  /** Puts what was changed inside of objects into the draft. Throws when a value can no longer be stored. */
  collect (): void {
    for (const [key, encoded] of this.live?.takeChanges() ?? []) this.drafting().written.set(key, encoded)
  }

  /** Another request changed the session: what is pending lies on top of that. */
  refresh (stored: StoredSession | null): void {
    this.stored = stored
    this.live?.releaseUnless((key, encoded) => this.encodedValue(key) === encoded)
  }

  override confirmValue (stored: StoredSession, key: string, held: string | null): void {
    super.confirmValue(stored, key, held)
    if (this.draft?.written.has(key) !== true) this.live?.release(key)
  }

  /** Before every change: there is a session to change, and somebody to be told of it. */
  protected change (): Layer {
    if (this.status === 'unavailable') throw new StoreError()
    this.listener?.changing()
    return this.drafting()
  }

  get #holdings (): LiveObjects {
    this.live ??= new LiveObjects()
    return this.live
  }

  #write (key: string, value: unknown, encoded: string | null): void {
    this.change().written.set(key, encoded)
    if (encoded !== null && isObject(value)) this.#holdings.hold(key, value, encoded)
    else this.live?.release(key)
  }

  #encode (key: string, value: unknown): string | null {
    if (key === this.settings.owner?.key) refuseOwner(value)
    if (value === undefined) return null
    const encoded = encode(key, value)
    if (3 * encoded.length > this.settings.maxSize) refuseTooLarge({ [key]: encoded }, this.settings.maxSize, this.stored?.record.values)
    return encoded
  }

  /** The value again; `undefined` when it is corrupt, which is told once. */
  decoded (encoded: string): unknown {
    try {
      return decode(encoded)
    } catch (error) {
      if (!(error instanceof CorruptValueError)) throw error
      this.#tellCorrupt(encoded)
      return undefined
    }
  }

  #tellCorrupt (value: string): void {
    if (!this.#isCorruptTold) this.listener?.foundCorrupt(this.stored?.id ?? this.id, value)
    this.#isCorruptTold = true
  }
}

function isObject (value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
