// A database as node:sqlite, better-sqlite3 and libsql have it: known by what it can do, and never imported.
import { closeSync, openSync } from 'node:fs'
import { InvalidOptionError } from '../../errors.js'
import { openingError } from './sqlite-errors.js'

/** What SQLite stores. */
export type SqliteValue = string | number | null

/** A prepared statement. */
export interface SqliteStatement {
  /** The first row, or `undefined`. */
  get (...values: SqliteValue[]): unknown
  /** Every row. */
  all (...values: SqliteValue[]): unknown[]
  /** For a statement that has no rows. */
  run (...values: SqliteValue[]): unknown
}

/** The part of a connection that is used: `Database` of better-sqlite3 and of libsql have it, and so has `DatabaseSync` of node:sqlite. */
export interface SqliteDatabase {
  /** Prepares one statement. */
  prepare (sql: string): SqliteStatement
  /** Runs statements that have no values and no rows. */
  exec (sql: string): unknown
}

/** A connection that the store opened, and therefore closes. */
export interface OwnDatabase extends SqliteDatabase {
  close (): void
}

interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => OwnDatabase
}

/** Opens the file with the SQLite that Node.js has; where there is none yet, only its owner may read and write it. */
export function openFile (path: string): OwnDatabase {
  const { DatabaseSync } = nodeSqlite(path)
  try {
    createPrivately(path)
    return new DatabaseSync(path)
  } catch (error) {
    throw openingError(error, path)
  }
}

/** Throws an `InvalidOptionError` where this Node.js has no SQLite. */
export function nodeSqlite (path: string): NodeSqlite {
  const found = process.getBuiltinModule('node:sqlite' as 'node:fs') as unknown as NodeSqlite | undefined
  if (found !== undefined) return found
  throw new InvalidOptionError('SqliteStore path', `'${path}'`,
    `Node.js ${process.versions.node} has no node:sqlite; use Node.js 22.13 or newer, or open the file with libsql or better-sqlite3 and give { database: new Database('${path}') }`)
}

/** Never opens a file that is there: closing it again would drop the locks that SQLite holds on it in this process. */
function createPrivately (path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
