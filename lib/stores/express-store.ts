/**
 * The stores people already run: any store made for express-session, as a store of
 * ours. Such a store knows no conditions, so what reads and then writes takes turns
 * by id; that holds within this process, and docs/express-stores.md says what it means.
 *
 * @packageDocumentation
 */
import { inspect } from 'node:util'
import { changedRecord } from '../apply-changes.js'
import { DURATION_MEND, toMilliseconds } from '../duration.js'
import { InvalidOptionError } from '../errors.js'
import { publish } from '../events.js'
import { Turns } from '../turns.js'
import type { Clock, Duration } from '../../types/options.js'
import type { SessionChanges, SessionRecord, SessionStore, UpdateResult } from '../../types/store.js'
import { recordOfRow, rowOf } from './express-record.js'
import { ExpressRows, type ExpressStore } from './express-rows.js'

export type { ExpressStore } from './express-rows.js'

/** What `fromExpressStore(store, options)` takes; everything has a default. */
export interface ExpressStoreOptions {
  /** How long one call may take before the next one for the same session goes ahead. Default `'2s'`. */
  timeout?: Duration
  /** Tells the time. Default `Date`; for tests. */
  clock?: Clock
}

/**
 * Makes a store that was written for express-session, such as connect-pg-simple or
 * connect-redis, a store for this package. Within one process every promise holds;
 * across processes two requests for one session at the same moment may undo each
 * other's changes, a logout included. Throws an `InvalidOptionError` for what is no such store.
 */
export function fromExpressStore (store: ExpressStore, options: ExpressStoreOptions = {}): SessionStore {
  return new AdaptedStore(store, options)
}

// By store, so that two apps of one process that share it take turns too
const turnsOf = new WeakMap<ExpressStore, Turns>()

class AdaptedStore implements SessionStore {
  readonly #rows: ExpressRows
  readonly #turns: Turns
  readonly #timeout: number
  readonly #clock: Clock

  constructor (store: ExpressStore, { timeout = '2s', clock = Date }: ExpressStoreOptions) {
    const milliseconds = toMilliseconds(timeout)
    if (milliseconds === null) throw new InvalidOptionError('timeout', inspect(timeout), DURATION_MEND)
    this.#rows = new ExpressRows('store', store, milliseconds)
    this.#turns = turnsOf.get(store) ?? new Turns()
    turnsOf.set(store, this.#turns)
    this.#timeout = milliseconds
    this.#clock = clock
  }

  async read (id: string): Promise<SessionRecord | null> {
    const record = await this.#get(id)
    if (record === null || !this.#isOver(record)) return record
    await this.#expire(id)
    return null
  }

  create (id: string, record: SessionRecord): Promise<boolean> {
    return this.#alone(id, async () => {
      if (await this.#find(id) !== null) return false
      await this.#set(id, record)
      return true
    })
  }

  update (id: string, changes: SessionChanges): Promise<UpdateResult> {
    return this.#alone(id, async () => {
      const record = await this.#find(id)
      if (record === null) return 'missing'
      if (changes.ifVersion !== undefined && changes.ifVersion !== record.version) return 'conflict'
      await this.#set(id, changedRecord(record, changes))
      return 'done'
    })
  }

  /** Never the store's own `touch`: with most stores that moves a date which nobody can read back. */
  touch (id: string, expiresAt: number): Promise<boolean> {
    return this.#alone(id, async () => {
      const record = await this.#find(id)
      if (record === null) return false
      await this.#set(id, { ...record, expiresAt })
      return true
    })
  }

  /** The new id is known to nobody yet, so only the old one has to take turns. */
  replace (oldId: string, newId: string, record: SessionRecord, ifVersion?: number): Promise<boolean> {
    return this.#alone(oldId, async () => {
      const old = await this.#find(oldId)
      if (old === null || (ifVersion !== undefined && ifVersion !== old.version)) return false
      await this.#set(newId, record)
      await this.#rows.destroy(oldId)
      return true
    })
  }

  destroy (id: string, ifVersion?: number): Promise<boolean> {
    return this.#alone(id, async () => {
      const record = ifVersion === undefined ? null : await this.#find(id)
      if (record !== null && record.version !== ifVersion) return false
      await this.#rows.destroy(id)
      return true
    })
  }

  /** Some stores never look for what has expired. */
  #expire (id: string): Promise<void> {
    return this.#alone(id, async () => {
      const record = await this.#get(id)
      if (record === null || !this.#isOver(record)) return
      await this.#rows.destroy(id)
      publish('expired', id)
    })
  }

  #alone<T> (id: string, work: () => Promise<T>): Promise<T> {
    const since = performance.now()
    return this.#turns.take(id, () => {
      // whoever asked was told long ago that the store is away, and a write that nobody expects is worse than none
      if (performance.now() - since > this.#timeout) throw new Error(`the store was busy with this session for ${this.#timeout} ms`)
      return work()
    })
  }

  /** The record, if it is there, whole and alive. */
  async #find (id: string): Promise<SessionRecord | null> {
    const record = await this.#get(id)
    return record !== null && record.expiresAt > this.#clock.now() ? record : null
  }

  /** Not the opposite of being alive: a broken record is neither. */
  #isOver ({ expiresAt }: SessionRecord): boolean {
    return expiresAt <= this.#clock.now()
  }

  async #get (id: string): Promise<SessionRecord | null> {
    return recordOfRow(await this.#rows.get(id), this.#clock.now())
  }

  /** What is over is not written: a store would take its deadline for none, or for an error. */
  async #set (id: string, record: SessionRecord): Promise<void> {
    const now = this.#clock.now()
    if (record.expiresAt <= now) await this.#rows.destroy(id)
    else await this.#rows.set(id, rowOf(record, now))
  }
}
