// A record as a row: the deadline in a column of its own, for it is looked for; the rest as JSON.
import { isRecord, ENDED_FOR } from '../../record/record.js'
import { corruptRecord } from '../../record/corrupt-record.js'
import type { EndedSession, SessionRecord } from '../../../types/store.js'

export interface SessionRow {
  readonly expires_at: number | bigint
  /** `null`: the session has ended, and this is its mark. */
  readonly record: string | null
}

/** JSON has an escape for what is no character, so that everything comes back as it was. */
export function rowText ({ expiresAt, ...record }: SessionRecord): string {
  return JSON.stringify(record)
}

/** The record that the row holds, or something that no reader takes for one. */
export function recordOf ({ expires_at: expiresAt, record }: SessionRow): SessionRecord {
  try {
    return { ...JSON.parse(record as string), expiresAt: Number(expiresAt) }
  } catch {
    return corruptRecord()
  }
}

/** What `read` answers with. */
export function foundIn (row: SessionRow | undefined, now: number): SessionRecord | EndedSession | null {
  if (row === undefined || Number(row.expires_at) <= now) return null
  return row.record === null ? { endedAt: Number(row.expires_at) - ENDED_FOR } : recordOf(row)
}

/** The record that may be changed: it lives, and can be decoded. */
export function liveRecord (row: SessionRow | undefined, now: number): SessionRecord | null {
  const found = foundIn(row, now)
  return isRecord(found) ? found : null
}
