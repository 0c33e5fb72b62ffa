// Which sessions each owner has: rows of one table, and every step one transaction.
import type { Awaitable } from '../../../types/awaitable.js'
import type { Clock } from '../../../types/options.js'
import type { OwnerAddition, OwnerEntry, SessionOwners } from '../../../types/owners.js'
import { addOwned, listOwned, markAllBut, removeOwned, renewOwned } from './owner-steps.js'
import { patiently } from './patience.js'
import type { SqliteFile } from './sqlite-file.js'
import type { Connection } from './connection.js'

/** Takes a step in a transaction. */
export type Write = <T>(take: (connection: Connection) => T) => Promise<T>

export class SqliteOwners implements SessionOwners {
  readonly #file: SqliteFile
  readonly #write: Write
  readonly #clock: Clock

  constructor (file: SqliteFile, write: Write, clock: Clock) {
    this.#file = file
    this.#write = write
    this.#clock = clock
  }

  add (owner: string, id: string, entry: OwnerEntry): Promise<OwnerAddition> {
    return this.#write((connection) => addOwned(connection, nameOf(owner), id, entry, this.#clock.now()))
  }

  renew (owner: string, id: string, expiresAt: number): Promise<boolean> {
    return this.#write((connection) => renewOwned(connection, nameOf(owner), id, expiresAt, this.#clock.now()))
  }

  mark (owner: string, except: readonly string[]): Promise<readonly string[]> {
    return this.#write((connection) => markAllBut(connection, nameOf(owner), except, this.#clock.now()))
  }

  remove (owner: string, ids: readonly string[]): Promise<void> {
    return this.#write((connection) => removeOwned(connection, nameOf(owner), ids))
  }

  list (owner: string): Awaitable<readonly string[]> {
    return patiently(() => listOwned(this.#file.connection, nameOf(owner), this.#clock.now()))
  }
}

/** Any text as one that SQLite keeps as it is. */
function nameOf (owner: string): string {
  return JSON.stringify(owner)
}
