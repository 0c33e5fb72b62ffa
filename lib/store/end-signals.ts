// `session.signal`: who wants to know when a session ends. It ends here, or the store says that it ended elsewhere;
// since messages can be lost, each session that somebody listens to is also read once a minute. Nothing of a request is held.
import { setMaxListeners } from 'node:events'
import { SessionEndedError } from '../errors.js'
import { logLine, type LineLog } from '../log-line.js'
import { isEnded, isExpired, isRecord } from '../record/record.js'
import type { StoredSession } from '../session/layers.js'
import type { SessionValues, StateSignals } from '../session/session-values.js'
import type { Clock } from '../../types/options.js'
import type { EndReason, SessionStore } from '../../types/store.js'
import { atOnceAtMost } from './at-once-at-most.js'

const CHECK_EVERY = 60_000
const MIN_WAIT = 1000
const READS_AT_ONCE = 20

/** A session that somebody listens to. */
interface Listened {
  readonly id: string
  readonly controller: AbortController
  /** The deadline that was last read. */
  expiresAt: number
  timer: NodeJS.Timeout | undefined
}

/** What a state was given: a signal of a stored session, or of one that is not stored yet. */
interface Given {
  readonly id: string | null
  readonly controller: AbortController
}

export class EndSignals implements StateSignals {
  readonly #store: Pick<SessionStore, 'read'>
  readonly #source: Pick<SessionStore, 'onEnded'>
  readonly #clock: Clock
  readonly #log: LineLog
  readonly #checkEvery: number
  readonly #given = new WeakMap<SessionValues, Given>()
  readonly #listened = new Map<string, Listened>()
  readonly #closing = new AbortController()
  readonly #inLine = atOnceAtMost(READS_AT_ONCE)
  #subscribed: 'no' | 'asked' | 'yes' = 'no'
  #isRefusalLogged = false

  /** `store` is bounded in time; `source`, the user's own, may take as long as it wants to begin. */
  constructor (store: Pick<SessionStore, 'read'>, source: Pick<SessionStore, 'onEnded'>, clock: Clock, log: LineLog, checkEvery = CHECK_EVERY) {
    this.#store = store
    this.#source = source
    this.#clock = clock
    this.#log = log
    this.#checkEvery = checkEvery
  }

  of (state: SessionValues): AbortSignal {
    const given = this.#given.get(state)
    const controller = state.status === 'ended' ? this.#ofEnded(given) : this.#ofOpen(state, given)
    if (controller !== given?.controller) this.#given.set(state, { id: idOf(state), controller })
    return controller.signal
  }

  bind (state: SessionValues): void {
    const given = this.#given.get(state)
    const { stored } = state
    if (given === undefined || given.id !== null || given.controller.signal.aborted || stored === null || state.isNew) return
    const { controller } = given
    this.#given.set(state, { id: stored.id, controller })
    const { signal } = this.#listen(stored, controller).controller
    // another request of the session was first
    if (signal !== controller.signal) signal.addEventListener('abort', () => { controller.abort(signal.reason) })
  }

  /** Says so to everybody who listens; after what is under way, for a listener may use the session. */
  ended (id: string, reason: EndReason | null): void {
    const listened = this.#listened.get(id)
    if (listened === undefined) return
    this.#release(listened)
    queueMicrotask(() => { abort(listened.controller, reason) })
  }

  /** From now on nothing is told, for the sessions have not ended. Stops timers, and the store's messages. */
  close (): void {
    for (const listened of this.#listened.values()) this.#release(listened)
    this.#closing.abort()
  }

  #ofEnded (given: Given | undefined): AbortController {
    // this request learned of it before anybody told
    if (given?.id) this.ended(given.id, null)
    if (given !== undefined && (given.id !== null || given.controller.signal.aborted)) return given.controller
    const controller = newController()
    abort(controller, null)
    return controller
  }

  #ofOpen (state: SessionValues, given: Given | undefined): AbortController {
    const id = idOf(state)
    if (given?.id === id && (id !== null || !given.controller.signal.aborted)) return given.controller
    const controller = newController()
    return id === null ? controller : this.#listen(state.stored as StoredSession, controller).controller
  }

  #listen ({ id, record: { expiresAt } }: StoredSession, controller: AbortController): Listened {
    const known = this.#listened.get(id)
    if (known !== undefined) return known
    const listened: Listened = { id, controller, expiresAt, timer: undefined }
    if (this.#isClosed) return listened
    this.#listened.set(id, listened)
    this.#subscribe()
    // it may have ended since it was loaded
    this.#check(listened)
    return listened
  }

  #release (listened: Listened): void {
    clearTimeout(listened.timer)
    this.#listened.delete(listened.id)
  }

  async #subscribe (): Promise<void> {
    if (this.#subscribed !== 'no' || this.#source.onEnded === undefined) return
    this.#subscribed = 'asked'
    try {
      await this.#source.onEnded((id, reason) => { this.ended(id, reason) }, this.#closing.signal)
      this.#subscribed = 'yes'
      // what ended before was not told
      for (const listened of this.#listened.values()) this.#check(listened)
    } catch (error) {
      this.#subscribed = 'no'
      if (this.#isRefusalLogged || this.#isClosed) return
      this.#isRefusalLogged = true
      logLine(this.#log, 'warn', { err: error }, 'the store cannot tell when sessions end in other processes; session.signal is a minute late there')
    }
  }

  #check (listened: Listened): void {
    clearTimeout(listened.timer)
    this.#inLine(() => this.#read(listened))
  }

  async #read (listened: Listened): Promise<void> {
    const { id } = listened
    if (!this.#isListened(listened)) return
    let found: unknown
    try {
      found = await this.#store.read(id)
    } catch {
      // the failure was told elsewhere, and the session may live
      return this.#checkLater(listened, this.#checkEvery)
    }
    this.#subscribe()
    const now = this.#clock.now()
    if (isRecord(found)) listened.expiresAt = Math.min(found.expiresAt, found.absoluteExpiresAt)
    const isAbsent = found === null || found === undefined || isEnded(found) || (isRecord(found) && isExpired(found, now))
    // what cannot be understood here may be understood elsewhere
    if (!isAbsent) return this.#checkLater(listened, isRecord(found) ? listened.expiresAt - now : this.#checkEvery)
    this.ended(id, !isEnded(found) && listened.expiresAt <= now ? 'expired' : null)
  }

  /** At its deadline, or in a minute; not all of them in the same moment. */
  #checkLater (listened: Listened, left: number): void {
    if (!this.#isListened(listened)) return
    const soonest = Math.min(MIN_WAIT, this.#checkEvery)
    const latest = this.#checkEvery * (0.75 + Math.random() / 4)
    clearTimeout(listened.timer)
    listened.timer = setTimeout(() => { this.#check(listened) }, Math.max(soonest, Math.min(left, latest))).unref()
  }

  get #isClosed (): boolean {
    return this.#closing.signal.aborted
  }

  #isListened (listened: Listened): boolean {
    return this.#listened.get(listened.id) === listened
  }
}

/** The id under which the session of the state is stored, and stays. */
function idOf (state: SessionValues): string | null {
  return state.isNew ? null : (state.stored as StoredSession).id
}

/** Every request of a session may add a listener; Node.js would take eleven for a leak. */
function newController (): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}

function abort (controller: AbortController, reason: EndReason | null): void {
  controller.abort(Object.assign(new SessionEndedError(), { reason }))
}
