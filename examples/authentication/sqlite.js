// Sessions that survive a restart: in a file.
import { SqliteStore } from 'fastify-keep/sqlite'

export async function openStore (path) {
  // Node.js has SQLite itself from 22.13 on
  if (process.getBuiltinModule('node:sqlite')) return new SqliteStore({ path })
  const { default: Database } = await import('libsql')
  return new SqliteStore({ database: new Database(path) })
}
