// The steps on one session. Each is taken inside of a transaction, so that no other process comes between its look and its change.
import { applyChanges, applyRenewal } from '../../record/apply-changes.js'
import { ENDED_FOR } from '../../record/record.js'
import type { DestroyResult, EndCondition, EndedSession, SessionChanges, SessionRecord, SessionRenewal, TouchResult, UpdateResult } from '../../../types/store.js'
import type { Connection } from './connection.js'
import { foundIn, liveRecord, rowText, type SessionRow } from './sqlite-record.js'

const FIND = 'SELECT expires_at, record FROM session WHERE id = ?'

export function readSession (connection: Connection, id: string, now: number): SessionRecord | EndedSession | null {
  return foundIn(connection.get<SessionRow>(FIND, id), now)
}

/** What is there and cannot be decoded takes the id, too: it may be of a newer version. */
export function createSession (connection: Connection, id: string, expiresAt: number, text: string, now: number): boolean {
  const row = connection.get<SessionRow>(FIND, id)
  if (row !== undefined && row.record !== null && Number(row.expires_at) > now) return false
  connection.run('INSERT INTO session (id, expires_at, record) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at, record = excluded.record', id, expiresAt, text)
  return true
}

export function updateSession (connection: Connection, id: string, changes: SessionChanges, now: number): UpdateResult {
  const record = liveRecord(connection.get<SessionRow>(FIND, id), now)
  if (record === null) return 'missing'
  const changed = applyChanges(record, changes)
  if (typeof changed === 'string') return changed
  connection.run('UPDATE session SET expires_at = ?, record = ? WHERE id = ?', changed.expiresAt, rowText(changed), id)
  return 'done'
}

export function touchSession (connection: Connection, id: string, renewal: SessionRenewal, now: number): TouchResult {
  const record = liveRecord(connection.get<SessionRow>(FIND, id), now)
  if (record === null) return 'missing'
  const renewed = applyRenewal(record, renewal)
  if (renewed === null) return 'stale'
  if (renewed.expiresAt !== record.expiresAt) connection.run('UPDATE session SET expires_at = ? WHERE id = ?', renewed.expiresAt, id)
  return 'done'
}

/** Drops the values, leaves the mark, and a line for the processes that listen. */
export function endSession (connection: Connection, id: string, { ifGeneration, ifVersion, reason }: EndCondition, now: number): DestroyResult {
  const row = connection.get<SessionRow>(FIND, id)
  const record = liveRecord(row, now)
  if (record === null) {
    const isCorrupt = row !== undefined && row.record !== null
    // no session meets a condition here, and without one whatever it is makes way
    if (isCorrupt && ifGeneration === undefined && ifVersion === undefined) connection.run('DELETE FROM session WHERE id = ?', id)
    return 'missing'
  }
  if ((ifGeneration ?? record.generation) !== record.generation || (ifVersion ?? record.version) !== record.version) return 'conflict'
  connection.run('UPDATE session SET expires_at = ?, record = NULL WHERE id = ?', now + ENDED_FOR, id)
  connection.run('INSERT INTO ending (id, reason, ended_at) VALUES (?, ?, ?)', id, reason ?? null, now)
  return 'done'
}
