// The steps on the list of one owner. A row without a deadline is marked: nothing but `remove` takes that back.
import type { OwnerAddition, OwnerEntry } from '../../../types/owners.js'
import type { Connection } from './connection.js'

interface OwnedRow {
  readonly expires_at: number | bigint | null
}

const FIND = 'SELECT expires_at FROM owned WHERE owner = ? AND id = ?'

export function addOwned (connection: Connection, owner: string, id: string, entry: OwnerEntry, now: number): OwnerAddition {
  const { expiresAt, limit, onLimit = 'end-oldest', replaces, isSuccessor = false } = entry
  const answer = (result: OwnerAddition['result']) => ({ result, marked: markedOf(connection, owner) })
  if (isSuccessor && replaces !== undefined && connection.get<OwnedRow>(FIND, owner, replaces)?.expires_at === null) return answer('ended')
  if (limit !== undefined) {
    const tooMany = countOthers(connection, owner, [id, replaces ?? id], now) + 1 - limit
    if (tooMany > 0 && onLimit === 'refuse') return answer('refused')
    if (tooMany > 0) markSoonest(connection, owner, [id, replaces ?? id], tooMany, now)
  }
  connection.run('INSERT INTO owned (owner, id, expires_at) VALUES (?, ?, ?) ON CONFLICT (owner, id) DO UPDATE SET expires_at = excluded.expires_at WHERE expires_at IS NOT NULL', owner, id, expiresAt)
  return answer('done')
}

export function renewOwned (connection: Connection, owner: string, id: string, expiresAt: number, now: number): boolean {
  const row = connection.get<OwnedRow>(FIND, owner, id)
  if (row === undefined) return false
  if (row.expires_at === null) return true
  if (Number(row.expires_at) <= now) return false
  connection.run('UPDATE owned SET expires_at = max(expires_at, ?) WHERE owner = ? AND id = ?', expiresAt, owner, id)
  return true
}

export function markAllBut (connection: Connection, owner: string, except: readonly string[], now: number): string[] {
  connection.run('UPDATE owned SET expires_at = NULL WHERE owner = ? AND expires_at > ? AND id NOT IN (SELECT value FROM json_each(?))', owner, now, JSON.stringify(except))
  return markedOf(connection, owner)
}

export function removeOwned (connection: Connection, owner: string, ids: readonly string[]): void {
  connection.run('DELETE FROM owned WHERE owner = ? AND id IN (SELECT value FROM json_each(?))', owner, JSON.stringify(ids))
}

export function listOwned (connection: Connection, owner: string, now: number): string[] {
  return idsOf(connection.all('SELECT id FROM owned WHERE owner = ? AND expires_at > ?', owner, now))
}

function markedOf (connection: Connection, owner: string): string[] {
  return idsOf(connection.all('SELECT id FROM owned WHERE owner = ? AND expires_at IS NULL', owner))
}

function countOthers (connection: Connection, owner: string, [id, replaces]: [string, string], now: number): number {
  const row = connection.get<{ count: number | bigint }>('SELECT count(*) AS count FROM owned WHERE owner = ? AND expires_at > ? AND id <> ? AND id <> ?', owner, now, id, replaces)
  return Number(row?.count)
}

function markSoonest (connection: Connection, owner: string, [id, replaces]: [string, string], count: number, now: number): void {
  connection.run(`UPDATE owned SET expires_at = NULL WHERE owner = ? AND id IN
    (SELECT id FROM owned WHERE owner = ? AND expires_at > ? AND id <> ? AND id <> ? ORDER BY expires_at LIMIT ?)`, owner, owner, now, id, replaces, count)
}

function idsOf (rows: ReadonlyArray<{ id: string }>): string[] {
  return rows.map(({ id }) => id)
}
