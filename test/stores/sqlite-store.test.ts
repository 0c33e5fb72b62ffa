// What a SqliteStore is beyond the contract: its file, its limits, and how it shares it.
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { isRecord } from '../../lib/record/record.js'
import { isBusy } from '../../lib/stores/sqlite/sqlite-errors.js'
import { SqliteStore, type SqliteDatabase, type SqliteStoreOptions } from '../../lib/stores/sqlite/sqlite-store.js'
import type { SessionRecord } from '../../types/store.js'
import { FakeClock, HOUR, MINUTE } from '../fixtures/clock.js'
import { goodRecord } from '../fixtures/good-record.js'
import { hasNodeSqlite, openSqlite, sqlitePath, sqliteStore, standInForNodeSqlite } from '../fixtures/sqlite.js'

const changing = (set: Record<string, string>) => ({ clear: false, set, remove: [] })

const large = (more: Partial<SessionRecord> = {}): SessionRecord => ({ ...record(), values: { cart: JSON.stringify('x'.repeat(3000)) }, ...more })

function record (): SessionRecord {
  const now = Date.now()
  return goodRecord({ values: { user: '42' }, expiresAt: now + HOUR, absoluteExpiresAt: now + HOUR })
}

/** The message of what it throws. */
async function failure (work: () => unknown): Promise<{ code: string, message: string }> {
  try {
    await work()
  } catch (error) {
    return error as { code: string, message: string }
  }
  throw new Error('nothing was thrown')
}

t.test('options that cannot work are refused, with what to write instead', async (t) => {
  const database = openSqlite(sqlitePath())
  const refused: Array<[options: unknown, message: RegExp]> = [
    [undefined, /options is undefined: give an object such as/],
    [{}, /give either path/],
    [{ path: 'a.db', database }, /give either path/],
    [{ database: {} }, /give a connection such as new Database/],
    [{ database, durabilty: 'full' }, /did you mean durability/],
    [{ filename: 'a.db' }, /write path/],
    [{ database, durability: 'safe' }, /give 'full' or 'normal'/],
    [{ database, maxBytes: 10 }, /from 65536 on/],
    [{ database, sweepInterval: 'soon' }, /sweepInterval/],
    [{ database, clock: 7 }, /give an object with a function now/],
    [{ path: '' }, /give a name such as/],
    [{ path: ':memory:' }, /give the path of a file/],
    [{ path: 'file:a.db' }, /give the path of a file/]
  ]
  for (const [options, message] of refused) {
    t.match(await failure(() => new SqliteStore(options as SqliteStoreOptions)), { code: 'FST_KEEP_INVALID_OPTION', message })
  }
})

t.test('a Node.js without SQLite says which ways out there are', { skip: hasNodeSqlite && 'this one has it' }, async (t) => {
  t.match(await failure(() => new SqliteStore({ path: './sessions.db' })), { code: 'FST_KEEP_INVALID_OPTION', message: /has no node:sqlite; use Node\.js 22\.13 or newer, or open the file with libsql or better-sqlite3/ })
})

t.test('with a path the file is made, for its owner alone', async (t) => {
  standInForNodeSqlite(t)
  const path = sqlitePath()
  const store = new SqliteStore({ path })
  await store.create('a', record())
  for (const each of [path, `${path}-wal`]) t.equal(statSync(each).mode & 0o777, 0o600)
  await store.close()
  t.ok(isRecord(await store.read('a')), 'a later call opens it again')
  await store.close()
  t.match(await failure(() => new SqliteStore({ path: join(dirname(path), 'none', 'a.db') }).open()), { code: 'FST_KEEP_UNFIT_STORE', message: /cannot be created: make the folder first/ })
  // libsql in its place has words of its own
  if (hasNodeSqlite) t.match(await failure(() => new SqliteStore({ path: dirname(path) }).open()), { code: 'FST_KEEP_UNFIT_STORE', message: /has to be a file/ })
})

t.test('a file of something else stops the start, and stays as it is', async (t) => {
  const others: Array<[name: string, make: (path: string) => void, message: RegExp]> = [
    ['a text', (path) => writeFileSync(path, 'not a database, '.repeat(100)), /is no SQLite database/],
    ['a database of another program', (path) => openSqlite(path).exec('CREATE TABLE users (id)'), /is a database of something else/],
    ['a database with the mark of another program', (path) => openSqlite(path).exec('PRAGMA application_id = 7'), /is a database of something else/],
    ['a database with the version of another program', (path) => openSqlite(path).exec('PRAGMA user_version = 1'), /is a database of something else/],
    ['a newer format', (path) => openSqlite(path).exec('PRAGMA application_id = 0x6b656570; PRAGMA user_version = 2'), /newer version of fastify-keep \(format 2, and this one knows 1\)/]
  ]
  for (const [name, make, message] of others) {
    const path = sqlitePath()
    make(path)
    const before = readFileSync(path)
    const store = sqliteStore({}, path)
    t.match(await failure(() => store.open()), { code: 'FST_KEEP_UNFIT_STORE', message }, name)
    t.match(await failure(() => store.create('a', record())), { code: 'FST_KEEP_UNFIT_STORE' }, name)
    t.match(await failure(() => store.read('a')), { code: 'FST_KEEP_UNFIT_STORE' }, name)
    t.ok(readFileSync(path).equals(before), name)
  }
  t.match(await failure(() => new SqliteStore({ database: openSqlite(':memory:') }).open()), { code: 'FST_KEEP_UNFIT_STORE', message: /cannot have a write-ahead log/ })
})

t.test('a file that may not be written stops the start', { skip: process.geteuid?.() !== 0 && 'needs root, who can become another user' }, async (t) => {
  const path = sqlitePath()
  await sqliteStore({}, path).create('a', record())
  const asNobody = <T>(work: () => T): T => {
    process.seteuid?.(65534)
    try {
      return work()
    } finally {
      process.seteuid?.(0)
    }
  }
  chmodSync(dirname(path), 0o755)
  chmodSync(path, 0o444)
  const database = asNobody(() => openSqlite(path))
  const opening = asNobody(() => new SqliteStore({ database }).open())
  t.match(await failure(() => opening), { code: 'FST_KEEP_UNFIT_STORE', message: /cannot be (written|opened).*right to write/ })
})

t.test('a read answers at once, and a write when it is stored', async (t) => {
  const store = sqliteStore()
  const created = store.create('a', record())
  t.equal(store.read('a'), null)
  t.equal(await created, true)
  t.ok(isRecord(store.read('a')))
})

t.test('all writes of one turn are one transaction', async (t) => {
  const path = sqlitePath()
  const { database, said } = listened(path)
  const store = new SqliteStore({ database })
  await store.open()
  said.length = 0
  await Promise.all(Array.from({ length: 300 }, (_, index) => store.create(`a${index}`, record())))
  t.ok(said.filter((sql) => sql === 'COMMIT').length < 10, `${said.length / 2} transactions`)
})

t.test('a write that fails takes no other along', async (t) => {
  const path = sqlitePath()
  const { database, fail } = listened(path)
  const store = new SqliteStore({ database })
  await store.open()
  fail((sql, values) => sql.startsWith('INSERT INTO session') && values[0] === 'bad')
  const answers = await Promise.allSettled(['a', 'b', 'bad', 'c', 'd'].map((id) => store.create(id, record())))
  t.same(answers.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  fail(() => false)
  t.same(['a', 'b', 'bad', 'c', 'd'].map((id) => isRecord(store.read(id))), [true, true, false, true, true])
})

t.test('while another process writes, reads go on and writes wait', async (t) => {
  const path = sqlitePath()
  const store = sqliteStore({}, path)
  await store.create('a', record())
  const other = openSqlite(path)
  other.exec('BEGIN IMMEDIATE')
  let isDone = false
  const writing = Promise.all([store.update('a', changing({ b: '1' })), store.update('a', changing({ c: '1' })), store.owners.add('ada', 'a', { expiresAt: Date.now() + HOUR })]).finally(() => { isDone = true })
  await delay(100)
  t.equal(isDone, false)
  t.ok(isRecord(store.read('a')))
  other.exec('COMMIT')
  t.same(await writing, ['done', 'done', { result: 'done', marked: [] }])
  t.match(store.read('a'), { values: { user: '42', b: '1', c: '1' }, version: 2 })
})

t.test('a file that stays busy fails the writes, and the next one is stored', async (t) => {
  const path = sqlitePath()
  const store = sqliteStore({}, path)
  await store.create('a', record())
  const other = openSqlite(path)
  other.exec('BEGIN IMMEDIATE')
  t.ok(isBusy(await failure(() => store.update('a', changing({ b: '1' })))))
  other.exec('COMMIT')
  t.equal(await store.update('a', changing({ b: '2' })), 'done')
})

t.test('close waits for the saves under way', async (t) => {
  const path = sqlitePath()
  const store = sqliteStore({}, path)
  await store.create('a', record())
  const other = openSqlite(path)
  other.exec('BEGIN IMMEDIATE')
  const writing = store.update('a', changing({ b: '1' }))
  const closing = store.close()
  await delay(50)
  other.exec('COMMIT')
  await closing
  t.match(sqliteStore({}, path).read('a'), { values: { b: '1' } })
  t.equal(await writing, 'done')
  await store.close()
})

t.test('a full file fails what needs room, while reading and logging out go on', async (t) => {
  const clock = new FakeClock()
  const store = sqliteStore({ maxBytes: 256 * 1024, clock })
  const ids = Array.from({ length: 200 }, (_, index) => `session-${index}`)
  const answers = await Promise.allSettled(ids.map((id) => store.create(id, large())))
  const full = answers.findIndex(({ status }) => status === 'rejected')
  t.match((answers[full] as PromiseRejectedResult).reason, { code: 'FST_KEEP_STORE_FULL', message: /the file has reached maxBytes, 262144/ })
  t.ok(full > 20 && full < 80, `${full} sessions were stored`)
  t.ok(isRecord(await store.read(ids[0] as string)))
  t.equal(await store.read(ids[full] as string), null)
  for (const id of ids.slice(0, 5)) t.equal(await store.destroy(id), 'done')
  clock.advance(MINUTE)
  await store.sweep()
  t.equal(await store.create('again', large()), true)
})

t.test('what has expired goes in slices, one process at a time, and the file gets smaller', async (t) => {
  const path = sqlitePath()
  const clock = new FakeClock()
  const [store, other] = [sqliteStore({ clock, sweepInterval: '20ms' }, path), sqliteStore({ clock, sweepInterval: '20ms' }, path)]
  const soon = { expiresAt: clock.now() + MINUTE, absoluteExpiresAt: clock.now() + HOUR }
  await other.open()
  await Promise.all(Array.from({ length: 1500 }, (_, index) => store.create(`session-${index}`, large(soon))))
  await store.create('lives', large({ expiresAt: clock.now() + HOUR, absoluteExpiresAt: clock.now() + HOUR }))
  await store.destroy('session-0')
  await store.owners.add('ada', 'session-1', soon)
  await store.owners.add('ada', 'marked', soon)
  await store.owners.mark('ada', ['session-1'])
  const database = openSqlite(path)
  const count = (table: string) => (database.prepare(`SELECT count(*) AS count FROM ${table}`).get() as { count: number }).count
  const pages = () => (database.prepare('PRAGMA page_count').get() as { page_count: number }).page_count
  const before = pages()
  clock.advance(MINUTE)
  for (let waited = 0; waited < 5000 && (store.expired + other.expired < 1499 || pages() > before / 4); waited += 10) await delay(10)
  t.equal(store.expired + other.expired, 1499)
  t.ok(store.expired === 0 || other.expired === 0, 'one of them did it all')
  t.ok(pages() < before / 4, `${before} pages, then ${pages()}`)
  t.same([count('session'), count('owned'), count('ending')], [1, 1, 0])
  t.ok(isRecord(await store.read('lives')))
  await Promise.all([store.close(), other.close()])
})

t.test('what others write to the file does no harm to what listens', async (t) => {
  const path = sqlitePath()
  const store = sqliteStore({}, path)
  const told: unknown[] = []
  const stop = new AbortController()
  await store.onEnded((id, reason) => { told.push([id, reason]) }, stop.signal)
  const other = sqliteStore({}, path)
  for (const id of ['a', 'b']) await other.create(id, record())
  await other.destroy('a', { reason: 'revoked' })
  await other.destroy('b')
  for (let waited = 0; waited < 2000 && told.length < 2; waited += 10) await delay(10)
  t.same(told, [['a', 'revoked'], ['b', null]])
  stop.abort()
})

/** A connection that says what it is told, and fails where it is asked to. */
function listened (path: string): { database: SqliteDatabase, said: string[], fail (when: (sql: string, values: unknown[]) => boolean): void } {
  const database = openSqlite(path)
  const said: string[] = []
  let fails = (_sql: string, _values: unknown[]): boolean => false
  return {
    said,
    fail: (when) => { fails = when },
    database: {
      exec (sql) {
        said.push(sql)
        return database.exec(sql)
      },
      prepare (sql) {
        const statement = database.prepare(sql)
        return {
          get: (...values) => statement.get(...values),
          all: (...values) => statement.all(...values),
          run (...values) {
            if (fails(sql, values)) throw new Error('it fails')
            return statement.run(...values)
          }
        }
      }
    }
  }
}

t.test('a new file is ours also where another process makes the tables between two looks at it', async (t) => {
  for (let look = 1; look <= 8; look++) {
    const path = sqlitePath()
    const database = openSqlite(path)
    let looks = 0
    const interrupted: SqliteDatabase = {
      exec: (sql) => database.exec(sql),
      prepare (sql) {
        // its own look comes after the other process was there
        if (++looks === look) sqliteStore({}, path).open().catch(() => {})
        return database.prepare(sql)
      }
    }
    const store = new SqliteStore({ database: interrupted, durability: 'normal' })
    await store.open()
    t.equal(await store.create('a'.repeat(24), goodRecord()), true, `look ${look}`)
    await store.close()
  }
})
