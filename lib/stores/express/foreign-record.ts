// A session that express-session or @fastify/session wrote, for those who move it.
// No token of ours opens one: it has no verifier.
import { MAX_DURATION } from '../../duration.js'
import { encode } from '../../record/codec.js'
import { corruptRecord } from '../../record/corrupt-record.js'
import { isStackOverflow } from '../../stack-overflow.js'
import type { SessionRecord } from '../../../types/store.js'

// Stores keep a session whose cookie has no date for a day.
const DAY = 24 * 60 * 60 * 1000

/** The row as a record; what cannot be decoded comes out as no record. When that session began nobody knows, so it is never a fresh login. */
export function foreignRecord (row: object, now: number): SessionRecord {
  try {
    return recordOf(JSON.parse(JSON.stringify(row)), now)
  } catch (error) {
    if (isStackOverflow(error)) throw error
    return corruptRecord()
  }
}

function recordOf ({ cookie, __lastAccess, lastModified, ...values }: Record<string, unknown>, now: number): SessionRecord {
  const { expires } = Object(cookie) as { expires?: unknown }
  const expiresAt = expires ? Date.parse(String(expires)) : now + DAY
  const left = Math.min(Math.max(1, expiresAt - now), MAX_DURATION)
  return {
    values: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, encode(key, value)])),
    createdAt: 0,
    expiresAt,
    absoluteExpiresAt: expiresAt,
    version: 0,
    owner: null,
    lifetime: expires ? { idle: left, absolute: left, persistent: true } : null,
    verifier: '',
    earlier: [],
    generation: 0,
    shown: false
  }
}
