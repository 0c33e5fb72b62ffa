// One connection to the file: its statements, prepared once each, and its transactions.
import type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite-database.js'

export class Connection {
  readonly #database: SqliteDatabase
  readonly #statements = new Map<string, SqliteStatement>()

  constructor (database: SqliteDatabase) {
    this.#database = database
  }

  get<Row> (sql: string, ...values: SqliteValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined
  }

  all<Row> (sql: string, ...values: SqliteValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[]
  }

  run (sql: string, ...values: SqliteValue[]): void {
    this.#statement(sql).run(...values)
  }

  exec (sql: string): void {
    this.#database.exec(sql)
  }

  /** All of it or nothing. Throws at once where another connection is writing. */
  transaction<T> (work: () => T): T {
    // not prepared: libsql leaves a prepared BEGIN that failed half open
    this.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.exec('COMMIT')
      return result
    } catch (error) {
      this.#rollBack()
      throw error
    }
  }

  /** SQLite may have rolled back by itself, as it does on a full disk. */
  #rollBack (): void {
    try {
      this.exec('ROLLBACK')
    } catch {}
  }

  #statement (sql: string): SqliteStatement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}
