// What `new PostgresStore(options)` takes, checked.
import { inspect } from 'node:util'
import { DURATION_FIX, toMilliseconds } from '../../duration.js'
import { InvalidOptionError } from '../../errors.js'
import { unknownName } from '../../unknown-names.js'
import type { Clock, Duration } from '../../../types/options.js'
import type { Query } from './query.js'
import { DEFAULT_TABLE, tableNames, type TableNames } from './table-name.js'

/**
 * Listens to a channel on a connection of its own, and answers once it does. Listens again when the connection was lost; stops, and
 * gives up trying, when the signal is aborted.
 */
export type Listen = (channel: string, onMessage: (message: string) => void, signal: AbortSignal) => Promise<void>

/** How to reach the database: `fromPg(pool)` and `fromPostgres(sql)` make one. */
export interface PostgresAccess {
  /**
   * Sends one statement with its values, each a string or `null` (`$1` for the first), and answers with the rows. Outside of any transaction: what it
   * was told is stored must be.
   */
  query: Query
  /** How to listen. Without it a `session.signal` is up to a minute late where another process ended the session. */
  listen?: Listen
}

/** What `new PostgresStore(options)` takes; only `query` is required. An unknown name is refused. */
export interface PostgresStoreOptions extends PostgresAccess {
  /** The table of the sessions, with its schema if you like: `'app.sessions'`. That of their owners has the same name and `_owners`. Default `'fastify_sessions'`. */
  table?: string
  /** How often each process removes what has expired. Default `'1m'`. */
  sweepInterval?: Duration
  /** Tells the time. Default `Date`; for tests. */
  clock?: Clock
}

/** The options, complete. */
export interface PostgresSettings {
  readonly query: Query
  readonly listen: Listen | null
  readonly table: TableNames
  readonly sweepInterval: number
  readonly clock: Clock
}

const LONGEST_TIMER = 0x7fffffff

const known = ['query', 'listen', 'table', 'sweepInterval', 'clock']

const hints = {
  pool: 'write new PostgresStore(fromPg(pool))',
  client: 'write new PostgresStore(fromPg(pool)) or new PostgresStore(fromPostgres(sql))',
  sql: 'write new PostgresStore(fromPostgres(sql))',
  tableName: 'the option is table',
  schemaName: "write table: 'schema.name'",
  unlogged: 'it is an option of store.migrate() and migrationSql()'
}

const QUERY_FIX = 'write new PostgresStore(fromPg(pool)), new PostgresStore(fromPostgres(sql)), or give a function (text, values) that answers with rows'

/** Fills in the defaults. Throws an `InvalidOptionError` for what cannot work. */
export function postgresSettings (options: PostgresStoreOptions): PostgresSettings {
  if (typeof options !== 'object' || options === null) refuse('options', options, QUERY_FIX)
  const unknown = unknownName(options, known, hints)
  if (unknown !== null) refuse(unknown.name, options[unknown.name as keyof PostgresStoreOptions], unknown.fix)
  const { query, listen = null, table = DEFAULT_TABLE, sweepInterval = '1m', clock = Date } = options
  if (typeof query !== 'function') refuse('query', query, QUERY_FIX)
  if (listen !== null && typeof listen !== 'function') refuse('listen', listen, 'give a function (channel, onMessage, signal), or leave it out')
  if (typeof clock?.now !== 'function') refuse('clock', clock, 'give an object with a function now(), such as Date')
  const interval = toMilliseconds(sweepInterval) ?? refuse('sweepInterval', sweepInterval, DURATION_FIX)
  return { query, listen, table: tableNames(table), sweepInterval: Math.min(interval, LONGEST_TIMER), clock }
}

function refuse (option: string, value: unknown, hint: string): never {
  throw new InvalidOptionError(`PostgresStore ${option}`, inspect(value, { depth: -1, maxStringLength: 80 }), hint)
}
