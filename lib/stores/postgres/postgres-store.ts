/**
 * Sessions in PostgreSQL, for many processes and machines: one row per session, and every condition checked by the
 * statement that changes it.
 *
 * @packageDocumentation
 */
import { UnfitStoreError } from '../../errors.js'
import type { Clock } from '../../../types/options.js'
import type { SessionOwners } from '../../../types/owners.js'
import type { DestroyResult, EndCondition, EndedSession, EndListener, SessionChanges, SessionRecord, SessionRenewal, SessionStore, TouchResult, UpdateResult } from '../../../types/store.js'
import { endMessage, tellEnd } from '../end-messages.js'
import { migrationStep, type MigrationOptions } from './migration.js'
import { postgresSettings, type Listen, type PostgresStoreOptions } from './postgres-options.js'
import { PostgresOwners } from './postgres-owners.js'
import { dataText, keysText, lifetimeText, partValues, recordOf, renewalValues } from './postgres-record.js'
import { asking, type Ask } from './query.js'
import { FULL_SLICE, recordStatements, sweepStatement, type RecordStatements } from './record-statements.js'
import { checkTable } from './requirements.js'
import { run, runStep, type Values } from './statement.js'
import { storedText } from './stored-text.js'
import { Sweeper } from './sweeper.js'
import type { TableNames } from './table-name.js'

export { fromPg, type PgClient, type PgOptions, type PgPool, type PgResult } from './from-pg.js'
export { fromPostgres, type PostgresListener, type PostgresSql } from './from-postgres.js'
export { migrationSql, type MigrationOptions } from './migration.js'
export type { Listen, PostgresAccess, PostgresStoreOptions } from './postgres-options.js'
export type { Query } from './query.js'

/** Keeps sessions in PostgreSQL 12 or newer. */
export class PostgresStore implements SessionStore {
  /** Every process on any machine. */
  readonly atomicAcross = 'cluster'
  /** Which sessions each owner has: one row per owner, in the table with `_owners` behind its name. */
  readonly owners: SessionOwners
  /** Tells of sessions that ended, also in other processes; only where the store can `listen`. */
  readonly onEnded?: (listener: EndListener, signal: AbortSignal) => Promise<void>
  readonly #ask: Ask
  readonly #table: TableNames
  readonly #clock: Clock
  readonly #statements: RecordStatements
  readonly #sweeper: Sweeper
  #durable = false

  /** @param options - Throws an `InvalidOptionError` for what cannot work, and for an unknown name. */
  constructor (options: PostgresStoreOptions) {
    const { query, listen, table, sweepInterval, clock } = postgresSettings(options)
    this.#ask = asking(query)
    this.#table = table
    this.#clock = clock
    this.#statements = recordStatements(table.sessions)
    this.#sweeper = new Sweeper(this.#ask, [this.#statements.sweep, sweepStatement(table.owners, 'owner')], sweepInterval, clock)
    this.owners = new PostgresOwners(this.#ask, table, clock)
    if (listen !== null) this.onEnded = endsHeardBy(listen, table.channel)
  }

  /**
   * False where the table is UNLOGGED, where the server runs without `fsync` or the connection without `synchronous_commit`, and until `open()` has
   * reached the server.
   */
  get durable (): boolean { return this.#durable }

  /**
   * Makes the tables where they are absent: once, before the app starts, or at each start. Several processes may do so at the same time. Throws an
   * `UnfitStoreError` where a table of that name is something else. `migrationSql()` has the same as text.
   */
  async migrate (options: Pick<MigrationOptions, 'unlogged'> = {}): Promise<void> {
    const { unlogged = false, ...unknown } = options
    await this.#ask(migrationStep({ table: this.#table.plain, unlogged, ...unknown }), [])
    await this.open()
    await this.owners.open?.()
    const [persistence] = await this.#ask('SELECT relpersistence::text AS answer FROM pg_class WHERE oid = to_regclass($1::text)', [this.#table.sessions])
    if ((persistence === 'u') !== unlogged) {
      const { sessions, owners } = this.#table
      const statements = [sessions, owners].map((table) => `ALTER TABLE ${table} SET ${unlogged ? 'UNLOGGED' : 'LOGGED'}`).join('; ')
      throw new UnfitStoreError(`the table ${sessions} is ${unlogged ? 'logged' : 'UNLOGGED'} already; to change that, run ${statements}`)
    }
  }

  /**
   * Called at registration. Throws an `UnfitStoreError` when a table is missing, of another version or of something else, when the
   * database user may not use it, and when the server is too old. A server that is away is waited for later.
   */
  async open (): Promise<void> {
    this.#durable = await checkTable(this.#ask, this.#table, 'sessions')
    this.#sweeper.start()
  }

  async read (id: string): Promise<SessionRecord | EndedSession | null> {
    const [answer] = await run(this.#ask, this.#statements.read, this.#values(id))
    return answer === undefined ? null : recordOf(answer)
  }

  async create (id: string, record: SessionRecord): Promise<boolean> {
    const answers = await run(this.#ask, this.#statements.create, { ...this.#values(id), ...partValues(record), data: dataText(record.values), version: String(record.version) })
    this.#sweeper.start()
    return answers.length > 0
  }

  async update (id: string, changes: SessionChanges): Promise<UpdateResult> {
    const { clear, set, remove, ifGeneration, ifVerifier, ifLifetime, ifValue, maxSize, renewal } = changes
    // what only removes keys is never too large, and needs no counting
    const isBounded = maxSize !== undefined && Object.keys(set).length > 0
    return await runStep(this.#ask, this.#statements.update, {
      ...this.#values(id),
      ...partValues(changes),
      ...renewalValues(renewal),
      clear: clear ? '1' : '',
      set: dataText(set),
      remove: keysText(remove),
      maxSize: isBounded ? String(maxSize) : null,
      ifGeneration: ifGeneration?.toString(),
      ifVerifier: ifVerifier === undefined ? null : storedText(ifVerifier),
      ifLifetime: lifetimeText(ifLifetime),
      ifKey: ifValue === undefined ? null : storedText(ifValue.key),
      ifEncoded: typeof ifValue?.encoded === 'string' ? storedText(ifValue.encoded) : null
    }) as UpdateResult
  }

  async touch (id: string, renewal: SessionRenewal): Promise<TouchResult> {
    return await runStep(this.#ask, this.#statements.touch, { ...this.#values(id), ...renewalValues(renewal) }) as TouchResult
  }

  async destroy (id: string, condition: EndCondition = {}): Promise<DestroyResult> {
    const { ifGeneration, ifVersion, reason } = condition
    return await runStep(this.#ask, this.#statements.destroy, {
      ...this.#values(id), ifGeneration: ifGeneration?.toString(), ifVersion: ifVersion?.toString(), channel: this.#table.channel, message: endMessage(id, reason)
    }) as DestroyResult
  }

  async * ids (): AsyncGenerator<readonly string[]> {
    let after = ''
    let slice: string[]
    do {
      slice = await run(this.#ask, this.#statements.ids, { after, now: String(this.#clock.now()) })
      after = slice.at(-1) ?? ''
      yield slice
    } while (slice.length === FULL_SLICE)
  }

  /** Removes what has expired, up to a thousand sessions; answers whether more is left. It happens by itself. */
  sweep (): Promise<boolean> {
    return this.#sweeper.sweep()
  }

  /** Stops removing what has expired, until another session is created. Your client stays connected. */
  close (): void {
    this.#sweeper.stop()
  }

  #values (id: string): Values {
    return { id, now: String(this.#clock.now()) }
  }
}

function endsHeardBy (listen: Listen, channel: string): (listener: EndListener, signal: AbortSignal) => Promise<void> {
  return (listener, signal) => listen(channel, (message) => { tellEnd(message, listener) }, signal)
}
