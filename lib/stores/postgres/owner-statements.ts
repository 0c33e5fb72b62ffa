// The steps on the list of one owner. A list is one row, so that each step is one atomic change of it: a jsonb of ids by
// their deadlines, where 0 is a mark, which no deadline removes.
import { statement, type Statement } from './statement.js'

export interface OwnerStatements {
  readonly add: Statement
  readonly renew: Statement
  readonly mark: Statement
  readonly remove: Statement
  readonly list: Statement
}

/** Everything for one table, which is quoted already. */
export function ownerStatements (table: string): OwnerStatements {
  const entries = (list: string) => `(SELECT key AS id, value::bigint AS expires FROM jsonb_each_text(${list})) AS entry`
  // looked for first, since taking a long list apart and putting it together again costs far more
  const marked = (list: string) => `CASE WHEN jsonb_path_exists(${list}, '$.* ? (@ == 0)') THEN (SELECT json_agg(id) FROM ${entries(list)} WHERE expires = 0) ELSE '[]' END`
  const unexpired = (list: string) => `CASE WHEN jsonb_path_exists(${list}, '$.* ? (@ > 0 && @ <= $now)', jsonb_build_object('now', {now}::bigint))
      THEN ${list} - ARRAY(SELECT id FROM ${entries(list)} WHERE expires > 0 AND expires <= {now}::bigint) ELSE ${list} END`
  const others = `FROM ${entries('kept.sessions')} WHERE expires > {now}::bigint AND id <> {id} AND id IS DISTINCT FROM {replaces}`
  const deadline = '(sessions ->> {id})::bigint'
  const isListed = `(${deadline} = 0 OR ${deadline} > {now}::bigint)`

  return {
    // `OwnerList.add` of the memory store. What came of it is kept in the row until the next step, for RETURNING sees nothing else
    add: statement(`INSERT INTO ${table} AS kept (owner, sessions, expires_at, last_answer)
VALUES ({owner}, jsonb_build_object({id}, {expiresAt}::bigint), {expiresAt}::bigint, 'done')
ON CONFLICT (owner) DO UPDATE SET (sessions, expires_at, last_answer) = (
  SELECT
    CASE WHEN answer <> 'done' THEN kept.sessions ELSE (${unexpired('kept.sessions')})
      || (too_many || CASE WHEN kept.sessions ->> {id} = '0' THEN '{}' ELSE jsonb_build_object({id}, {expiresAt}::bigint) END) END,
    CASE WHEN answer <> 'done' THEN kept.expires_at ELSE greatest(kept.expires_at, {expiresAt}::bigint) END,
    answer
  FROM (
    SELECT
      CASE WHEN {isSuccessor} = '1' AND kept.sessions ->> {replaces} = '0' THEN 'ended' WHEN {refuses} = '1' AND count >= {limit}::bigint THEN 'refused' ELSE 'done' END AS answer,
      CASE WHEN count < {limit}::bigint IS NOT FALSE THEN '{}'
        ELSE (SELECT jsonb_object_agg(id, 0) FROM (SELECT id ${others} ORDER BY expires LIMIT count + 1 - {limit}::bigint) AS soonest) END AS too_many
    FROM (SELECT CASE WHEN {limit} IS NULL THEN NULL ELSE (SELECT count(*) ${others}) END AS count) AS counted
  ) AS decided
)
RETURNING json_build_object('result', last_answer, 'marked', ${marked('sessions')})::text AS answer`),

    renew: statement(`WITH renewed AS (
  UPDATE ${table} SET sessions = sessions || jsonb_build_object({id}, {expiresAt}::bigint), expires_at = greatest(expires_at, {expiresAt}::bigint)
  WHERE owner = {owner} AND ${deadline} > {now}::bigint AND ${deadline} < {expiresAt}::bigint RETURNING 1
)
SELECT CASE WHEN EXISTS (SELECT FROM renewed) THEN 'true' ELSE coalesce((
  SELECT CASE WHEN NOT coalesce(${isListed}, false) THEN 'false' WHEN ${deadline} > 0 AND ${deadline} < {expiresAt}::bigint THEN 'again' ELSE 'true' END FROM ${table} WHERE owner = {owner}
), 'false') END AS answer`),

    mark: statement(`UPDATE ${table} AS kept SET sessions = (
  SELECT coalesce(jsonb_object_agg(id, CASE WHEN {except}::jsonb ->> id IS NULL THEN 0 ELSE expires END), '{}')
  FROM ${entries('kept.sessions')} WHERE expires = 0 OR expires > {now}::bigint
) WHERE owner = {owner}
RETURNING (${marked('sessions')})::text AS answer`),

    remove: statement(`UPDATE ${table} SET sessions = sessions - ARRAY(SELECT jsonb_array_elements_text({ids}::jsonb)) WHERE owner = {owner}`),

    list: statement(`SELECT id AS answer FROM ${table}, LATERAL ${entries('sessions')} WHERE owner = {owner} AND expires > {now}::bigint`)
  }
}
