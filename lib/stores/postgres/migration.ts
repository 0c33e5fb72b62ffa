// The tables as SQL. Their constraints let nothing in that is no session, so that no statement has to look for it.
import { MAX_DURATION } from '../../duration.js'
import { MAX_DATE } from '../../record/record.js'
import { unknownName } from '../../unknown-names.js'
import { InvalidOptionError } from '../../errors.js'
import { inspect } from 'node:util'
import { DEFAULT_TABLE, tableNames } from './table-name.js'

/** Counted up by a version of this package that changes the tables. */
export const FORMAT = 1

/** What the comment on each table says, so that a table of something else is not taken for ours. */
export const COMMENT = 'fastify-keep'

/** What `migrationSql(options)` takes; everything has a default. */
export interface MigrationOptions {
  /** The table of the sessions, with its schema if you like: `'app.sessions'`. That of their owners has the same name and `_owners`. Default `'fastify_sessions'`. */
  table?: string
  /**
   * True: the tables are UNLOGGED. Writing is several times faster, since nothing waits for the disk, and PostgreSQL **empties the tables** after
   * a crash or a power cut; a replica has nothing in them. A restart that stops the server properly keeps them. Default `false`.
   */
  unlogged?: boolean
}

/** One less than what a JavaScript number holds exactly: an update counts one on. */
const MAX_COUNT = Number.MAX_SAFE_INTEGER - 1

const EARLIER = String.raw`\["([^"\\]|\\.)*",[0-9]{1,15},(true|false)\]`
const DURATION = '[1-9][0-9]{0,10}'

/** The statements that make the tables, for a migration tool or for psql. Throws an `InvalidOptionError` for an unknown option, or a name that cannot be one. */
export function migrationSql (options: MigrationOptions = {}): string {
  const { table, unlogged } = migrationSettings(options)
  const { sessions, owners, sessionsIndex, ownersIndex } = tableNames(table)
  const create = unlogged ? 'CREATE UNLOGGED TABLE' : 'CREATE TABLE'
  const time = (column: string) => `${column} bigint NOT NULL CHECK (${column} BETWEEN 0 AND ${MAX_DATE})`
  const count = (column: string) => `${column} bigint NOT NULL CHECK (${column} BETWEEN 0 AND ${MAX_COUNT})`
  const optional = (column: string) => `${column} text NOT NULL CHECK (${column} = '' OR starts_with(${column}, ':'))`
  // an indexed deadline would make every renewal write to the index; the hour seldom changes
  const sweepHour = 'sweep_hour bigint GENERATED ALWAYS AS (expires_at / 3600000) STORED'
  return `${create} ${sessions} (
  id text COLLATE "C" PRIMARY KEY,
  data jsonb NOT NULL CHECK (jsonb_typeof(data) = 'object' AND NOT jsonb_path_exists(data, 'strict $.* ? (@.type() != "string")')),
  ${time('created_at')},
  ${time('expires_at')},
  ${time('absolute_expires_at')},
  ${count('version')},
  ${optional('owner')},
  ${optional('about')},
  lifetime text NOT NULL CHECK (lifetime = '' OR lifetime ~ '^${DURATION} ${DURATION} [01]$' AND split_part(lifetime, ' ', 1)::bigint <= ${MAX_DURATION} AND split_part(lifetime, ' ', 2)::bigint <= ${MAX_DURATION}),
  verifier text NOT NULL,
  earlier text NOT NULL CHECK (earlier = '[]' OR earlier ~ '^\\[${EARLIER}(,${EARLIER})*\\]$'),
  ${count('generation')},
  shown boolean NOT NULL,
  ended_at bigint CHECK (ended_at BETWEEN 0 AND ${MAX_DATE}),
  ${sweepHour}
) WITH (fillfactor = 75);
CREATE INDEX ${sessionsIndex} ON ${sessions} (sweep_hour);

${create} ${owners} (
  owner text COLLATE "C" PRIMARY KEY,
  sessions jsonb NOT NULL CHECK (jsonb_typeof(sessions) = 'object' AND NOT jsonb_path_exists(sessions, 'strict $.* ? (@.type() != "number")')),
  ${time('expires_at')},
  last_answer text NOT NULL,
  ${sweepHour}
) WITH (fillfactor = 75);
-- a long list is written at each login: pressing it together would take longer than anything else
ALTER TABLE ${owners} ALTER COLUMN sessions SET STORAGE EXTERNAL;
CREATE INDEX ${ownersIndex} ON ${owners} (sweep_hour);

COMMENT ON TABLE ${owners} IS '${COMMENT} owners, format ${FORMAT}';
COMMENT ON TABLE ${sessions} IS '${COMMENT} sessions, format ${FORMAT}';
`
}

const known = ['table', 'unlogged']

function migrationSettings (options: MigrationOptions): Required<MigrationOptions> {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError('migrationSql options', inspect(options), "give an object such as { table: 'fastify_sessions' }")
  const unknown = unknownName(options, known)
  if (unknown !== null) throw new InvalidOptionError(unknown.name, inspect(options[unknown.name as keyof MigrationOptions], { depth: -1 }), unknown.fix)
  const { table = DEFAULT_TABLE, unlogged = false } = options
  if (typeof unlogged !== 'boolean') throw new InvalidOptionError('unlogged', inspect(unlogged, { depth: -1 }), 'give true or false')
  return { table, unlogged }
}

/** The same as one statement that does nothing where the tables are there, and lets one process at a time do it. */
export function migrationStep (options: MigrationOptions): string {
  const { sessions } = tableNames(options.table)
  return `DO $keep$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('fastify-keep migration'));
  IF to_regclass('${sessions}') IS NULL THEN
${migrationSql(options)}
  END IF;
END
$keep$`
}
