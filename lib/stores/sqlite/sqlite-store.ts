/**
 * Sessions in a file of SQLite, for every process of one machine: nothing to install, and still there after a restart.
 *
 * @packageDocumentation
 */
import { publish } from '../../events.js'
import type { SessionOwners } from '../../../types/owners.js'
import type { Awaitable, DestroyResult, EndCondition, EndedSession, EndListener, SessionChanges, SessionRecord, SessionRenewal, SessionStore, TouchResult, UpdateResult } from '../../../types/store.js'
import { EndLog } from './end-log.js'
import type { Connection } from './connection.js'
import { patiently } from './patience.js'
import { createSession, endSession, readSession, touchSession, updateSession } from './session-steps.js'
import { callError } from './sqlite-errors.js'
import { SqliteFile } from './sqlite-file.js'
import { sqliteSettings, type SqliteSettings, type SqliteStoreOptions } from './sqlite-options.js'
import { SqliteOwners } from './sqlite-owners.js'
import { rowText } from './sqlite-record.js'
import { SweepTurns } from './sweep-turns.js'
import { WriteQueue } from './write-queue.js'

export type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite-database.js'
export type { SqliteStoreOptions } from './sqlite-options.js'

const IDS_AT_ONCE = 1000

/** Keeps sessions in a file of SQLite, which any number of processes on one machine share. */
export class SqliteStore implements SessionStore {
  /** Every process of this machine that opens the file. */
  readonly atomicAcross = 'machine'
  /** True with the `durability` `'full'`, which is the default. */
  readonly durable: boolean
  /** Which sessions each owner has: rows of the table `owned`. */
  readonly owners: SessionOwners
  readonly #settings: SqliteSettings
  readonly #file: SqliteFile
  readonly #queue: WriteQueue
  readonly #ends: EndLog
  readonly #sweeps: SweepTurns
  #expired = 0

  /** @param options - Throws an `InvalidOptionError` for what cannot work, and for an unknown name. */
  constructor (options: SqliteStoreOptions) {
    this.#settings = sqliteSettings(options)
    this.durable = this.#settings.durability === 'full'
    this.#file = new SqliteFile(this.#settings)
    this.#queue = new WriteQueue(() => this.#connection())
    this.#ends = new EndLog(this.#file)
    this.#sweeps = new SweepTurns(this.#file, this.#write, this.#settings, (ids) => this.#publishExpired(ids))
    this.owners = new SqliteOwners(this.#file, this.#write, this.#settings.clock)
  }

  /** Sessions that expired and were removed by this process since the start. */
  get expired (): number { return this.#expired }

  /**
   * Called at registration. Throws an `UnfitStoreError` where the file cannot be used: it is of another program or a newer
   * version of this package, is no database, or the process may not write it.
   */
  async open (): Promise<void> {
    await patiently(() => this.#connection())
  }

  read (id: string): Awaitable<SessionRecord | EndedSession | null> {
    return patiently(() => readSession(this.#connection(), id, this.#settings.clock.now()))
  }

  create (id: string, record: SessionRecord): Promise<boolean> {
    const { expiresAt } = record
    const text = rowText(record)
    return this.#write((connection) => createSession(connection, id, expiresAt, text, this.#settings.clock.now()))
  }

  update (id: string, changes: SessionChanges): Promise<UpdateResult> {
    return this.#write((connection) => updateSession(connection, id, changes, this.#settings.clock.now()))
  }

  touch (id: string, renewal: SessionRenewal): Promise<TouchResult> {
    return this.#write((connection) => touchSession(connection, id, renewal, this.#settings.clock.now()))
  }

  async destroy (id: string, condition: EndCondition = {}): Promise<DestroyResult> {
    const result = await this.#write((connection) => endSession(connection, id, condition, this.#settings.clock.now()))
    if (result === 'done') this.#ends.readOn()
    return result
  }

  async onEnded (listener: EndListener, signal: AbortSignal): Promise<void> {
    await this.#ends.listen(listener, signal)
  }

  /** By their order, so that what is created and ended in between moves none. */
  async * ids (): AsyncGenerator<readonly string[]> {
    for (let last = '', isPartial = true; isPartial;) {
      const rows = await patiently(() => this.#connection().all<{ id: string }>('SELECT id FROM session WHERE id > ? AND record IS NOT NULL ORDER BY id LIMIT ?', last, IDS_AT_ONCE))
      const slice = rows.map(({ id }) => id)
      isPartial = slice.length === IDS_AT_ONCE
      last = slice.at(-1) ?? last
      yield slice
    }
  }

  /** Removes what has expired, in slices, and answers with how many sessions that were. It also happens by itself, every `sweepInterval`. */
  sweep (): Promise<number> {
    return this.#sweeps.sweep()
  }

  /** Waits for the saves under way, then closes the file; a `database` of your own stays open. A later call opens the file again. */
  async close (): Promise<void> {
    this.#sweeps.stop()
    await this.#queue.drain()
    this.#file.close()
  }

  /** The file is swept from the moment it is open. */
  #connection (): Connection {
    const { connection } = this.#file
    this.#sweeps.start()
    return connection
  }

  readonly #write = <T>(take: (connection: Connection) => T): Promise<T> => {
    return this.#queue.add(take).catch((error: unknown) => { throw callError(error, this.#settings.maxBytes) })
  }

  #publishExpired (ids: readonly string[]): void {
    this.#expired += ids.length
    for (const id of ids) publish(this, 'expired', id, { reason: 'expired' })
  }
}
