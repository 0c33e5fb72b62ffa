// The tables, and whether a file is one of ours. Nothing is written to a file that is not.
import { UnfitStoreError } from '../../errors.js'
import type { Connection } from './connection.js'
import type { SqliteSettings } from './sqlite-options.js'

/** 'keep', so that a file of another program is known for one. */
const APPLICATION_ID = 0x6b656570
const FORMAT = 1

// A row of `session` is a record, or the mark of one that ended: without values, and expired when its minute has passed.
// A row of `owned` without a deadline is marked. Ids, owners and records are text without a NUL or half a character.
const TABLES = `
CREATE TABLE session (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, record TEXT) STRICT;
CREATE INDEX session_by_deadline ON session (expires_at);
CREATE TABLE owned (owner TEXT NOT NULL, id TEXT NOT NULL, expires_at INTEGER, PRIMARY KEY (owner, id)) STRICT, WITHOUT ROWID;
CREATE INDEX owned_by_deadline ON owned (expires_at);
CREATE TABLE ending (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, reason TEXT, ended_at INTEGER NOT NULL) STRICT;
CREATE TABLE sweep (only INTEGER PRIMARY KEY CHECK (only = 1), next_at INTEGER NOT NULL) STRICT;
INSERT INTO sweep VALUES (1, 0);
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${FORMAT}`

const MAX_LOG_BYTES = 16 * 1024 * 1024

/** Makes the tables in an empty file, and sets up the connection. Throws an `UnfitStoreError` for a file of something else, and what SQLite says of one that may not be written. */
export function prepareFile (connection: Connection, { durability, maxBytes, path }: SqliteSettings): void {
  const name = path ?? 'the database'
  // SQLite would wait with the event loop standing still
  connection.exec('PRAGMA busy_timeout = 0')
  const isNew = isEmpty(connection, name)
  // counts only before the first write
  if (isNew) connection.exec('PRAGMA auto_vacuum = INCREMENTAL')
  const mode = pragma(connection, 'journal_mode = WAL')
  if (mode !== 'wal') throw new UnfitStoreError(`${name} cannot have a write-ahead log (journal_mode is ${String(mode)}): it has to be a file on a disk of this machine`)
  connection.exec(`PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`)
  createTables(connection, name)
  connection.exec(`PRAGMA journal_size_limit = ${MAX_LOG_BYTES}`)
  if (maxBytes !== null) connection.exec(`PRAGMA max_page_count = ${Math.floor(maxBytes / Number(pragma(connection, 'page_size')))}`)
}

/** What a pragma answers with. */
export function pragma (connection: Connection, text: string): unknown {
  const [row] = connection.all<object>(`PRAGMA ${text}`)
  return row === undefined ? undefined : Object.values(row)[0]
}

function createTables (connection: Connection, name: string): void {
  connection.transaction(() => {
    // another process may have been first
    if (isEmpty(connection, name)) connection.exec(TABLES)
    // changes nothing, and fails where the file may not be written
    connection.exec('DELETE FROM sweep WHERE only <> 1')
  })
}

/** True where tables are to be made, false where ours are there. */
function isEmpty (connection: Connection, name: string): boolean {
  // the owner last, as another process may make the tables at this moment
  const [tables] = connection.all<{ count: unknown }>('SELECT count(*) AS count FROM sqlite_schema')
  const format = Number(pragma(connection, 'user_version'))
  const owner = Number(pragma(connection, 'application_id'))
  if (owner === APPLICATION_ID) {
    if (format > FORMAT) throw new UnfitStoreError(`${name} was written by a newer version of fastify-keep (format ${format}, and this one knows ${FORMAT}): update fastify-keep, or name another file`)
    return false
  }
  if (owner === 0 && format === 0 && Number(tables?.count) === 0) return true
  throw new UnfitStoreError(`${name} is a database of something else: sessions need a file of their own`)
}
