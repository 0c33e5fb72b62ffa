// Whether the server and its tables can be used at all, found out at the start: better there than by the first
// user who logs in.
import { UnfitStoreError } from '../../errors.js'
import { COMMENT, FORMAT } from './migration.js'
import { sqlState, type Ask } from './query.js'
import type { TableNames } from './table-name.js'

const MIN_VERSION = 120_000

const NEEDED = ['SELECT', 'INSERT', 'UPDATE', 'DELETE']

/** What one question tells of a table. */
type Found = [version: number, encoding: string, isThere: boolean, comment: string | null, isAllowed: boolean | null, isDurable: boolean | null]

/**
 * Whether what it confirms survives a power cut; `false` where the server did not say. Throws an `UnfitStoreError` when no waiting would
 * fix it; a server that is away or busy is no reason.
 */
export async function checkTable (ask: Ask, { plain, sessions, owners }: TableNames, part: 'sessions' | 'owners'): Promise<boolean> {
  const table = part === 'sessions' ? sessions : owners
  const found = await look(ask, table)
  if (found === null) return false
  const [version, encoding, isThere, comment, isAllowed, isDurable] = found
  if (version < MIN_VERSION) throw new UnfitStoreError(`the server is PostgreSQL ${Math.floor(version / 10_000)}; use PostgreSQL ${MIN_VERSION / 10_000} or newer`)
  if (encoding !== 'UTF8') throw new UnfitStoreError(`the database has the encoding ${encoding}; use one with UTF8: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`)
  if (!isThere) throw new UnfitStoreError(`there is no table ${table}; call await store.migrate() once, or run what migrationSql({ table: '${plain}' }) answers with`)
  refuseFormat(table, part, comment)
  if (isAllowed === false) throw new UnfitStoreError(`the database user may not use the table ${table}; GRANT ${NEEDED.join(', ')} ON ${sessions}, ${owners} TO that user`)
  return isDurable === true
}

function refuseFormat (table: string, part: string, comment: string | null): void {
  const [, format] = new RegExp(`^${COMMENT} ${part}, format (\\d+)$`).exec(comment ?? '') ?? []
  if (format === undefined) throw new UnfitStoreError(`the table ${table} was made by something else, or lost its comment; give the store another name with the option table`)
  if (Number(format) > FORMAT) throw new UnfitStoreError(`the table ${table} has format ${format}, of a newer version of fastify-keep, and this one knows format ${FORMAT}; update fastify-keep`)
  if (Number(format) < FORMAT) throw new UnfitStoreError(`the table ${table} has format ${format}, of an older version of fastify-keep, and this one needs format ${FORMAT}; call await store.migrate()`)
}

async function look (ask: Ask, table: string): Promise<Found | null> {
  const privileges = NEEDED.map((privilege) => `has_table_privilege(to_regclass($1::text), '${privilege}')`).join(' AND ')
  try {
    const [answer] = await ask(`SELECT json_build_array(current_setting('server_version_num')::int, current_setting('server_encoding'),
      to_regclass($1::text) IS NOT NULL, obj_description(to_regclass($1::text), 'pg_class'), ${privileges},
      (SELECT relpersistence = 'p' FROM pg_class WHERE oid = to_regclass($1::text)) AND current_setting('fsync')::bool AND current_setting('synchronous_commit') <> 'off')::text AS answer`, [table])
    return JSON.parse(answer as string) as Found
  } catch (error) {
    refuseUnfit(error)
    return null
  }
}

function refuseUnfit (error: unknown): void {
  const state = sqlState(error)
  const { message } = error as Error
  if (state.startsWith('28')) throw new UnfitStoreError(`PostgreSQL refused the login with '${message}'; give the client its user and password`, { cause: error })
  if (state === '3D000') throw new UnfitStoreError(`PostgreSQL said '${message}'; create the database, or give the client another one`, { cause: error })
  if (state.startsWith('42')) throw new UnfitStoreError(`PostgreSQL refused a statement with '${message}'`, { cause: error })
  if (error instanceof TypeError) throw new UnfitStoreError(`the store's query function failed with '${message}'; it takes a text and an array of values, and answers with an array of rows`, { cause: error })
}
