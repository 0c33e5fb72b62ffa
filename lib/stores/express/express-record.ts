// A session as an express-session store keeps it: an object with a cookie, from
// which stores take the deadline, and beside it the whole record as one text, so
// that no database changes a key or a value, and nothing a store writes into the
// object gets among the user's data. What express-session or @fastify/session
// wrote is understood too.
import { encode } from '../../record/codec.js'
import { MAX_DURATION } from '../../duration.js'
import { isStackOverflow } from '../../stack-overflow.js'
import type { SessionRecord } from '../../../types/store.js'
import { corruptRecord } from '../../record/corrupt-record.js'

const RECORD = 'fastify-keep'

// Stores keep a session whose cookie has no date for a day.
const DAY = 24 * 60 * 60 * 1000

/** Objects are handed to stores, which may write into them: a new one each time. */
export function rowOf (record: SessionRecord, now: number): object {
  return { cookie: new RowCookie(record.expiresAt, now), [RECORD]: JSON.stringify(record) }
}

/** The record again, shared with nobody; `null` when there is none. What is damaged comes out as no record. */
export function recordOfRow (row: unknown, now: number): SessionRecord | null {
  if (!isRow(row)) return null
  const record = row[RECORD]
  try {
    return typeof record === 'string' ? JSON.parse(record) ?? corruptRecord() : foreignRecord(row, now)
  } catch (error) {
    if (isStackOverflow(error)) throw error
    return corruptRecord()
  }
}

/** Whether another library wrote this. */
export function isForeign (row: unknown): boolean {
  return isRow(row) && typeof row[RECORD] !== 'string'
}

function isRow (row: unknown): row is Record<string, unknown> {
  return typeof row === 'object' && row !== null
}

/** As a record what another library wrote. When that session began nobody knows, so it is never a fresh login. */
function foreignRecord (row: object, now: number): SessionRecord {
  const { cookie, __lastAccess, lastModified, ...values } = JSON.parse(JSON.stringify(row))
  const hasDate = Boolean(cookie?.expires)
  const expiresAt = hasDate ? Date.parse(cookie.expires) : now + DAY
  const left = Math.min(Math.max(1, expiresAt - now), MAX_DURATION)
  return {
    values: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, encode(key, value)])),
    createdAt: 0,
    expiresAt,
    absoluteExpiresAt: expiresAt,
    version: 0,
    owner: null,
    lifetime: hasDate ? { idle: left, absolute: left, persistent: true, from: now } : null
  }
}

/** What stores ask a cookie for, by one name or the other. */
class RowCookie {
  readonly expires: Date
  /** Milliseconds left, and so many in all: it is as old as the row. */
  readonly maxAge: number
  readonly originalMaxAge: number
  readonly httpOnly = true
  readonly path = '/'

  constructor (expiresAt: number, now: number) {
    this.expires = new Date(expiresAt)
    this.maxAge = this.originalMaxAge = expiresAt - now
  }

  toJSON (): object {
    const { originalMaxAge, expires, httpOnly, path } = this
    return { originalMaxAge, expires, httpOnly, path }
  }
}
