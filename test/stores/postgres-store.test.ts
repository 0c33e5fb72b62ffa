// What belongs to PostgreSQL alone: its tables, its locks, its failures.
import pg from 'pg'
import t, { type Test } from 'tap'
import { fromPg, fromPostgres, migrationSql, PostgresStore, type PostgresStoreOptions } from '../../lib/stores/postgres/postgres-store.js'
import { changing, newId, recordAt, renewing } from '../../lib/store-suite/context.js'
import { isRecord } from '../../lib/record/record.js'
import { DAY, FakeClock, HOUR, MINUTE } from '../fixtures/clock.js'
import { goodRecord } from '../fixtures/good-record.js'
import { skipFileWithout } from '../fixtures/needs.js'
import { connectPg, connectPostgres, postgresStore } from '../fixtures/postgres-clients.js'
import { startPostgres, startPostgresServer } from '../fixtures/postgres.js'

skipFileWithout('postgres')

const url = await startPostgres(t)
const admin = connectPg(t, url)

/** A store on tables of its own. */
async function freshStore (t: Test, options: Partial<PostgresStoreOptions> = {}): Promise<{ store: PostgresStore, table: string }> {
  const table = `t${newId().replace(/\W/g, '_')}`.toLowerCase()
  return { table, store: await postgresStore(t, url, { table, ...options }) }
}

/** The address with another user, or other settings of the connection. */
function urlWith (change: (url: URL) => void): string {
  const changed = new URL(url)
  change(changed)
  return changed.href
}

t.test('options that cannot work are refused, with what to write instead', (t) => {
  const query = async () => []
  const refused: Array<[options: unknown, message: RegExp]> = [
    [undefined, /fromPg\(pool\)/],
    [{}, /query is undefined: write new PostgresStore\(fromPg\(pool\)\)/],
    [{ query: 'postgres://' }, /query is 'postgres:\/\/'/],
    [{ pool: admin }, /pool is .*fromPg\(pool\)/],
    [{ query, tabel: 'x' }, /tabel is 'x': .*did you mean table\?/],
    [{ query, unlogged: true }, /store\.migrate\(\)/],
    [{ query, listen: 'ended' }, /listen is 'ended'/],
    [{ query, clock: {} }, /clock/],
    [{ query, sweepInterval: 'soon' }, /sweepInterval is 'soon'/],
    ...['', 'a b', 'a"b', 'a.b.c', '.a', '1a', 'é', 'x'.repeat(51), 7, null].map((table): [unknown, RegExp] => [{ query, table }, /table is .*letters, digits and _/])
  ]
  for (const [options, message] of refused) t.throws(() => new PostgresStore(options as PostgresStoreOptions), { code: 'FST_KEEP_INVALID_OPTION', message })
  for (const pool of [null, {}, 'postgres://', new pg.Client(url), connectPostgres(t, url)]) t.throws(() => fromPg(pool as never), { code: 'FST_KEEP_INVALID_OPTION', message: /new pg\.Pool/ })
  for (const sql of [null, {}, admin]) t.throws(() => fromPostgres(sql as never), { code: 'FST_KEEP_INVALID_OPTION', message: /postgres\(url\)/ })
  t.throws(() => fromPg(admin, { prepared: false } as never), { code: 'FST_KEEP_INVALID_OPTION', message: /did you mean prepare\?/ })
  t.throws(() => migrationSql({ unloged: true } as never), { code: 'FST_KEEP_INVALID_OPTION', message: /did you mean unlogged\?/ })
  t.throws(() => migrationSql({ table: 'x; DROP TABLE y' }), { code: 'FST_KEEP_INVALID_OPTION' })
  t.end()
})

t.test('a table that is missing, older, newer or of something else stops the start', async (t) => {
  const store = (table: string) => new PostgresStore({ ...fromPg(admin), table, sweepInterval: '1d' })
  const refusal = (table: string, message: RegExp) => t.rejects(store(table).open(), { code: 'FST_KEEP_UNFIT_STORE', message }, table)
  await refusal('nowhere', /there is no table "nowhere"; call await store\.migrate\(\)/)
  await refusal('no_schema.sessions', /there is no table "no_schema"\."sessions"/)
  await admin.query('CREATE TABLE theirs (sid text, sess json)')
  await refusal('theirs', /made by something else/)
  await t.rejects(store('theirs').migrate(), { code: 'FST_KEEP_UNFIT_STORE', message: /made by something else/ })
  await store('dated').migrate()
  await store('dated').open()
  for (const [format, message] of [['0', /older version.*migrate/], ['2', /newer version.*update fastify-keep/]] as const) {
    await admin.query(`COMMENT ON TABLE dated IS 'fastify-keep sessions, format ${format}'`)
    await refusal('dated', message)
  }
  await admin.query('DROP TABLE dated_owners')
  await t.rejects(Promise.resolve(store('dated').owners.open!()), { code: 'FST_KEEP_UNFIT_STORE', message: /there is no table "dated_owners"/ })
})

t.test('what the user may not do, and a database that is not there, stop the start', async (t) => {
  await freshStore(t, { table: 'guarded' })
  await admin.query('CREATE ROLE guest LOGIN')
  const refusal = (changed: string, message: RegExp) => {
    const store = new PostgresStore({ ...fromPg(connectPg(t, changed)), table: 'guarded' })
    return t.rejects(store.open(), { code: 'FST_KEEP_UNFIT_STORE', message })
  }
  await refusal(urlWith((each) => { each.username = 'guest' }), /GRANT SELECT, INSERT, UPDATE, DELETE ON "guarded", "guarded_owners"/)
  await refusal(urlWith((each) => { each.username = 'nobody_here' }), /refused the login/)
  await refusal(urlWith((each) => { each.pathname = '/elsewhere' }), /"elsewhere" does not exist/)
  await admin.query('CREATE DATABASE latin ENCODING \'LATIN1\' LOCALE \'C\' TEMPLATE template0')
  await refusal(urlWith((each) => { each.pathname = '/latin' }), /encoding LATIN1/)
  await admin.query('GRANT SELECT, INSERT, UPDATE, DELETE ON guarded, guarded_owners TO guest')
  await new PostgresStore({ ...fromPg(connectPg(t, urlWith((each) => { each.username = 'guest' }))), table: 'guarded', sweepInterval: '1d' }).open()
})

t.test('a server that is away is no reason, and neither is one that is starting', async (t) => {
  const server = await startPostgresServer(t)
  const store = await postgresStore(t, server.url)
  await server.stop()
  await store.open()
  await t.rejects(store.read(newId()))
  await server.start()
  t.equal(await store.read(newId()), null, 'and it is found again')
})

t.test('many processes may migrate at once, and again', async (t) => {
  const stores = Array.from({ length: 8 }, () => new PostgresStore({ ...fromPg(admin), table: 'at_once', sweepInterval: '1d' }))
  await Promise.all(stores.map((store) => store.migrate()))
  await stores[0]?.migrate()
  t.equal(await stores[0]?.create(newId(), goodRecord()), true)
  await t.rejects(async () => { await stores[0]?.migrate({ unlogged: true }) }, { code: 'FST_KEEP_UNFIT_STORE', message: /ALTER TABLE "at_once" SET UNLOGGED; ALTER TABLE "at_once_owners" SET UNLOGGED/ })
  for (const each of stores) each.close()
})

t.test('the printed migration makes the same tables', async (t) => {
  await admin.query(`CREATE SCHEMA app; ${migrationSql({ table: 'app.Sessions', unlogged: true })}`)
  const store = new PostgresStore({ ...fromPg(admin), table: 'app.Sessions', sweepInterval: '1d' })
  await store.migrate({ unlogged: true })
  t.equal(await store.create(newId(), goodRecord()), true)
  await store.owners.add('ada', newId(), { expiresAt: Date.now() + 1000 })
  store.close()
})

t.test('the database lets nothing into the table that is no session', async (t) => {
  const { store, table } = await freshStore(t)
  const id = newId()
  await store.create(id, goodRecord({ values: { a: '1' } }))
  const before = await store.read(id)
  for (const damage of [
    "data = '[]'", "data = '{\"a\": 1}'", "data = '{\"a\": [\"x\"]}'", "data = '{\"a\": null}'", 'data = NULL', 'created_at = -1', 'expires_at = 8640000000000001', 'absolute_expires_at = NULL',
    'version = -1', 'version = 9007199254740991', 'generation = -1', "owner = 'ada'", 'about = NULL', "lifetime = 'long longer 1'", "lifetime = '0 1 1'", "lifetime = '99999999999 1 1'", 'verifier = NULL',
    "earlier = '[[\"v\",\"soon\",true]]'", "earlier = '{}'", "earlier = '[[\"v\",1,true]'", 'ended_at = -1'
  ]) {
    await t.rejects(admin.query(`UPDATE ${table} SET ${damage} WHERE id = '${id}'`), { code: /23502|23514/ }, damage)
  }
  t.same(await store.read(id), before)
  await admin.query(`ALTER TABLE ${table} DROP CONSTRAINT ${table}_lifetime_check; ALTER TABLE ${table} DROP CONSTRAINT ${table}_earlier_check`)
  for (const damage of ["lifetime = 'x'", "earlier = '[['", "earlier = '[7]'"]) {
    await admin.query(`UPDATE ${table} SET lifetime = '', earlier = '[]' WHERE id = '${id}'`)
    await admin.query(`UPDATE ${table} SET ${damage} WHERE id = '${id}'`)
    const found = await store.read(id).catch((error: Error) => error)
    t.notOk(isRecord(found), `without the constraint it is no session: ${damage}`)
  }
})

t.test('a renewal writes to no index', async (t) => {
  const { table } = await freshStore(t)
  const pool = new pg.Pool({ connectionString: url })
  const store = new PostgresStore({ ...fromPg(pool), table })
  const id = newId()
  const now = Math.floor(Date.now() / HOUR) * HOUR
  const record = goodRecord({ expiresAt: now + 30 * DAY })
  await store.create(id, record)
  for (let count = 1; count <= 50; count++) {
    const renewal = renewing(record, record.expiresAt + count * MINUTE)
    t.equal(await (count % 2 === 0 ? store.touch(id, renewal) : store.update(id, changing({ n: String(count) }, { renewal }))), 'done')
  }
  store.close()
  // a connection that ends tells what it did
  await pool.end()
  for (let waited = 0; waited < 50; waited++) {
    const { rows: [stats] } = await admin.query(`SELECT n_tup_upd::int AS all, n_tup_hot_upd::int AS hot FROM pg_stat_user_tables WHERE relname = '${table}'`)
    if (stats.all >= 50) return t.equal(stats.hot, 50)
    await new Promise((resolve) => { setTimeout(resolve, 100) })
  }
  t.fail('the server counted too few')
})

t.test('a sweep removes what has expired, sessions, marks and lists, and nothing else', async (t) => {
  const clock = new FakeClock()
  const { store, table } = await freshStore(t, { clock })
  const now = clock.now()
  const [lives, ended] = [newId(), newId()]
  await store.create(lives, goodRecord({ expiresAt: now + DAY }))
  await store.create(ended, goodRecord())
  await store.destroy(ended)
  await Promise.all(Array.from({ length: 1100 }, () => store.create(newId(), goodRecord({ expiresAt: now + MINUTE }))))
  await store.owners.add('ada', lives, { expiresAt: now + DAY })
  await store.owners.add('bob', newId(), { expiresAt: now + MINUTE })
  const count = async (of: string) => Number((await admin.query(`SELECT count(*) FROM ${of}`)).rows[0].count)
  t.equal(await store.sweep(), false)
  t.equal(await count(table), 1102)
  clock.advance(2 * HOUR)
  t.equal(await store.sweep(), true, 'a thousand at a time')
  t.equal(await count(table), 102)
  t.equal(await store.sweep(), false)
  t.equal(await count(table), 1)
  t.same(await store.owners.list('ada'), [lives])
  t.equal(await count(`${table}_owners`), 1)
})

t.test('two processes sweep side by side, and by themselves', async (t) => {
  const clock = new FakeClock()
  const { store, table } = await freshStore(t, { clock })
  await Promise.all(Array.from({ length: 300 }, () => store.create(newId(), goodRecord({ expiresAt: clock.now() + MINUTE }))))
  clock.advance(2 * HOUR)
  const others = await Promise.all([1, 2, 3].map(() => postgresStore(t, url, { table, clock, sweepInterval: 10 })))
  for (let waited = 0; waited < 500; waited++) {
    const { rows: [{ count }] } = await admin.query(`SELECT count(*)::int FROM ${table}`)
    if (count === 0) break
    await new Promise((resolve) => { setTimeout(resolve, 10) })
  }
  t.equal((await admin.query(`SELECT count(*)::int FROM ${table}`)).rows[0].count, 0)
  for (const other of others) other.close()
})

t.test('a row that another process changes in the middle of a step is judged as it is then', async (t) => {
  const { store, table } = await freshStore(t)
  const steps: Array<[title: string, change: string, step: (id: string) => unknown, answer: unknown]> = [
    ['update, and another value', "data = '{\"a\": \"2\"}'", (id) => store.update(id, changing({ b: '1' }, { ifValue: { key: 'a', encoded: '1' } })), 'conflict'],
    ['update, and another generation', 'generation = 1', (id) => store.update(id, changing({ b: '1' }, { ifGeneration: 0 })), 'conflict'],
    ['update, and the end', 'ended_at = 1', (id) => store.update(id, changing({ b: '1' })), 'missing'],
    ['update, and no room', "data = '{\"a\": \"2222222222\"}'", (id) => store.update(id, changing({ b: '1' }, { maxSize: 5 })), 'too-large'],
    ['update, and another key', "data = data || '{\"c\": \"3\"}'", (id) => store.update(id, changing({ b: '1' })), 'done'],
    ['touch, and another lifetime', "lifetime = '1000 2000 1'", (id) => store.touch(id, renewing(goodRecord(), 8.1e15)), 'stale'],
    ['touch, and a later deadline', 'expires_at = 8200000000000000', (id) => store.touch(id, renewing(goodRecord(), 8.1e15, { tolerance: 1e14 })), 'done'],
    ['destroy, and another version', 'version = 1', (id) => store.destroy(id, { ifVersion: 0 }), 'conflict'],
    ['destroy, and the end', 'ended_at = 1', (id) => store.destroy(id), 'missing'],
    ['create, and the end', 'ended_at = 1', (id) => store.create(id, goodRecord()), true]
  ]
  for (const [title, change, step, answer] of steps) {
    const id = newId()
    await store.create(id, goodRecord({ values: { a: '1' } }))
    const client = await admin.connect()
    await client.query('BEGIN')
    await client.query(`UPDATE ${table} SET ${change} WHERE id = '${id}'`)
    const answered = Promise.resolve(step(id))
    await waitsForLock()
    await client.query('COMMIT')
    client.release()
    t.equal(await answered, answer, title)
    if (title.endsWith('another key')) t.same({ ...(await recordAt(store, id)).values }, { a: '1', b: '1', c: '3' })
    if (title.endsWith('later deadline')) t.equal((await recordAt(store, id)).expiresAt, 8.2e15)
  }
})

/** Until some connection waits for another one. */
async function waitsForLock (): Promise<void> {
  for (let waited = 0; waited < 500; waited++) {
    const { rows } = await admin.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    if (rows.length > 0) return
    await new Promise((resolve) => { setTimeout(resolve, 5) })
  }
  throw new Error('nothing waits')
}

t.test('what PostgreSQL has taken back is tried again, and nothing else is', async (t) => {
  for (const [code, isTried] of [['40001', true], ['40P01', true], ['57014', false], ['08006', false], ['ECONNRESET', false]] as const) {
    let calls = 0
    const failure = Object.assign(new Error('failed'), { code })
    const store = new PostgresStore({ query: async () => { if (++calls < 4) throw failure; return [{ answer: 'done' }] } })
    if (isTried) t.equal(await store.update(newId(), changing({ a: '1' })), 'done', code)
    else await t.rejects(store.update(newId(), changing({ a: '1' })), failure, code)
    t.equal(calls, isTried ? 4 : 1)
    calls = 0
    const wrapping = new PostgresStore({ query: async () => { if (++calls < 4) throw new Error('an ORM says', { cause: failure }); return [{ answer: 'done' }] } })
    if (isTried) t.equal(await wrapping.update(newId(), changing({ a: '1' })), 'done', `${code}, wrapped`)
  }
  const never = new PostgresStore({ query: async () => { throw Object.assign(new Error('always'), { code: '40001' }) } })
  await t.rejects(never.read(newId()), { message: 'always' }, 'not without end')
  const circular = new Error('circular')
  circular.cause = circular
  await t.rejects(new PostgresStore({ query: async () => { throw circular } }).read(newId()), circular)
  await t.rejects(new PostgresStore({ query: (async () => undefined) as never }).open(), { code: 'FST_KEEP_UNFIT_STORE', message: /answers with an array of rows/ })
})

t.test('a primary that turned read-only serves reads, and tells writers', async (t) => {
  const { store, table } = await freshStore(t)
  const id = newId()
  await store.create(id, goodRecord({ values: { a: '1' } }))
  const readOnly = new PostgresStore({ ...fromPg(connectPg(t, url, { options: '-c default_transaction_read_only=on' })), table, sweepInterval: '1d' })
  await readOnly.open()
  t.same({ ...(await recordAt(readOnly, id)).values }, { a: '1' })
  await t.rejects(readOnly.update(id, changing({ a: '2' })), { code: '25006' })
  await t.rejects(readOnly.destroy(id), { code: '25006' })
  t.same({ ...(await recordAt(store, id)).values }, { a: '1' })
  readOnly.close()
})

t.test('a statement that takes too long is taken back', async (t) => {
  const { store, table } = await freshStore(t)
  const id = newId()
  await store.create(id, goodRecord({ values: { a: '1' } }))
  const impatient = new PostgresStore({ ...fromPg(connectPg(t, url, { statement_timeout: 50 })), table, sweepInterval: '1d' })
  const client = await admin.connect()
  await client.query('BEGIN')
  await client.query(`SELECT FROM ${table} WHERE id = '${id}' FOR UPDATE`)
  await t.rejects(impatient.update(id, changing({ a: '2' })), { code: '57014' })
  await client.query('COMMIT')
  client.release()
  t.same({ ...(await recordAt(store, id)).values }, { a: '1' })
  t.equal(await store.update(id, changing({ a: '2' })), 'done')
  impatient.close()
})

t.test('text that PostgreSQL cannot hold is held, escapes of it included', async (t) => {
  const { store } = await freshStore(t)
  const id = newId()
  const texts = ['\u0000', '\u001a', '\u001a0000', '\u001a\u001a001a', '\ud800', '\udc00\ud800', '\\u0000', '\\u001a0000', '\u001ad800', 'é🔑']
  const values = Object.fromEntries(texts.map((text) => [text, JSON.stringify(text)]))
  await store.create(id, goodRecord({ values, owner: '\ud800', about: '\u001a0000' }))
  const found = await recordAt(store, id)
  t.same(Object.entries(found.values).sort(), Object.entries(values).sort())
  t.same([found.owner, found.about], ['\ud800', '\u001a0000'])
  const raw = newId()
  await store.create(raw, goodRecord({ values: { a: '\u0000\u001a0000' } }))
  t.equal((await recordAt(store, raw)).values.a, '\u0000\u001a0000')
  // one byte each, and three for half a pair
  for (const [key, size] of [['\u0000', 1], ['\u001a', 1], ['\ud800', 3], ['\u001ad800', 5], ['\u001a0000', 5]] as const) {
    const each = newId()
    await store.create(each, goodRecord())
    t.equal(await store.update(each, changing({ [key]: '12345' }, { maxSize: size + 4 })), 'too-large', JSON.stringify(key))
    t.equal(await store.update(each, changing({ [key]: '12345' }, { maxSize: size + 5 })), 'done', JSON.stringify(key))
  }
})
