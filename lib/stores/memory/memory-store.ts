// Sessions in this process: the default store. It answers at once, holds no more
// than it is told to, and removes what has expired in small slices.
import { applyChanges, applyRenewal } from '../../record/apply-changes.js'
import { publish } from '../../events.js'
import { warnEvicted } from '../../warnings.js'
import type { SessionOwners } from '../../../types/owners.js'
import type { DestroyResult, EndCondition, EndedSession, EndListener, EndReason, SessionChanges, SessionRecord, SessionRenewal, SessionStore, TouchResult, UpdateResult } from '../../../types/store.js'
import { EndedMarks } from './ended-marks.js'
import type { Entry } from './entry.js'
import { EvictionOrder } from './eviction-order.js'
import { KnownShapes } from './known-shapes.js'
import { compactValues, growthOf, keptRecord, layOut, withValues } from './layout.js'
import { memorySettings, type MemorySettings, type MemoryStoreOptions } from './memory-options.js'
import { OwnerLists } from './owner-lists.js'
import { ShardedMap } from './sharded-map.js'
import { compact } from './string-size.js'
import { SweepTimer } from './sweep-timer.js'

const SLICE_MS = 1
const ENTRIES_PER_LOOK_AT_THE_CLOCK = 32

/** Keeps sessions in this process: the default store. Bounded; what has expired is removed in small slices. */
export class MemoryStore implements SessionStore {
  readonly atomicAcross = 'process'
  readonly durable = false
  /** Which sessions each owner has. */
  readonly owners: SessionOwners
  readonly #entries = new ShardedMap<Entry>()
  readonly #order = new EvictionOrder<Entry>()
  readonly #shapes = new KnownShapes()
  readonly #ended = new EndedMarks()
  readonly #listeners = new Set<EndListener>()
  readonly #settings: MemorySettings
  readonly #timer: SweepTimer
  #size = 0
  #bytes = 0
  #expired = 0
  #evicted = 0

  /** @param options - Throws an `InvalidOptionError` for what cannot work, and for an unknown name. */
  constructor (options: MemoryStoreOptions = {}) {
    this.#settings = memorySettings(options)
    this.owners = new OwnerLists(this.#settings.clock)
    this.#timer = new SweepTimer(this.#settings.sweepInterval, this)
  }

  /** Sessions held now, expired ones that were not swept yet included. */
  get size (): number { return this.#size }
  /** The memory they take in V8's heap, as measured: never less than 90 % of it, and more where many are small. */
  get bytes (): number { return this.#bytes }
  /** Sessions that expired and were removed since the start. */
  get expired (): number { return this.#expired }
  /** Sessions that had to go before their time since the start. */
  get evicted (): number { return this.#evicted }

  read (id: string): SessionRecord | EndedSession | null {
    return this.#find(id)?.record ?? this.#ended.get(id, this.#settings.clock.now())
  }

  create (id: string, record: SessionRecord): boolean {
    if (this.#find(id) !== undefined) return false
    this.#add(id, record)
    this.#ended.remove(id)
    return true
  }

  update (id: string, changes: SessionChanges): UpdateResult {
    const entry = this.#find(id)
    if (entry === undefined) return 'missing'
    const changed = applyChanges(entry.record, changes)
    if (typeof changed === 'string') return changed
    this.#write(entry, changed, changes)
    return 'done'
  }

  touch (id: string, renewal: SessionRenewal): TouchResult {
    const entry = this.#find(id)
    if (entry === undefined) return 'missing'
    const renewed = applyRenewal(entry.record, renewal)
    if (renewed === null) return 'stale'
    entry.record = Object.freeze(renewed)
    entry.queue.move(entry, renewed.expiresAt)
    return 'done'
  }

  destroy (id: string, condition: EndCondition = {}): DestroyResult {
    const entry = this.#find(id)
    if (entry === undefined) return 'missing'
    const { ifGeneration = entry.record.generation, ifVersion = entry.record.version, reason } = condition
    if (ifGeneration !== entry.record.generation || ifVersion !== entry.record.version) return 'conflict'
    this.#ended.set(id, this.#settings.clock.now())
    this.#remove(entry, reason)
    return 'done'
  }

  onEnded (listener: EndListener, signal: AbortSignal): void {
    this.#listeners.add(listener)
    signal.addEventListener('abort', () => { this.#listeners.delete(listener) })
  }

  ids (): Iterable<readonly string[]> {
    return this.#entries.keys()
  }

  /** Removes expired sessions for at most 1 ms and says how many; what is left follows between other work. */
  sweep (): number {
    const now = this.#settings.clock.now()
    const end = performance.now() + SLICE_MS
    let swept = 0
    for (let entry = this.#order.soonest; entry !== undefined && entry.expiresAt <= now; entry = this.#order.soonest) {
      this.#expire(entry)
      if (++swept % ENTRIES_PER_LOOK_AT_THE_CLOCK === 0 && performance.now() >= end) break
    }
    this.#timer.schedule(this.#order.soonest, this.#settings.clock.now())
    return swept
  }

  /** Stops sweeping until another session is created. What is stored stays. */
  close (): void {
    this.#timer.cancel()
  }

  #find (id: string): Entry | undefined {
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.expiresAt > this.#settings.clock.now()) return entry
    this.#expire(entry)
    return undefined
  }

  #add (givenId: string, given: SessionRecord): void {
    const id = compact(givenId)
    const { record, bytes, keyBytes } = keptRecord(id, given, this.#shapes)
    this.#makeRoom(1, bytes)
    const queue = this.#order.queueFor(record.generation)
    const entry: Entry = { id, record, bytes, keyBytes, expiresAt: record.expiresAt, place: 0, queue }
    this.#entries.set(id, entry)
    queue.add(entry)
    this.#size++
    this.#bytes += bytes
    if (!this.#timer.isSet) this.#timer.schedule(this.#order.soonest, this.#settings.clock.now())
  }

  #write (entry: Entry, record: SessionRecord, changes: SessionChanges): void {
    const { record: old } = entry
    const queue = this.#order.queueFor(record.generation)
    const set = Object.keys(changes.set)
    compactValues(record.values, set)
    const { values, keyBytes } = layOut(record.values, this.#shapes)
    const growth = keyBytes - entry.keyBytes + growthOf(old, record, changes, set)
    if (queue !== entry.queue || this.#isBeyond(0, growth)) {
      entry.queue.remove(entry)
      this.#makeRoom(0, growth)
      entry.queue = queue
      queue.add(entry)
    }
    entry.record = withValues(record, values, old)
    entry.bytes += growth
    entry.keyBytes = keyBytes
    this.#bytes += growth
    if (record.expiresAt !== entry.expiresAt) queue.move(entry, record.expiresAt)
  }

  #isBeyond (sessions: number, bytes: number): boolean {
    return this.#size + sessions > this.#settings.maxSessions || this.#bytes + bytes > this.#settings.maxBytes
  }

  /** What is being written is in no queue just then, so it is never the one to go. */
  #makeRoom (sessions: number, bytes: number): void {
    while (this.#isBeyond(sessions, bytes)) {
      const entry = this.#order.first(this.#settings.clock.now())
      if (entry === undefined) return
      this.#evict(entry)
    }
  }

  #remove (entry: Entry, reason: EndReason | null = null): void {
    this.#entries.delete(entry.id)
    // what was evicted counts no more
    if (entry.record.owner !== null) this.owners.remove(entry.record.owner, [entry.id])
    entry.queue.remove(entry)
    this.#size--
    this.#bytes -= entry.bytes
    for (const tell of this.#listeners) tell(entry.id, reason)
  }

  #expire (entry: Entry): void {
    this.#remove(entry, 'expired')
    this.#expired++
    publish(this, 'expired', entry.id, { reason: 'expired' })
  }

  #evict (entry: Entry): void {
    if (entry.expiresAt <= this.#settings.clock.now()) return this.#expire(entry)
    warnEvicted(entry.record.generation)
    this.#remove(entry, 'evicted')
    this.#evicted++
    publish(this, 'evicted', entry.id, { reason: 'evicted' })
  }
}
