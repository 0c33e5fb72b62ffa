// What the store holds, what a save has sent, what was changed since: the newest
// layer that knows decides. decisions/layers.md says why.
import { changedValues, storedValue } from '../record/apply-changes.js'
import { createToken, type Token, type Verifiers } from '../record/token.js'
import type { SessionLifetime, SessionRecord } from '../../types/store.js'
import { beginsAnew, Layer } from './layer.js'

/** A session that the store holds, as far as this request knows. */
export interface StoredSession {
  readonly id: string
  /** What the cookie holds that opened it. */
  readonly cookieToken: string
  /** False when an earlier token opened it: the browser will get, or has got, a newer cookie. */
  readonly isCurrent: boolean
  readonly record: SessionRecord
}

export class Layers {
  stored: StoredSession | null = null
  sent: Layer | null = null
  draft: Layer | null = null
  /** When the request came, or the app last saved by hand. */
  usedAt: number
  /** The use that could not renew the session when it was loaded; it is not tried again for that. */
  unrenewedAt: number | null = null
  /** The session this request came for, where it has ended. */
  endedId: string | null = null
  /** Every session that the request's cookies belong to: a logout ends them all. */
  openedIds: readonly string[] = []
  /** Settled when the store step that is under way has been answered; `null` without one. */
  saving: Promise<unknown> | null = null
  readonly #namespace: string
  readonly #verifiers: Verifiers | null

  constructor (namespace: string, verifiers: Verifiers | null, usedAt: number) {
    this.#namespace = namespace
    this.#verifiers = verifiers
    this.usedAt = usedAt
  }

  /** The id the session has, or will have once it is saved. */
  get id (): string {
    if (beginsAnew(this.draft)) return this.newToken(this.draft).id
    if (this.sent !== null && (this.stored === null || beginsAnew(this.sent))) return this.newToken(this.sent).id
    return this.stored?.id ?? this.endedId ?? this.newToken(this.drafting()).id
  }

  /** Whether the token that opened the session has just come from the browser for the first time. */
  get isFirstUse (): boolean {
    return this.stored !== null && this.stored.isCurrent && !this.stored.record.shown
  }

  /** The token of the session that the layer begins. */
  newToken (layer: Layer): Token {
    layer.token ??= createToken(this.#namespace, this.#verifiers)
    return layer.token
  }

  /** Whether the store does not hold this session yet. */
  get isNew (): boolean {
    return this.stored === null || beginsAnew(this.draft) || beginsAnew(this.sent)
  }

  get createdAt (): number {
    return this.draft?.beganAt ?? this.sent?.beganAt ?? this.stored?.record.createdAt ?? this.usedAt
  }

  /** The session's own lifetime; `null` while the options hold. */
  get ownLifetime (): SessionLifetime | null {
    if (this.draft?.lifetime !== undefined) return this.draft.lifetime
    if (this.sent?.lifetime !== undefined) return this.sent.lifetime
    return this.stored?.record.lifetime ?? null
  }

  /** The value of a key as it is encoded; `null` without one. */
  encodedValue (key: string): string | null {
    const drafted = this.draft?.lookUp(key)
    if (drafted !== undefined) return drafted
    const sent = this.sent?.lookUp(key)
    if (sent !== undefined) return sent
    return this.storedText(key)
  }

  /** The stored value of a key as it was encoded; `null` without one. */
  storedText (key: string): string | null {
    return this.stored === null ? null : storedValue(this.stored.record.values, key)
  }

  has (key: string): boolean {
    return this.encodedValue(key) !== null
  }

  keys (): string[] {
    const keys = new Set(Object.keys(this.stored?.record.values ?? {}))
    for (const key of this.sent?.written.keys() ?? []) keys.add(key)
    for (const key of this.draft?.written.keys() ?? []) keys.add(key)
    return [...keys].filter((key) => this.has(key))
  }

  drafting (): Layer {
    this.draft ??= new Layer()
    return this.draft
  }

  /** What this save sends, from its first step to its last: the draft. What is changed from now on belongs to the next save. */
  sending (): Layer {
    if (this.sent === null) {
      this.sent = this.drafting()
      this.draft = null
    }
    return this.sent
  }

  /** What is pending for a key is on its way, and nothing else. */
  sendValue (key: string): void {
    const encoded = this.draft?.written.get(key)
    if (encoded === undefined) return
    this.draft?.written.delete(key)
    this.sent = new Layer()
    this.sent.written.set(key, encoded)
  }

  /** The store holds this now. What was sent is part of it, what was changed since remains pending. */
  confirm (stored: StoredSession | null): void {
    this.stored = stored
    this.sent = null
  }

  /** What was sent is not stored, and is pending again. */
  retract (): void {
    if (this.sent === null) return
    this.draft = this.draft === null ? this.sent : this.sent.under(this.draft)
    this.sent = null
  }

  /** The store holds this value now, in this form. What was written since remains pending. */
  confirmValue (stored: StoredSession, key: string, held: string | null): void {
    const change = held === null ? { clear: false, set: {}, remove: [key] } : { clear: false, set: { [key]: held }, remove: [] }
    const values = changedValues(stored.record.values, change)
    this.confirm({ ...stored, record: { ...stored.record, values, version: stored.record.version + 1 } })
  }
}
