// The names of the two tables, quoted, and of what belongs to them.
import { inspect } from 'node:util'
import { InvalidOptionError } from '../../errors.js'

// PostgreSQL cuts names after 63 bytes, and the longest of ours ends in '_owners_sweep'
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,49}$/

export const DEFAULT_TABLE = 'fastify_sessions'

export interface TableNames {
  /** As the user wrote it. */
  readonly plain: string
  readonly sessions: string
  readonly owners: string
  /** Of the index by deadline: an index lies in the schema of its table. */
  readonly sessionsIndex: string
  readonly ownersIndex: string
  /** For LISTEN and NOTIFY. */
  readonly channel: string
}

/** Throws an `InvalidOptionError` for what is no name of a table, with or without its schema. */
export function tableNames (table: unknown): TableNames {
  const parts = typeof table === 'string' ? table.split('.') : []
  if (typeof table !== 'string' || parts.length > 2 || parts.some((part) => !NAME.test(part)) || `${table}_ended`.length > 63) {
    throw new InvalidOptionError('table', inspect(table, { depth: -1 }), "give a name such as 'fastify_sessions' or 'app.sessions': letters, digits and _, at most 50 of them")
  }
  const name = parts.at(-1) as string
  const quoted = (suffix: string) => [...parts.slice(0, -1), name + suffix].map(quote).join('.')
  return {
    plain: table,
    sessions: quoted(''),
    owners: quoted('_owners'),
    sessionsIndex: quote(`${name}_sweep`),
    ownersIndex: quote(`${name}_owners_sweep`),
    channel: `${table}_ended`
  }
}

function quote (name: string): string {
  return `"${name}"`
}
