// The steps on one row, each of them one statement.
//
// Of processes that change one row at once, the later ones wait for the first and then look at the row again: PostgreSQL
// does that for the WHERE and the SET of the UPDATE itself, and for nothing else in the statement. So every condition is in
// the UPDATE. What its answer says where nothing was updated comes from the row as it was when the statement began; a row that
// met every condition then, and was changed since, is looked at once more: 'again'.
import { ENDED_FOR } from '../../record/record.js'
import { COLUMNS } from './postgres-record.js'
import { statement, type Statement } from './statement.js'
import { bytesSql } from './stored-text.js'

// ended_at: a mark; a row whose deadline has come counts as absent
const LIVE = 'ended_at IS NULL AND expires_at > {now}::bigint'

// `renewedExpiresAt` of lib/record, and what it asks for
const RENEWED = 'CASE WHEN expires_at > {atMost}::bigint + {tolerance}::bigint THEN {atMost}::bigint ELSE greatest(expires_at, {renewTo}::bigint) END'
const IS_RENEWABLE = 'lifetime = {renewLifetime} AND absolute_expires_at = {renewAbsolute}::bigint AND ({renewOwner} IS NULL OR owner = {renewOwner})'

// `applyChanges` of lib/record
const IS_REPEATED = 'coalesce(verifier = {verifier}, false)'
const HOLDS = `(${IS_REPEATED} OR (
      ({ifGeneration} IS NULL OR generation = {ifGeneration}::bigint)
      AND ({ifVerifier} IS NULL OR verifier = {ifVerifier})
      AND ({ifLifetime} IS NULL OR lifetime = {ifLifetime})))
    AND ({ifKey} IS NULL OR (data ->> {ifKey}) IS NOT DISTINCT FROM {ifEncoded})`
const CHANGED = '((CASE WHEN {clear} = \'1\' THEN \'{}\'::jsonb ELSE data END || {set}::jsonb) - ARRAY(SELECT jsonb_array_elements_text({remove}::jsonb)))'
// jsonb as text is never shorter than its keys and values
const FITS = `({maxSize} IS NULL
    OR octet_length(${CHANGED}::text) <= {maxSize}::bigint
    OR (${sizeSql(CHANGED)}) <= greatest({maxSize}::bigint, (${sizeSql('data')})))`

function sizeSql (data: string): string {
  return `SELECT coalesce(sum(${bytesSql('key')} + ${bytesSql('value')}), 0) FROM jsonb_each_text(${data})`
}

export interface RecordStatements {
  readonly read: Statement
  readonly create: Statement
  readonly update: Statement
  readonly touch: Statement
  readonly destroy: Statement
  readonly ids: Statement
  readonly sweep: Statement
}

const SLICE = 1000

/** Everything for one table, which is quoted already. */
export function recordStatements (table: string): RecordStatements {
  return {
    read: statement(`SELECT json_build_array(${COLUMNS.map((column) => column === 'earlier' ? 'earlier::json' : column).join(', ')})::text AS answer FROM ${table} WHERE id = {id} AND expires_at > {now}::bigint`),

    // answers with a row where it wrote one
    create: statement(`INSERT INTO ${table} AS kept (id, ${COLUMNS.join(', ')})
VALUES ({id}, {data}::jsonb, {createdAt}::bigint, {expiresAt}::bigint, {absoluteExpiresAt}::bigint, {version}::bigint, {owner}, {about}, {lifetime}, {verifier}, {earlier}, {generation}::bigint, {shown}::boolean, NULL)
ON CONFLICT (id) DO UPDATE SET ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}
WHERE kept.ended_at IS NOT NULL OR kept.expires_at <= {now}::bigint
RETURNING 'done' AS answer`),

    update: statement(`WITH updated AS (
  UPDATE ${table} SET
    data = ${CHANGED},
    created_at = coalesce({createdAt}::bigint, created_at),
    expires_at = coalesce({expiresAt}::bigint, CASE WHEN {renewTo} IS NOT NULL AND ${IS_RENEWABLE} THEN ${RENEWED} ELSE expires_at END),
    absolute_expires_at = coalesce({absoluteExpiresAt}::bigint, absolute_expires_at),
    version = version + 1,
    owner = coalesce({owner}, owner),
    about = coalesce({about}, about),
    lifetime = coalesce({lifetime}, lifetime),
    verifier = coalesce({verifier}, verifier),
    earlier = CASE WHEN ${IS_REPEATED} THEN earlier ELSE coalesce({earlier}, earlier) END,
    generation = CASE WHEN ${IS_REPEATED} THEN generation ELSE coalesce({generation}::bigint, generation) END,
    shown = CASE WHEN ${IS_REPEATED} THEN shown ELSE coalesce({shown}::boolean, shown) END
  WHERE id = {id} AND ${LIVE} AND ${HOLDS} AND ${FITS}
  RETURNING 1
)
SELECT CASE WHEN EXISTS (SELECT FROM updated) THEN 'done' ELSE coalesce((
  SELECT CASE WHEN NOT (${HOLDS}) THEN 'conflict' WHEN NOT ${FITS} THEN 'too-large' ELSE 'again' END FROM ${table} WHERE id = {id} AND ${LIVE}
), 'missing') END AS answer`),

    touch: statement(`WITH touched AS (
  UPDATE ${table} SET expires_at = ${RENEWED} WHERE id = {id} AND ${LIVE} AND ${IS_RENEWABLE} AND expires_at <> ${RENEWED} RETURNING 1
)
SELECT CASE WHEN EXISTS (SELECT FROM touched) THEN 'done' ELSE coalesce((
  SELECT CASE WHEN NOT (${IS_RENEWABLE}) THEN 'stale' WHEN expires_at = ${RENEWED} THEN 'done' ELSE 'again' END FROM ${table} WHERE id = {id} AND ${LIVE}
), 'missing') END AS answer`),

    // what is left is a mark, and the news of it
    destroy: statement(`WITH ended AS (
  UPDATE ${table} SET
    ended_at = {now}::bigint, expires_at = {now}::bigint + ${ENDED_FOR}, data = '{}', owner = '', about = '', lifetime = '', verifier = '', earlier = '[]'
  WHERE id = {id} AND ${LIVE} AND ${endCondition()}
  RETURNING pg_notify({channel}, {message})
)
SELECT CASE WHEN EXISTS (SELECT FROM ended) THEN 'done' ELSE coalesce((
  SELECT CASE WHEN NOT (${endCondition()}) THEN 'conflict' ELSE 'again' END FROM ${table} WHERE id = {id} AND ${LIVE}
), 'missing') END AS answer`),

    ids: statement(`SELECT id AS answer FROM ${table} WHERE id > {after} AND ${LIVE} ORDER BY id LIMIT ${SLICE}`),

    sweep: sweepStatement(table, 'id')
  }
}

/** Removes some of what has expired, and answers how many that were. What another process is at is left to it. */
export function sweepStatement (table: string, key: string): Statement {
  return statement(`WITH swept AS (
  DELETE FROM ${table} WHERE expires_at <= {now}::bigint AND ${key} = ANY (ARRAY(
    SELECT ${key} FROM ${table} WHERE sweep_hour < {now}::bigint / 3600000 LIMIT ${SLICE} FOR UPDATE SKIP LOCKED
  )) RETURNING 1
)
SELECT count(*)::text AS answer FROM swept`)
}

/** So many at once are a full slice: more are left. */
export const FULL_SLICE = SLICE

function endCondition (): string {
  return '({ifGeneration} IS NULL OR generation = {ifGeneration}::bigint) AND ({ifVersion} IS NULL OR version = {ifVersion}::bigint)'
}
