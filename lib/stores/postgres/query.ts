// One way to send a statement, whichever client the user brought. Parameters are texts and every answer is one
// text, so that no type parser of a client, and no plugin that renames columns, comes in between.
import { setTimeout as delay } from 'node:timers/promises'

/** Sends one statement with its values, `$1` for the first, and answers with the rows. */
export type Query = (text: string, values: Array<string | null>) => Promise<ReadonlyArray<object>>

// Nothing was stored, and PostgreSQL asks for another try: serialization_failure, deadlock_detected
const TRY_AGAIN = new Set(['40001', '40P01'])
const MAX_TRIES = 30
const MAX_WAIT_MS = 20

/** The one text of each row. */
export type Ask = (text: string, values: Array<string | null>) => Promise<string[]>

/** Tries again where PostgreSQL took everything back by itself. What else fails may have been stored: that is for the caller to know. */
export function asking (query: Query): Ask {
  return async (text, values) => {
    for (let tries = 1; ; tries++) {
      try {
        const rows = await query(text, values)
        return rows.map((row) => (row as { answer: string }).answer)
      } catch (error) {
        if (tries === MAX_TRIES || !TRY_AGAIN.has(sqlState(error))) throw error
        await delay(Math.random() * Math.min(tries, MAX_WAIT_MS))
      }
    }
  }
}

/** PostgreSQL's code for an error, also where an ORM has wrapped it; empty where there is none. */
export function sqlState (error: unknown): string {
  const { code, cause } = (error ?? {}) as { code?: unknown, cause?: unknown }
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return code
  return cause === undefined || cause === error ? '' : sqlState(cause)
}
