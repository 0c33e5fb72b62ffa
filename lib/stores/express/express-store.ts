/**
 * The stores people already run: any store made for express-session, as a store of
 * ours. Such a store knows no conditions, so what reads and then writes takes turns
 * by id; that holds within this process, and docs/express-stores.md says what it means.
 *
 * @packageDocumentation
 */
import { inspect } from 'node:util'
import { DURATION_FIX, toMilliseconds } from '../../duration.js'
import { InvalidOptionError } from '../../errors.js'
import { publish } from '../../events.js'
import { applyChanges, applyRenewal } from '../../record/apply-changes.js'
import { ENDED_FOR, isEnded } from '../../record/record.js'
import type { Clock, Duration } from '../../../types/options.js'
import type { DestroyResult, EndCondition, EndedSession, SessionChanges, SessionRecord, SessionRenewal, SessionStore, TouchResult, UpdateResult } from '../../../types/store.js'
import { contentOfRow, endedRow, rowOf } from './express-record.js'
import { ExpressRows, type ExpressStore } from './express-rows.js'
import { Turns } from '../turns.js'

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

/** Renewals that wait for their turn together. */
interface Batch {
  readonly renewals: SessionRenewal[]
  /** One for each, in the same order. */
  readonly answers: Promise<readonly TouchResult[]>
}

class AdaptedStore implements SessionStore {
  readonly atomicAcross = 'process'
  // nobody can ask such a store
  readonly durable = false
  readonly #rows: ExpressRows
  readonly #turns: Turns
  readonly #batches = new Map<string, Batch>()
  readonly #timeout: number
  readonly #clock: Clock

  constructor (store: ExpressStore, { timeout = '2s', clock = Date }: ExpressStoreOptions) {
    const milliseconds = toMilliseconds(timeout)
    if (milliseconds === null) throw new InvalidOptionError('timeout', inspect(timeout), DURATION_FIX)
    this.#rows = new ExpressRows('store', store, milliseconds)
    this.#turns = Turns.of(store)
    this.#timeout = milliseconds
    this.#clock = clock
  }

  /** Removes nothing: another process may have renewed by now what has just expired here. */
  async read (id: string): Promise<SessionRecord | EndedSession | null> {
    const found = await this.#get(id)
    if (found === null) return null
    if (isEnded(found)) return this.#clock.now() < found.endedAt + ENDED_FOR ? found : null
    if (!this.#isExpired(found)) return found
    publish(this, 'expired', id, { reason: 'expired' })
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
      const changed = applyChanges(record, changes)
      if (typeof changed === 'string') return changed
      await this.#set(id, changed)
      return 'done'
    })
  }

  /**
   * Never the store's own `touch`: with most stores that moves a date which nobody can read back.
   * A page whose forty requests all find a renewal due costs one write: those that wait share it.
   */
  async touch (id: string, renewal: SessionRenewal): Promise<TouchResult> {
    const { renewals, answers } = this.#batches.get(id) ?? this.#newBatch(id)
    const place = renewals.push(renewal) - 1
    return (await answers)[place] as TouchResult
  }

  destroy (id: string, { ifGeneration, ifVersion }: EndCondition = {}): Promise<DestroyResult> {
    return this.#alone(id, async () => {
      const found = await this.#get(id)
      if (this.#isAlive(found)) {
        if ((ifGeneration ?? found.generation) !== found.generation || (ifVersion ?? found.version) !== found.version) return 'conflict'
        await this.#rows.set(id, endedRow(this.#clock.now()))
        return 'done'
      }
      // what counts as absent here may be a session elsewhere, by another clock or a newer version of this package
      if (ifGeneration === undefined && ifVersion === undefined && !isEnded(found)) await this.#rows.destroy(id)
      return 'missing'
    })
  }

  #newBatch (id: string): Batch {
    const renewals: SessionRenewal[] = []
    const settle = () => { if (this.#batches.get(id) === batch) this.#batches.delete(id) }
    const batch: Batch = { renewals, answers: this.#alone(id, () => this.#renew(id, renewals, settle)) }
    this.#batches.set(id, batch)
    batch.answers.catch(settle)
    return batch
  }

  /** As one after the other, in one write; in none where they move nothing. From `settle` on nobody can join. */
  async #renew (id: string, renewals: readonly SessionRenewal[], settle: () => void): Promise<readonly TouchResult[]> {
    const record = await this.#find(id)
    settle()
    if (record === null) return renewals.map(() => 'missing')
    let renewed = record
    const answers = renewals.map((renewal): TouchResult => {
      const next = applyRenewal(renewed, renewal)
      renewed = next ?? renewed
      return next === null ? 'stale' : 'done'
    })
    if (renewed.expiresAt !== record.expiresAt) await this.#set(id, renewed)
    return answers
  }

  #alone<T> (id: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.take(id, this.#timeout, work)
  }

  /** The record, if there is one that can be decoded and has not expired. */
  async #find (id: string): Promise<SessionRecord | null> {
    const found = await this.#get(id)
    return this.#isAlive(found) ? found : null
  }

  async #get (id: string): Promise<SessionRecord | EndedSession | null> {
    return contentOfRow(await this.#rows.get(id))
  }

  #isAlive (found: SessionRecord | EndedSession | null): found is SessionRecord {
    return found !== null && !isEnded(found) && found.expiresAt > this.#clock.now()
  }

  /** Not the opposite of being alive: a corrupt record is neither. */
  #isExpired ({ expiresAt }: SessionRecord): boolean {
    return expiresAt <= this.#clock.now()
  }

  /** What has expired is not written: a store would take its deadline for none, or for an error. */
  async #set (id: string, record: SessionRecord): Promise<void> {
    const now = this.#clock.now()
    if (record.expiresAt <= now) await this.#rows.destroy(id)
    else await this.#rows.set(id, rowOf(record, now))
  }
}
