// Sessions in this process: the default store. It answers at once, holds no more
// than it is told to, and removes what has expired in small slices.
import { getHeapStatistics } from 'node:v8'
import { changedRecord, copiedRecord, outgrows } from '../apply-changes.js'
import { DURATION_MEND, toMilliseconds } from '../duration.js'
import { InvalidOptionError } from '../errors.js'
import { publish } from '../events.js'
import type { Clock, Duration } from '../../types/options.js'
import type { SessionChanges, SessionRecord, SessionStore, UpdateResult } from '../../types/store.js'
import { ExpiryQueue } from './expiry-queue.js'

/** What `new MemoryStore(options)` takes; everything has a default. */
export interface MemoryStoreOptions {
  /** Sessions held at most; beyond it those that expire soonest are evicted. Default 1,000,000. */
  maxSessions?: number
  /** Memory used at most, as `bytes` counts it; beyond it those that expire soonest are evicted. Default half of V8's heap limit. */
  maxBytes?: number
  /** How often expired sessions are looked for. Default `'10s'`. */
  sweepInterval?: Duration
  /** Tells the time. Default `Date`; for tests. */
  clock?: Clock
}

interface Entry {
  readonly id: string
  record: SessionRecord
  bytes: number
  expiresAt: number
  place: number
}

// What a session takes besides its keys and values, measured with a million of them.
const BYTES_PER_SESSION = 500

const SLICE_MS = 1
const ENTRIES_PER_LOOK_AT_THE_CLOCK = 32

// One Map of a million entries stops the process for 25 to 50 ms whenever it
// grows or shrinks; many small ones never do.
const SHARDS = 1024

/** Keeps sessions in this process: the default store. Bounded; what has expired is removed in small slices. */
export class MemoryStore implements SessionStore {
  readonly #shards = Array.from({ length: SHARDS }, () => new Map<string, Entry>())
  readonly #queue = new ExpiryQueue<Entry>()
  readonly #maxSessions: number
  readonly #maxBytes: number
  readonly #sweepInterval: number
  readonly #clock: Clock
  #timer: NodeJS.Timeout | NodeJS.Immediate | null = null
  #size = 0
  #bytes = 0
  #created = 0
  #expired = 0
  #evicted = 0

  /** @param options - Throws an `InvalidOptionError` for what cannot work. */
  constructor ({ maxSessions, maxBytes, sweepInterval = '10s', clock = Date }: MemoryStoreOptions = {}) {
    this.#maxSessions = atLeastOne('maxSessions', maxSessions ?? 1_000_000)
    this.#maxBytes = atLeastOne('maxBytes', maxBytes ?? Math.floor(getHeapStatistics().heap_size_limit / 2))
    const interval = toMilliseconds(sweepInterval)
    if (interval === null) throw new InvalidOptionError('sweepInterval', String(sweepInterval), DURATION_MEND)
    this.#sweepInterval = Math.min(interval, 0x7fffffff)
    this.#clock = clock
  }

  /** Sessions held now, expired ones that were not swept yet included. */
  get size (): number { return this.#size }
  /** The memory they take: their keys and values in UTF-8, and 500 bytes each. */
  get bytes (): number { return this.#bytes }
  /** Sessions created since the start. */
  get created (): number { return this.#created }
  /** Sessions that expired and were removed since the start. */
  get expired (): number { return this.#expired }
  /** Sessions that had to go before their time since the start. */
  get evicted (): number { return this.#evicted }

  read (id: string): SessionRecord | null {
    return this.#find(id)?.record ?? null
  }

  create (id: string, record: SessionRecord): boolean {
    if (this.#find(id) !== undefined) return false
    this.#add(id, record)
    this.#created++
    return true
  }

  update (id: string, changes: SessionChanges): UpdateResult {
    const entry = this.#find(id)
    if (entry === undefined) return 'missing'
    if (changes.ifVersion !== undefined && changes.ifVersion !== entry.record.version) return 'conflict'
    const record = changedRecord(entry.record, changes)
    if (outgrows(entry.record.values, record.values, changes.maxSize)) return 'too-large'
    const keys = changes.clear ? undefined : [...Object.keys(changes.set), ...changes.remove]
    this.#write(entry, record, bytesOf(record, keys) - bytesOf(entry.record, keys))
    return 'done'
  }

  touch (id: string, expiresAt: number): boolean {
    const entry = this.#find(id)
    if (entry === undefined) return false
    const { values, createdAt, absoluteExpiresAt, version, owner, lifetime } = entry.record
    entry.record = Object.freeze({ values, createdAt, expiresAt, absoluteExpiresAt, version, owner, lifetime })
    this.#queue.move(entry, expiresAt)
    return true
  }

  replace (oldId: string, newId: string, record: SessionRecord, ifVersion?: number): boolean {
    const old = this.#find(oldId)
    if (old === undefined || (ifVersion !== undefined && old.record.version !== ifVersion)) return false
    this.#remove(old)
    const taken = this.#find(newId)
    if (taken !== undefined) this.#remove(taken)
    this.#add(newId, record)
    return true
  }

  destroy (id: string, ifVersion?: number): boolean {
    const entry = this.#find(id)
    if (entry === undefined) return true
    if (ifVersion !== undefined && entry.record.version !== ifVersion) return false
    this.#remove(entry)
    return true
  }

  /** Removes expired sessions for at most 1 ms and says how many; what is left follows between other work. */
  sweep (): number {
    const now = this.#clock.now()
    const end = performance.now() + SLICE_MS
    let swept = 0
    for (let entry = this.#queue.soonest; entry !== undefined && entry.expiresAt <= now; entry = this.#queue.soonest) {
      this.#expire(entry)
      if (++swept % ENTRIES_PER_LOOK_AT_THE_CLOCK === 0 && performance.now() >= end) break
    }
    this.#schedule()
    return swept
  }

  /** Stops sweeping until another session is created. What is stored stays. */
  close (): void {
    this.#cancel()
  }

  #find (id: string): Entry | undefined {
    const entry = this.#shard(id).get(id)
    if (entry === undefined || entry.expiresAt > this.#clock.now()) return entry
    this.#expire(entry)
    return undefined
  }

  #add (id: string, record: SessionRecord): void {
    const bytes = BYTES_PER_SESSION + bytesOf(record)
    this.#makeRoom(1, bytes)
    const entry: Entry = { id, record: frozen(copiedRecord(record)), bytes, expiresAt: record.expiresAt, place: 0 }
    this.#shard(id).set(id, entry)
    this.#queue.add(entry)
    this.#size++
    this.#bytes += bytes
    if (this.#timer === null) this.#schedule()
  }

  #write (entry: Entry, record: SessionRecord, growth: number): void {
    if (this.#isBeyond(0, growth)) {
      this.#queue.remove(entry)
      this.#makeRoom(0, growth)
      this.#queue.add(entry)
    }
    entry.record = frozen(record)
    entry.bytes += growth
    this.#bytes += growth
    if (record.expiresAt !== entry.expiresAt) this.#queue.move(entry, record.expiresAt)
  }

  #isBeyond (sessions: number, bytes: number): boolean {
    return this.#size + sessions > this.#maxSessions || this.#bytes + bytes > this.#maxBytes
  }

  /** Whoever is being written is not in the queue just then, so it is never the one to go. */
  #makeRoom (sessions: number, bytes: number): void {
    while (this.#isBeyond(sessions, bytes)) {
      const entry = this.#queue.soonest
      if (entry === undefined) return
      this.#evict(entry)
    }
  }

  #remove (entry: Entry): void {
    this.#shard(entry.id).delete(entry.id)
    this.#queue.remove(entry)
    this.#size--
    this.#bytes -= entry.bytes
  }

  #expire (entry: Entry): void {
    this.#remove(entry)
    this.#expired++
    publish('expired', entry.id)
  }

  #evict (entry: Entry): void {
    if (entry.expiresAt <= this.#clock.now()) return this.#expire(entry)
    if (this.#evicted === 0) {
      process.emitWarning('fastify-keep: the MemoryStore is full and drops live sessions; raise maxSessions or maxBytes, or use a store outside the process', { code: 'FST_KEEP_EVICTED' })
    }
    this.#remove(entry)
    this.#evicted++
    publish('evicted', entry.id)
  }

  #shard (id: string): Map<string, Entry> {
    return this.#shards[((id.charCodeAt(0) << 5) ^ id.charCodeAt(1)) & (SHARDS - 1)] as Map<string, Entry>
  }

  #schedule (): void {
    this.#cancel()
    const soonest = this.#queue.soonest
    if (soonest === undefined) return
    this.#timer = soonest.expiresAt <= this.#clock.now()
      ? setImmediate(() => this.sweep())
      : setTimeout(() => this.sweep(), this.#sweepInterval)
    this.#timer.unref()
  }

  #cancel (): void {
    clearTimeout(this.#timer as NodeJS.Timeout)
    clearImmediate(this.#timer as NodeJS.Immediate)
    this.#timer = null
  }
}

/** So that it can be handed out: nobody who reads it can change it. */
function frozen (record: SessionRecord): SessionRecord {
  Object.freeze(record.values)
  Object.freeze(record.lifetime)
  return Object.freeze(record)
}

/** What these keys and their values take; all of them when none are named. */
function bytesOf ({ values }: SessionRecord, keys = Object.keys(values)): number {
  let bytes = 0
  for (const key of keys) {
    if (Object.hasOwn(values, key)) bytes += Buffer.byteLength(key) + Buffer.byteLength(values[key] as string)
  }
  return bytes
}

function atLeastOne (option: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new InvalidOptionError(option, String(value), 'give a whole number above 0')
}
