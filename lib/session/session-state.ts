// One session during one request. It only remembers what the app did; lib/store saves.
import { SessionEndedError } from '../errors.js'
import type { SessionLifetime } from '../../types/store.js'
import { UNKNOWN_TIME } from './deadlines.js'
import { beginsAnew, type Layer, type Scope } from './layer.js'
import { SessionValues } from './session-values.js'

export class SessionState extends SessionValues {
  now (): number {
    return this.settings.clock.now()
  }

  get lifetime (): SessionLifetime {
    return this.ownLifetime ?? this.settings.lifetime
  }

  get signal (): AbortSignal {
    return this.settings.signals.of(this)
  }

  clear (): void {
    this.change().clear()
    this.live?.releaseAll()
  }

  regenerate (keep: Scope): void {
    this.#beginAnew('regenerated').keepOnly(keep)
    this.live?.keepOnly(keep)
  }

  destroy (): void {
    const draft = this.#beginAnew('destroyed')
    draft.clear()
    draft.lifetime = null
    this.live?.releaseAll()
  }

  rotate (): void {
    this.change().become('rotated')
  }

  /** The user has just proved who they are. Throws where there is no session to continue. */
  reauthenticate (): void {
    const draft = this.change()
    const isThere = this.stored !== null || this.sent !== null || [...draft.written.values()].some((encoded) => encoded !== null)
    if (this.status === 'ended' || !isThere) throw new SessionEndedError()
    draft.become('reauthenticated')
    draft.isProven = true
    draft.beginAt(this.now())
  }

  /** What is left out stays as it is. */
  setLifetime (change: Partial<SessionLifetime>): void {
    this.change().lifetime = { ...this.lifetime, ...change }
  }

  touch (): void {
    this.change().touchedAt = this.now()
  }

  /** Takes over the values of a session whose beginning nobody knows: a login, but not a fresh one. */
  adopt (entries: ReadonlyArray<[key: string, value: unknown]>, persistent: boolean): void {
    this.setMany(entries)
    this.#beginAnew('regenerated').backdate(UNKNOWN_TIME)
    this.setLifetime({ persistent })
  }

  /** A login with these values, at that time; `null`: when it is stored. */
  issue (entries: ReadonlyArray<[key: string, value: unknown]>, createdAt: number | null): void {
    this.setMany(entries)
    const draft = this.#beginAnew('regenerated')
    if (createdAt !== null) draft.backdate(createdAt)
  }

  /** The session has ended, and with it what is pending, but for a new session that begins in its place. */
  end (): void {
    const endedId = this.stored?.id ?? this.endedId
    this.confirm(null)
    if (beginsAnew(this.draft)) return
    this.endedId = endedId
    this.draft = null
    this.status = 'ended'
    this.live?.releaseAll()
  }

  /** The session that the request came for ended before. */
  noteEnded (id: string): void {
    this.endedId = id
    this.status = 'ended'
  }

  /** What is pending is dropped by the `restart` that follows; where none does it is retracted. */
  setAside (): void {
    try {
      this.collect()
    } catch {
      // what cannot be stored is dropped with the rest
      this.live?.releaseAll()
    }
    if (this.draft !== null) this.sending()
  }

  /** Starts over from what the store holds. What was changed since `setAside` remains pending. */
  restart ({ status, stored, openedIds, endedId }: SessionState): void {
    // a logout ends what the request came with, whatever was read since
    this.openedIds = [...new Set([...this.openedIds, ...openedIds])]
    this.sent = null
    this.refresh(stored)
    this.settings.signals.bind(this)
    if (beginsAnew(this.draft)) return
    this.status = status
    this.endedId = endedId
  }

  /** Forgets what is pending, but for a logout. */
  dropChanges (): void {
    const isLogout = this.draft?.identity === 'destroyed'
    if (isLogout) this.draft?.written.clear()
    else this.draft = null
    this.live?.releaseAll()
  }

  #beginAnew (identity: 'regenerated' | 'destroyed'): Layer {
    const draft = this.change()
    if (this.status === 'ended') this.status = 'open'
    this.endedId = null
    draft.become(identity)
    draft.isProven = identity === 'regenerated'
    draft.beginAt(this.now())
    draft.token = null
    return draft
  }
}
