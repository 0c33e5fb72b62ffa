// Which sessions each owner has: one row per owner, and every step on one row.
import type { Clock } from '../../../types/options.js'
import type { OwnerAddition, OwnerEntry, SessionOwners } from '../../../types/owners.js'
import { ownerStatements, type OwnerStatements } from './owner-statements.js'
import type { Ask } from './query.js'
import { checkTable } from './requirements.js'
import { run, runStep, type Values } from './statement.js'
import { storedText } from './stored-text.js'
import type { TableNames } from './table-name.js'

export class PostgresOwners implements SessionOwners {
  readonly #ask: Ask
  readonly #table: TableNames
  readonly #clock: Clock
  readonly #statements: OwnerStatements

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
    const [answer] = await run(this.#ask, this.#statements.add, this.#values(owner, {
      id, expiresAt: String(expiresAt), limit: limit?.toString(), refuses: onLimit === 'refuse' ? '1' : '', replaces, isSuccessor: isSuccessor ? '1' : ''
    }))
    return JSON.parse(answer as string) as OwnerAddition
  }

  async renew (owner: string, id: string, expiresAt: number): Promise<boolean> {
    return await runStep(this.#ask, this.#statements.renew, this.#values(owner, { id, expiresAt: String(expiresAt) })) === 'true'
  }

  async mark (owner: string, except: readonly string[]): Promise<readonly string[]> {
    const kept = JSON.stringify(Object.fromEntries(except.map((id) => [id, ''])))
    const [answer] = await run(this.#ask, this.#statements.mark, this.#values(owner, { except: kept }))
    return answer === undefined ? [] : JSON.parse(answer) as string[]
  }

  async remove (owner: string, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await run(this.#ask, this.#statements.remove, this.#values(owner, { ids: JSON.stringify(ids) }))
  }

  list (owner: string): Promise<readonly string[]> {
    return run(this.#ask, this.#statements.list, this.#values(owner, {}))
  }

  #values (owner: string, more: Values): Values {
    return { owner: storedText(owner), now: String(this.#clock.now()), ...more }
  }
}
