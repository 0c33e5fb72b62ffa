// What a SqliteStore is told, checked and complete.
import { resolve } from 'node:path'
import { inspect } from 'node:util'
import { DURATION_FIX, toMilliseconds } from '../../duration.js'
import { InvalidOptionError } from '../../errors.js'
import { unknownName } from '../../unknown-names.js'
import type { Clock, Duration } from '../../../types/options.js'
import { nodeSqlite, type SqliteDatabase } from './sqlite-database.js'

/** What `new SqliteStore(options)` takes: a `path` or a `database`, and nothing else is required. An unknown name is refused. */
export interface SqliteStoreOptions {
  /**
   * The file, which is made where it is not there yet. Opened with `node:sqlite`, so it needs Node.js 22.13 or newer. The
   * folder has to be on a disk of this machine: SQLite cannot share a file over the network.
   */
  path?: string
  /**
   * Instead of `path`: a connection of your own to a file that holds nothing else, of better-sqlite3, libsql or `node:sqlite`. Nothing else may use
   * this connection, and closing it is up to you.
   */
  database?: SqliteDatabase
  /**
   * What a power cut may take. `'full'` (default): nothing that was confirmed, for each commit waits for the disk.
   * `'normal'`: the last second or so, and never half a session. When only the process dies, neither loses anything.
   */
  durability?: 'full' | 'normal'
  /**
   * The size of the file at most, in bytes. Beyond it what needs room fails with a `StoreFullError`; reading and logging out go on.
   * Beside it there is a log of some megabytes. Default: as large as the disk.
   */
  maxBytes?: number
  /** How often expired sessions are looked for, by one process at a time. Default `'10s'`. */
  sweepInterval?: Duration
  /** Tells the time. Default `Date`; for tests. */
  clock?: Clock
}

/** The options, complete. */
export interface SqliteSettings {
  /** `null` where the database was given. */
  readonly path: string | null
  readonly database: SqliteDatabase | null
  readonly durability: 'full' | 'normal'
  readonly maxBytes: number | null
  readonly sweepInterval: number
  readonly clock: Clock
}

const LONGEST_TIMER = 0x7fffffff
const MIN_BYTES = 65_536

const known = ['path', 'database', 'durability', 'maxBytes', 'sweepInterval', 'clock']

const elsewhere: Record<string, string> = {
  client: 'write database',
  db: 'write database',
  file: 'write path',
  filename: 'write path',
  ttl: 'leave it out: the session has the options idleTimeout and absoluteTimeout'
}

/** Fills in the defaults. Throws an `InvalidOptionError` for what cannot work. */
export function sqliteSettings (options: SqliteStoreOptions): SqliteSettings {
  if (typeof options !== 'object' || options === null) refuse('options', options, "give an object such as { path: './sessions.db' }")
  const unknown = unknownName(options, known, elsewhere)
  if (unknown !== null) refuse(unknown.name, options[unknown.name as keyof SqliteStoreOptions], unknown.fix)
  const { path, database, durability = 'full', maxBytes, sweepInterval = '10s', clock = Date } = options
  if ((path === undefined) === (database === undefined)) refuse('path', path, "give either path: './sessions.db' or a database of your own")
  if (durability !== 'full' && durability !== 'normal') refuse('durability', durability, "give 'full' or 'normal'")
  if (maxBytes !== undefined && !(Number.isSafeInteger(maxBytes) && maxBytes >= MIN_BYTES)) refuse('maxBytes', maxBytes, `give a whole number of bytes from ${MIN_BYTES} on`)
  if (typeof clock?.now !== 'function') refuse('clock', clock, 'give an object with a function now(), such as Date')
  const interval = toMilliseconds(sweepInterval) ?? refuse('sweepInterval', sweepInterval, DURATION_FIX)
  return {
    path: path === undefined ? null : filePath(path),
    database: database === undefined ? null : checkedDatabase(database),
    durability,
    maxBytes: maxBytes ?? null,
    sweepInterval: Math.min(interval, LONGEST_TIMER),
    clock
  }
}

/** Whole, so that it stays the same file when the process changes its folder, and is no URI to SQLite. */
function filePath (path: string): string {
  if (typeof path !== 'string' || path === '') refuse('path', path, "give a name such as './sessions.db'")
  if (/^(:memory:|file:)/.test(path)) refuse('path', path, 'give the path of a file; sessions in memory are what you get without a store')
  nodeSqlite(path)
  return resolve(path)
}

function checkedDatabase (database: SqliteDatabase): SqliteDatabase {
  if (typeof database?.prepare === 'function' && typeof database.exec === 'function') return database
  return refuse('database', database, "give a connection such as new Database('./sessions.db') of libsql or better-sqlite3, or new DatabaseSync('./sessions.db') of node:sqlite")
}

function refuse (option: string, value: unknown, fix: string): never {
  throw new InvalidOptionError(`SqliteStore ${option}`, inspect(value, { depth: -1, maxStringLength: 80 }), fix)
}
