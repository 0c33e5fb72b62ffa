/**
 * The stores people already run: any store made for express-session, as a store of
 * ours. Such a store knows no conditions, so what reads and then writes takes turns
 * by id; that holds within this process, and docs/express-stores.md says what it means.
 *
 * @packageDocumentation
 */
import { inspect } from 'node:util'
import { changedRecord, outgrows } from '../../record/apply-changes.js'
import { DURATION_MEND, toMilliseconds } from '../../duration.js'
import { InvalidOptionError } from '../../errors.js'
import { publish } from '../../events.js'
import { Turns } from './turns.js'
import type { Clock, Duration } from '../../../types/options.js'
import type { SessionChanges, SessionRecord, SessionStore, UpdateResult } from '../../../types/store.js'
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

/** A deadline that is waiting for its turn, and whoever waits for it. */
interface Renewal {
  expiresAt: number
  readonly answer: Promise<boolean>
}

// A deadline that another request has just moved is not worth a write for less.
const MAX_TOLERANCE = 1000

class AdaptedStore implements SessionStore {
  readonly #rows: ExpressRows
  readonly #turns: Turns
  readonly #renewals = new Map<string, Renewal>()
  readonly #timeout: number
  readonly #clock: Clock

  constructor (store: ExpressStore, { timeout = '2s', clock = Date }: ExpressStoreOptions) {
    const milliseconds = toMilliseconds(timeout)
    if (milliseconds === null) throw new InvalidOptionError('timeout', inspect(timeout), DURATION_MEND)
    this.#rows = new ExpressRows('store', store, milliseconds)
    this.#turns = Turns.of(store)
    this.#timeout = milliseconds
    this.#clock = clock
  }

  /** Removes nothing: another process may have renewed by now what has just expired here. */
  async read (id: string): Promise<SessionRecord | null> {
    const record = await this.#get(id)
    if (record === null || !this.#isOver(record)) return record
    publish('expired', id)
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
      const changed = changedRecord(record, changes)
      if (outgrows(record.values, changed.values, changes.maxSize)) return 'too-large'
      await this.#set(id, changed)
      return 'done'
    })
  }

  /**
   * Never the store's own `touch`: with most stores that moves a date which nobody can read back.
   * A page whose forty requests all find a renewal due costs one write: those that wait join the first.
   */
  touch (id: string, expiresAt: number): Promise<boolean> {
    const waiting = this.#renewals.get(id)
    if (waiting !== undefined) {
      waiting.expiresAt = Math.max(waiting.expiresAt, expiresAt)
      return waiting.answer
    }
    const renewal: Renewal = { expiresAt, answer: this.#alone(id, () => this.#renew(id, renewal)) }
    this.#renewals.set(id, renewal)
    const leave = () => { if (this.#renewals.get(id) === renewal) this.#renewals.delete(id) }
    renewal.answer.then(leave, leave)
    return renewal.answer
  }

  async #renew (id: string, renewal: Renewal): Promise<boolean> {
    const record = await this.#find(id)
    // from here on the deadline is settled, and nobody can join
    this.#renewals.delete(id)
    if (record === null) return false
    const { expiresAt } = renewal
    const tolerance = Math.min(MAX_TOLERANCE, (expiresAt - this.#clock.now()) / 100)
    if (Math.abs(record.expiresAt - expiresAt) > tolerance) await this.#set(id, { ...record, expiresAt })
    return true
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

  #alone<T> (id: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.take(id, this.#timeout, work)
  }

  /** The record, if it is there, whole and alive. */
  async #find (id: string): Promise<SessionRecord | null> {
    const record = await this.#get(id)
    return record !== null && record.expiresAt > this.#clock.now() ? record : null
  }

  /** Not the opposite of being alive: a corrupt record is neither. */
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
