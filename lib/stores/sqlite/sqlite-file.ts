// The file, opened when it is first needed, and again after it was closed.
import { Connection } from './connection.js'
import { openFile, type OwnDatabase } from './sqlite-database.js'
import { openingError } from './sqlite-errors.js'
import { prepareFile } from './schema.js'
import type { SqliteSettings } from './sqlite-options.js'

export class SqliteFile {
  readonly #settings: SqliteSettings
  #own: OwnDatabase | null = null
  #connection: Connection | null = null

  constructor (settings: SqliteSettings) {
    this.#settings = settings
  }

  get isOpen (): boolean { return this.#connection !== null }

  /** Throws an `UnfitStoreError` where the file cannot be used, and SQLite's own error while another process prepares it. */
  get connection (): Connection {
    this.#connection ??= this.#open()
    return this.#connection
  }

  /** Leaves alone a database that was given. */
  close (): void {
    this.#connection = null
    this.#own?.close()
    this.#own = null
  }

  #open (): Connection {
    const { path, database } = this.#settings
    const connection = new Connection(database ?? (this.#own ??= openFile(path as string)))
    try {
      prepareFile(connection, this.#settings)
      return connection
    } catch (error) {
      this.close()
      throw openingError(error, path ?? 'the database')
    }
  }
}
