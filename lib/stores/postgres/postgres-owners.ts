// Which sessions each owner has: one row per owner, and every step on one row. Those of this process take turns, rather than
// each waiting for that row on a connection of its own.
import type { Clock } from '../../../types/options.js'
import type { OwnerAddition, OwnerEntry, SessionOwners } from '../../../types/owners.js'
import { ownerStatements, type OwnerStatements } from './owner-statements.js'
import type { Ask } from './query.js'
import { checkTable } from './requirements.js'
import { run, runStep, type Values } from './statement.js'
import { storedText } from './stored-text.js'
import type { TableNames } from './table-name.js'
import { Turns } from '../turns.js'

// The caller stops waiting long before; a list may hold a session too many
const PATIENCE_MS = 60_000

export class PostgresOwners implements SessionOwners {
  readonly #ask: Ask
  readonly #table: TableNames
  readonly #clock: Clock
  readonly #statements: OwnerStatements
  readonly #turns = new Turns()

  constructor (ask: Ask, table: TableNames, clock: Clock) {
    this.#ask = ask
    this.#table = table
    this.#clock = clock
    this.#statements = ownerStatements(table.owners)
  }

  async open (): Promise<void> {
    await checkTable(this.#ask, this.#table, 'owners')
  }

  async add (owner: string, id: string, { expiresAt, limit, onLimit, replaces, isSuccessor = false }: OwnerEntry): Promise<OwnerAddition> {
    const [answer] = await this.#inTurn(owner, () => run(this.#ask, this.#statements.add, this.#values(owner, {
      id, expiresAt: String(expiresAt), limit: limit?.toString(), refuses: onLimit === 'refuse' ? '1' : '', replaces, isSuccessor: isSuccessor ? '1' : ''
    })))
    return JSON.parse(answer as string) as OwnerAddition
  }

  async renew (owner: string, id: string, expiresAt: number): Promise<boolean> {
    return await this.#inTurn(owner, () => runStep(this.#ask, this.#statements.renew, this.#values(owner, { id, expiresAt: String(expiresAt) }))) === 'true'
  }

  async mark (owner: string, except: readonly string[]): Promise<readonly string[]> {
    const kept = JSON.stringify(Object.fromEntries(except.map((id) => [id, ''])))
    const [answer] = await this.#inTurn(owner, () => run(this.#ask, this.#statements.mark, this.#values(owner, { except: kept })))
    return answer === undefined ? [] : JSON.parse(answer) as string[]
  }

  async remove (owner: string, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#inTurn(owner, () => run(this.#ask, this.#statements.remove, this.#values(owner, { ids: JSON.stringify(ids) })))
  }

  list (owner: string): Promise<readonly string[]> {
    return run(this.#ask, this.#statements.list, this.#values(owner, {}))
  }

  #inTurn<T> (owner: string, step: () => Promise<T>): Promise<T> {
    return this.#turns.take(owner, PATIENCE_MS, step)
  }

  #values (owner: string, more: Values): Values {
    return { owner: storedText(owner), now: String(this.#clock.now()), ...more }
  }
}
