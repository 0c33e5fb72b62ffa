import { createRequire } from 'node:module'
import t, { type Test } from 'tap'
import { storeSuite } from '../../lib/store-suite.js'
import { SqliteStore, type SqliteDatabase } from '../../lib/stores/sqlite/sqlite-store.js'
import { FakeClock } from '../fixtures/clock.js'
import { openLibsql, openSqlite, sqlitePath, sqliteStore, standInForNodeSqlite } from '../fixtures/sqlite.js'
import { tapTest } from '../fixtures/tap-test.js'

const betterSqlite3 = process.env['KEEP_BETTER_SQLITE3'] ?? ''

t.test('a SqliteStore keeps the contract with a database of libsql', async (t) => {
  const clock = new FakeClock()
  const path = sqlitePath()
  storeSuite({ ...clock, owners: true, test: tapTest(t), createStore: () => new SqliteStore({ database: openLibsql(path), clock }) })
})

t.test('a SqliteStore keeps the contract with a database of better-sqlite3', { skip: betterSqlite3 === '' && 'npm run test:nodes brings the driver' }, async (t) => {
  const clock = new FakeClock()
  const path = sqlitePath()
  const Database = createRequire(import.meta.url)(betterSqlite3) as new (path: string) => SqliteDatabase
  storeSuite({ ...clock, owners: true, test: tapTest(t), createStore: () => new SqliteStore({ database: new Database(path), clock }) })
})

t.test('a SqliteStore keeps the contract with the path of a file', async (t) => {
  standInForNodeSqlite(t)
  const clock = new FakeClock()
  const path = sqlitePath()
  storeSuite({ ...clock, owners: true, test: tapTest(t), createStore: () => new SqliteStore({ path, clock }) })
})

t.test('a SqliteStore keeps the contract while another process writes all the time', async (t) => {
  const clock = new FakeClock()
  const path = sqlitePath()
  const stop = writeAlways(t, path)
  storeSuite({ ...clock, owners: true, test: tapTest(t), createStore: () => sqliteStore({ durability: 'full', clock }, path) })
  t.teardown(stop)
})

t.test('a SqliteStore keeps the contract in real time, without waiting for the disk, and with corrupt records', async (t) => {
  const path = sqlitePath()
  const other = openSqlite(path)
  const damage = (name: string, sql: string) => ({ [name]: async (_store: unknown, id: string) => { other.prepare(sql).run(id) } })[name] as () => Promise<void>
  const field = (name: string, path: string, json: string) => damage(name, `UPDATE session SET record = json_set(record, '$.${path}', json('${json}')) WHERE id = ?`)
  storeSuite({
    owners: true,
    test: tapTest(t),
    createStore: () => sqliteStore({}, path),
    damage: [
      damage('no JSON', "UPDATE session SET record = '{' WHERE id = ?"),
      damage('an empty text', "UPDATE session SET record = '' WHERE id = ?"),
      damage('a list', "UPDATE session SET record = '[]' WHERE id = ?"),
      damage('null', "UPDATE session SET record = 'null' WHERE id = ?"),
      damage('a deadline beyond dates', 'UPDATE session SET expires_at = 9000000000000000 WHERE id = ?'),
      damage('no values', "UPDATE session SET record = json_remove(record, '$.values') WHERE id = ?"),
      damage('no verifier', "UPDATE session SET record = json_remove(record, '$.verifier') WHERE id = ?"),
      field('a value that is no text', 'values.user', '42'),
      field('a version that is no number', 'version', '"1"'),
      field('a version that is no whole number', 'version', '1.5'),
      field('a negative generation', 'generation', '-1'),
      field('a lifetime of no time', 'lifetime', '{"idle":0,"absolute":1,"persistent":true}'),
      field('earlier verifiers that are no list', 'earlier', '{"0":1}'),
      field('an owner that is no text', 'owner', '7')
    ]
  })
})

/** Holds the file for a moment, again and again. */
function writeAlways (t: Test, path: string): () => void {
  const other: SqliteDatabase & { close (): void } = openSqlite(path)
  t.teardown(() => other.close())
  let isWriting = false
  const timer = setInterval(() => {
    try {
      other.exec(isWriting ? 'COMMIT' : 'BEGIN IMMEDIATE')
      isWriting = !isWriting
    } catch {}
  }, 3)
  return () => clearInterval(timer)
}
