// The way to a database through `postgres` (postgres.js), which is never imported: its `sql` is known by what it can do.
import { inspect } from 'node:util'
import { InvalidOptionError } from '../../errors.js'
import type { PostgresAccess } from './postgres-options.js'

/** A channel that is listened to. */
export interface PostgresListener {
  /** Stops listening. */
  unlisten (): Promise<unknown>
}

/** What `postgres(url)` of `postgres` 3.3 or newer answers with. */
export interface PostgresSql {
  /** Sends one statement; a prepared one is planned once on each connection, unless `sql` was made with `prepare: false`. */
  unsafe (text: string, values: Array<string | null>, options: { prepare: boolean }): PromiseLike<object[]>
  /** Listens on a connection of its own, which it opens again when it was lost. */
  listen (channel: string, onMessage: (message: string) => void): PromiseLike<PostgresListener>
}

/**
 * Makes `query` and `listen` of the `sql` of `postgres`: `new PostgresStore(fromPostgres(sql))`. Throws an `InvalidOptionError` for what
 * is something else.
 */
export function fromPostgres (sql: PostgresSql): Required<PostgresAccess> {
  const { unsafe, listen } = (sql ?? {}) as Partial<PostgresSql>
  if (typeof unsafe !== 'function' || typeof listen !== 'function') throw new InvalidOptionError('sql', inspect(sql, { depth: -1 }), "give the sql of 'postgres': postgres(url)")
  return {
    query: async (text, values) => await sql.unsafe(text, values, { prepare: values.length > 0 }),
    listen: async (channel, onMessage, signal) => {
      const { unlisten } = await sql.listen(channel, (message) => { if (!signal.aborted) onMessage(message) })
      const stop = () => { Promise.resolve(unlisten()).catch(() => {}) }
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop)
    }
  }
}
