// A statement with named values: `{id}` becomes `$1::text`. Every value goes as text, and is cast where it is used.
import type { Ask } from './query.js'

export interface Statement {
  readonly text: string
  readonly names: readonly string[]
}

/** What is left out is NULL. */
export type Values = Readonly<Record<string, string | null | undefined>>

export function statement (sql: string): Statement {
  const names: string[] = []
  const text = sql.replace(/\{([a-z]\w*)\}/gi, (_all, name: string) => {
    if (!names.includes(name)) names.push(name)
    return `$${names.indexOf(name) + 1}::text`
  })
  return { text, names }
}

export function run (ask: Ask, { text, names }: Statement, values: Values): Promise<string[]> {
  return ask(text, names.map((name) => values[name] ?? null))
}

/** A row that another process changed in the middle of a step may make the step look at it again; each time somebody else got ahead. */
const MAX_ROUNDS = 1000

/** Runs a statement that answers 'again' where it found a row that was changed at that very moment. */
export async function runStep (ask: Ask, step: Statement, values: Values): Promise<string> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const [answer = ''] = await run(ask, step, values)
    if (answer !== 'again') return answer
  }
  throw new Error(`the row was changed by others ${MAX_ROUNDS} times in a row`)
}
