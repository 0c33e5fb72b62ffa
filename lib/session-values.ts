// The values of one session during one request: decoded when first read, and
// compared with their stored form when the request ends, so that a change inside
// a value is found and a key nobody read costs nothing.
import { applyChanges, type ValueChanges } from './apply-changes.js'
import { decode, encode } from './record/codec.js'
import { SessionTooLargeError } from './errors.js'

/** Turns the stored value of a key into the new one; run again when another request was faster. */
export type Update = (current: unknown) => unknown

/** A key that was written in this request, or read and found to hold an object, which may change from the inside. */
interface LiveValue {
  /** `undefined`: removed. */
  value: unknown
  /** The value as it was encoded when it got here; `null`: removed. */
  encoded: string | null
  /** Not empty while the value follows from the stored one by these steps. */
  updates: readonly Update[]
  /** How many of these steps are part of a save that is on its way. */
  sent: number
  written: boolean
}

type Encoded = Readonly<Record<string, string>>

const NOTHING: Encoded = Object.freeze({})
const NO_UPDATES: readonly Update[] = []

export class SessionValues {
  readonly #maxSize: number
  #stored: Encoded
  readonly #live = new Map<string, LiveValue>()
  #cleared = false
  /** After a regenerate: the keys that came along. */
  #kept: ReadonlySet<string> | null = null

  constructor (stored: Encoded | null, maxSize: number) {
    this.#stored = stored ?? NOTHING
    this.#maxSize = maxSize
  }

  /** The value, or `undefined`. Throws when the stored form cannot be decoded. */
  get (key: string): unknown {
    const live = this.#live.get(key)
    if (live !== undefined) return live.value
    const encoded = ownValue(this.#stored, key)
    if (encoded === null) return undefined
    const value = decode(encoded)
    if (isObject(value)) this.#live.set(key, { value, encoded, updates: NO_UPDATES, sent: 0, written: false })
    return value
  }

  has (key: string): boolean {
    const live = this.#live.get(key)
    return live === undefined ? Object.hasOwn(this.#stored, key) : live.value !== undefined
  }

  /** Throws when the value cannot be stored; `undefined` removes the key. */
  set (key: string, value: unknown): void {
    this.#live.set(key, { value, encoded: this.#encode(key, value), updates: NO_UPDATES, sent: 0, written: true })
  }

  /** `set` for each; all or, when one cannot be stored, none. */
  setMany (entries: ReadonlyArray<[key: string, value: unknown]>): void {
    const live = entries.map(([key, value]): [string, LiveValue] => [key, { value, encoded: this.#encode(key, value), updates: NO_UPDATES, sent: 0, written: true }])
    for (const [key, value] of live) this.#live.set(key, value)
  }

  /** True if it was there. */
  remove (key: string): boolean {
    const had = this.has(key)
    if (had) this.set(key, undefined)
    return had
  }

  /** Sets the key to what the step makes of it, and remembers the step in case another request is faster. */
  update (key: string, step: Update): unknown {
    const value = step(this.get(key))
    const live = this.#live.get(key)
    const updates = live?.written ? NO_UPDATES : [...live?.updates ?? NO_UPDATES, step]
    this.#live.set(key, { value, encoded: this.#encode(key, value), updates, sent: live?.sent ?? 0, written: updates.length === 0 })
    return value
  }

  keys (): string[] {
    const stored = Object.keys(this.#stored).filter((key) => this.has(key))
    const added = [...this.#live.keys()].filter((key) => this.has(key) && !Object.hasOwn(this.#stored, key))
    return stored.concat(added)
  }

  isEmpty (): boolean {
    for (const { value } of this.#live.values()) if (value !== undefined) return false
    for (const key of Object.keys(this.#stored)) if (!this.#live.has(key)) return false
    return true
  }

  clear (): void {
    this.#live.clear()
    this.#stored = NOTHING
    this.#cleared = true
  }

  /** Leaves only these keys: the values of a new session that took them along. */
  keepOnly (keys: readonly string[]): void {
    this.#kept = new Set(keys)
    for (const key of this.#live.keys()) {
      if (!this.#kept.has(key)) this.#live.delete(key)
    }
    this.#stored = this.#scoped(this.#stored)
  }

  /** Whether the values still depend on what the store holds, beyond what was written here. */
  get carriesStored (): boolean {
    return Object.keys(this.#stored).length > 0
  }

  /** Whether a value follows from the stored one, so that it may only be written over that very version. */
  get needsVersion (): boolean {
    for (const live of this.#live.values()) if (live.updates.length > 0) return true
    return false
  }

  /** The changes against the stored values, or `null` when there are none. */
  changes (): ValueChanges | null {
    let set: Array<[key: string, encoded: string]> | null = null
    let remove: string[] | null = null
    for (const [key, live] of this.#live) {
      const now = this.#encodeAgain(key, live)
      if (now === ownValue(this.#stored, key)) continue
      if (now === null) (remove ??= []).push(key)
      else (set ??= []).push([key, now])
    }
    if (set === null && remove === null && !this.#cleared) return null
    return { clear: this.#cleared, set: Object.fromEntries(set ?? []), remove: remove ?? [] }
  }

  /**
   * Every value, encoded, as the store will hold it after these changes, which are
   * now on their way. Throws when together they take more than `maxSize`.
   */
  send (changes: ValueChanges | null): Encoded {
    const all = changes === null ? this.#stored : applyChanges(this.#stored, changes)
    refuseTooLarge(all, this.#maxSize)
    for (const live of this.#live.values()) live.sent = live.updates.length
    return all
  }

  /** Takes note that what was sent is stored. What was changed since stays pending; a `clear` or `keepOnly` among it too, unless nothing was. */
  commit (stored: Encoded, isUpToDate: boolean): void {
    for (const [key, live] of this.#live) {
      live.updates = live.updates.slice(live.sent)
      live.sent = 0
      if (this.#encodeAgain(key, live) === ownValue(stored, key)) live.written = false
    }
    if (isUpToDate) {
      this.#cleared = false
      this.#kept = null
    }
    this.#stored = this.#cleared ? NOTHING : this.#scoped(stored)
  }

  /** Puts this request's changes on top of what another request stored meanwhile. */
  rebase (stored: Encoded): void {
    const fresh = this.#cleared ? NOTHING : this.#scoped(stored)
    for (const [key, live] of this.#live) {
      const now = this.#encodeAgain(key, live)
      if (live.updates.length > 0 && now === live.encoded) {
        const current = ownValue(fresh, key)
        live.value = live.updates.reduce((value, step) => step(value), current === null ? undefined : decode(current))
        live.encoded = this.#encode(key, live.value)
      } else if (now === ownValue(this.#stored, key)) {
        this.#live.delete(key)
      } else {
        live.updates = NO_UPDATES
      }
    }
    this.#stored = fresh
  }

  #scoped (stored: Encoded): Encoded {
    const kept = this.#kept
    return kept === null ? stored : Object.fromEntries(Object.entries(stored).filter(([key]) => kept.has(key)))
  }

  #encode (key: string, value: unknown): string | null {
    if (value === undefined) return null
    const encoded = encode(key, value)
    if (3 * encoded.length > this.#maxSize) refuseTooLarge({ [key]: encoded }, this.#maxSize)
    return encoded
  }

  /** Only objects can have changed since they were encoded. */
  #encodeAgain (key: string, live: LiveValue): string | null {
    return isObject(live.value) ? encode(key, live.value) : live.encoded
  }
}

function isObject (value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/** The entry's own value: `constructor` and `__proto__` are keys like any other. */
function ownValue (encoded: Encoded, key: string): string | null {
  return Object.hasOwn(encoded, key) ? encoded[key] as string : null
}

function refuseTooLarge (encoded: Encoded, limit: number): void {
  if (mostBytes(encoded) <= limit) return
  const sizes = Object.entries(encoded).map(([key, value]) => ({ key, bytes: Buffer.byteLength(key) + Buffer.byteLength(value) }))
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
  if (total <= limit) return
  const largest = sizes.sort((a, b) => b.bytes - a.bytes).slice(0, 3).map(({ key, bytes }) => `'${key.slice(0, 80)}' (${bytes})`)
  throw new SessionTooLargeError(total, limit, largest.join(', '))
}

/** At least what they take, without a look at each character: one of a string's length takes 3 bytes of UTF-8 at most. */
function mostBytes (encoded: Encoded): number {
  let length = 0
  for (const key of Object.keys(encoded)) length += key.length + (encoded[key] as string).length
  return 3 * length
}
