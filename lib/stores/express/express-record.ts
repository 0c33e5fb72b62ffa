// A session as an express-session store keeps it: an object with a cookie, from
// which stores take the deadline, and beside it the whole record as one text, so
// that no database changes a key or a value, and nothing a store writes into the
// object gets among the user's data.
import { corruptRecord } from '../../record/corrupt-record.js'
import { ENDED_FOR, isEnded, isRecord } from '../../record/record.js'
import { isStackOverflow } from '../../stack-overflow.js'
import type { EndedSession, SessionRecord } from '../../../types/store.js'

const RECORD = 'fastify-keep'

/** Objects are handed to stores, which may write into them: a new one each time. */
export function rowOf (record: SessionRecord, now: number): object {
  return { cookie: new RowCookie(record.expiresAt, now), [RECORD]: textOf(record) }
}

/** The mark of a session that ends now. */
export function endedRow (now: number): object {
  return { cookie: new RowCookie(now + ENDED_FOR, now), [RECORD]: `{"endedAt":${now}}` }
}

/** What the row holds, shared with nobody; `null` when that is nothing of ours. What cannot be decoded comes out as no record. */
export function contentOfRow (row: unknown): SessionRecord | EndedSession | null {
  if (!isRow(row)) return null
  const text = row[RECORD]
  if (typeof text !== 'string') return null
  try {
    const content: unknown = JSON.parse(text)
    return isRecord(content) || isEnded(content) ? content : corruptRecord()
  } catch (error) {
    if (isStackOverflow(error)) throw error
    return corruptRecord()
  }
}

/** Whether another library wrote this. */
export function isForeign (row: unknown): row is object {
  return isRow(row) && typeof row[RECORD] !== 'string'
}

function isRow (row: unknown): row is Record<string, unknown> {
  return typeof row === 'object' && row !== null
}

/** Only objects without a prototype: a `toJSON` that somebody gave to every object or array must not change what is stored. */
function textOf (record: SessionRecord): string {
  const { values, lifetime, earlier } = record
  return JSON.stringify(bare({
    ...record,
    values: bare(values),
    lifetime: lifetime && bare(lifetime),
    earlier: Object.setPrototypeOf(earlier.map(bare), null)
  }))
}

function bare (object: object): object {
  return Object.assign(Object.create(null), object)
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
