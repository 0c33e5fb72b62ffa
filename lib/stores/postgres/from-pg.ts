// The way to a database through `pg`, which is never imported: a pool is known by what it can do.
import { hash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { InvalidOptionError } from '../../errors.js'
import { unknownName } from '../../unknown-names.js'
import type { PostgresAccess } from './postgres-options.js'

/** One connection of a `PgPool`. */
export interface PgClient {
  /** Sends one statement. */
  query (text: string): Promise<unknown>
  /** Hears of notifications, and of the end of the connection. */
  on (event: string, listener: (...args: never[]) => void): unknown
  /** Gives the connection back; with `true` it is closed. */
  release (isEnded: boolean): void
}

/** What `pg` answers with. */
export interface PgResult {
  /** The rows, as objects. */
  readonly rows: object[]
}

/** A `Pool` of `pg` 8 or newer. */
export interface PgPool {
  /** Sends one statement on any connection; one with a name is prepared once on each. */
  query (statement: { text: string, values: Array<string | null>, name?: string }): Promise<PgResult>
  /** Lends one connection. */
  connect (): Promise<PgClient>
  /** Hears of connections that are lost while nobody uses them. */
  on (event: 'error', listener: () => void): unknown
}

/** What `fromPg(pool, options)` takes; everything has a default. An unknown name is refused. */
export interface PgOptions {
  /**
   * Whether each connection prepares a statement once, by a name, instead of the server planning it every time: a change takes a quarter of
   * the time. `false` for a pooler that shares connections between transactions and knows no prepared statements, such as PgBouncer before 1.21. Default `true`.
   */
  prepare?: boolean
}

const RETRY_MS = 1000

/**
 * Makes `query` and `listen` of a `Pool` of `pg`: `new PostgresStore(fromPg(pool))`. Listens to the pool's 'error' events, since a lost
 * connection that nobody used would otherwise end the process. Once a `session.signal` was asked for, one connection of the pool only listens.
 * Throws an `InvalidOptionError` for what is no pool.
 */
export function fromPg (pool: PgPool, options: PgOptions = {}): Required<PostgresAccess> {
  const { query, connect, on } = (pool ?? {}) as Partial<PgPool>
  if (typeof query !== 'function' || typeof connect !== 'function' || typeof on !== 'function' || isSingle(pool)) {
    throw new InvalidOptionError('pool', inspect(pool, { depth: -1 }), "give a Pool of 'pg': new pg.Pool({ connectionString })")
  }
  const unknown = unknownName(options, ['prepare'])
  if (unknown !== null) throw new InvalidOptionError(`fromPg ${unknown.name}`, inspect(options[unknown.name as 'prepare'], { depth: -1 }), unknown.fix)
  const { prepare = true } = options
  if (typeof prepare !== 'boolean') throw new InvalidOptionError('fromPg prepare', inspect(prepare, { depth: -1 }), 'give true or false')
  pool.on('error', () => {})
  const nameOf = statementNames()
  return {
    // one without values is sent once
    query: async (text, values) => (await pool.query({ text, values, ...(prepare && values.length > 0 && { name: nameOf(text) }) })).rows,
    listen: async (channel, onMessage, signal) => {
      const lost = await listenOnce(pool, channel, onMessage, signal)
      keepListening(lost, pool, channel, onMessage, signal)
    }
  }
}

/** A connection refuses two texts under one name, so the name is made of the text. */
function statementNames (): (text: string) => string {
  const names = new Map<string, string>()
  return (text) => {
    const name = names.get(text) ?? `keep_${hash('sha1', text)}`
    names.set(text, name)
    return name
  }
}

/** A `Client` does one statement after the other, and ends with its connection. */
function isSingle (pool: PgPool): boolean {
  return 'connectionParameters' in pool
}

/** Listens until the connection is lost or the signal aborted, and answers with a promise of that. */
async function listenOnce (pool: PgPool, channel: string, onMessage: (message: string) => void, signal: AbortSignal): Promise<{ ended: Promise<void> }> {
  const client = await pool.connect()
  const lost = new AbortController()
  const release = () => {
    if (lost.signal.aborted) return
    lost.abort()
    signal.removeEventListener('abort', release)
    client.release(true)
  }
  const ended = new Promise<void>((resolve) => { lost.signal.addEventListener('abort', () => { resolve() }) })
  client.on('error', release)
  client.on('end', release)
  client.on('notification', (({ payload = '' }: { payload?: string }) => { if (!signal.aborted) onMessage(payload) }) as (...args: never[]) => void)
  signal.addEventListener('abort', release)
  try {
    if (signal.aborted) release()
    else await client.query(`LISTEN "${channel}"`)
  } catch (error) {
    release()
    if (!signal.aborted) throw error
  }
  return { ended }
}

async function keepListening (first: { ended: Promise<void> }, ...[pool, channel, onMessage, signal]: Parameters<typeof listenOnce>): Promise<void> {
  let { ended } = first
  while (true) {
    await ended
    if (signal.aborted) return
    try {
      ended = (await listenOnce(pool, channel, onMessage, signal)).ended
    } catch {
      await delay(RETRY_MS, undefined, { ref: false })
    }
  }
}
