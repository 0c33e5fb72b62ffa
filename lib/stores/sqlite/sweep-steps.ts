// What has expired goes, in slices, and the file gives back what that leaves empty.
import { ENDED_FOR } from '../../record/record.js'
import type { Connection } from './connection.js'
import { pragma } from './schema.js'

const SLICE = 200
const PAGES_AT_ONCE = 200

/** A file may be empty by a quarter: what is created next takes that room. Fewer pages than these are no matter. */
const MIN_EMPTY_PAGES = 256

/** What a slice removed. */
export interface Swept {
  /** The ids of sessions that had expired. */
  readonly ids: readonly string[]
  /** Whether there may be more. */
  readonly isPartial: boolean
}

/** Whether a sweep would find anything: a look, and no write. */
export function needsSweep (connection: Connection, now: number): boolean {
  const { found } = connection.get<{ found: number | bigint }>(`SELECT
    EXISTS (SELECT 1 FROM session WHERE expires_at <= ?) OR
    EXISTS (SELECT 1 FROM owned WHERE expires_at <= ?) OR
    EXISTS (SELECT 1 FROM ending WHERE ended_at <= ?) AS found`, now, now, now - ENDED_FOR) as { found: number | bigint }
  return Number(found) === 1 || isWide(connection)
}

/** True for the one process whose turn it is: nobody else gets it before the interval has passed. A turn far ahead was taken before a clock was set back. */
export function takeTurn (connection: Connection, now: number, interval: number): boolean {
  const { next } = connection.get<{ next: number | bigint }>('SELECT next_at AS next FROM sweep') as { next: number | bigint }
  if (Number(next) > now && Number(next) <= now + interval) return false
  connection.run('UPDATE sweep SET next_at = ?', now + interval)
  return true
}

export function sweepSlice (connection: Connection, now: number): Swept {
  const rows = connection.all<{ id: string, is_mark: number | bigint }>(
    'DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_at <= ? ORDER BY expires_at LIMIT ?) RETURNING id, record IS NULL AS is_mark', now, SLICE)
  const owned = connection.all('DELETE FROM owned WHERE (owner, id) IN (SELECT owner, id FROM owned WHERE expires_at <= ? ORDER BY expires_at LIMIT ?) RETURNING 1', now, SLICE)
  const endings = connection.all('DELETE FROM ending WHERE number IN (SELECT number FROM ending ORDER BY number LIMIT ?) AND ended_at <= ? RETURNING 1', SLICE, now - ENDED_FOR)
  const isStillWide = isWide(connection)
  if (isStillWide) connection.exec(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`)
  return {
    ids: rows.filter((row) => Number(row.is_mark) === 0).map(({ id }) => id),
    isPartial: isStillWide || [rows, owned, endings].some(({ length }) => length === SLICE)
  }
}

function isWide (connection: Connection): boolean {
  const empty = Number(pragma(connection, 'freelist_count'))
  return empty > MIN_EMPTY_PAGES && empty > Number(pragma(connection, 'page_count')) / 4 && Number(pragma(connection, 'auto_vacuum')) === 2
}
