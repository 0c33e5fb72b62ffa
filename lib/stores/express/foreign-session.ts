// A session that express-session or @fastify/session wrote, for moving it. It can
// only be moved: no token of ours opens it, for it has no verifier.
import { encode } from '../../record/codec.js'
import { isStackOverflow } from '../../stack-overflow.js'

/** What can be moved of such a session. When it began nobody knows. */
export interface ForeignSession {
  readonly entries: ReadonlyArray<[key: string, value: unknown]>
  readonly expiresAt: number
  /** Whether its cookie outlives the browser's own session. */
  readonly isPersistent: boolean
}

// Stores keep a session whose cookie has no date for a day.
const DAY = 24 * 60 * 60 * 1000

/** The session in the row; `null` when it cannot be decoded, or not be stored here. */
export function foreignSession (row: object, now: number): ForeignSession | null {
  try {
    const { cookie, __lastAccess, lastModified, ...values } = JSON.parse(JSON.stringify(row))
    const entries = Object.entries(values)
    for (const [key, value] of entries) encode(key, value)
    const isPersistent = Boolean(cookie?.expires)
    const expiresAt = isPersistent ? Date.parse(cookie.expires) : now + DAY
    return Number.isNaN(expiresAt) ? null : { entries, expiresAt, isPersistent }
  } catch (error) {
    if (isStackOverflow(error)) throw error
    return null
  }
}
