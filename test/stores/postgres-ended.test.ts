// A session that ends in one process fires the signal in another, by LISTEN and NOTIFY.
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { fromPg, PostgresStore, type PgClient, type PostgresAccess } from '../../lib/stores/postgres/postgres-store.js'
import { changing, newId, renewing } from '../../lib/store-suite/context.js'
import type { EndReason } from '../../types/store.js'
import { goodRecord } from '../fixtures/good-record.js'
import { skipFileWithout } from '../fixtures/needs.js'
import { connectPg, postgresClients, postgresStore } from '../fixtures/postgres-clients.js'
import { startPostgres, startPostgresServer } from '../fixtures/postgres.js'

skipFileWithout('postgres')

const DEADLINE = 10_000
const LISTENING = "SELECT pid FROM pg_stat_activity WHERE query ILIKE 'listen %' AND pid <> pg_backend_pid()"

interface Heard { readonly told: Array<[id: string, reason: EndReason | null]>, readonly stop: AbortController }

async function listen (t: Test, store: PostgresStore): Promise<Heard> {
  const heard: Heard = { told: [], stop: new AbortController() }
  t.teardown(() => heard.stop.abort())
  await store.onEnded?.((id, reason) => { heard.told.push([id, reason]) }, heard.stop.signal)
  return heard
}

async function until (isSo: () => unknown): Promise<boolean> {
  for (const end = Date.now() + DEADLINE; Date.now() < end; await delay(10)) if (await isSo()) return true
  return false
}

async function hears ({ told }: Heard, id: string): Promise<EndReason | null | undefined> {
  await until(() => told.some(([each]) => each === id))
  return told.find(([each]) => each === id)?.[1]
}

async function begin (store: PostgresStore): Promise<string> {
  const id = newId()
  await store.create(id, goodRecord())
  return id
}

const both = Object.entries(postgresClients).filter(([name]) => name === 'pg' || name === 'postgres')
const over = (access: PostgresAccess, table?: string) => new PostgresStore({ ...access, sweepInterval: '1d', ...(table !== undefined && { table }) })

for (const [name, connect] of both) {
  t.test(`with ${name}, one process hears of what another ended, and of nothing else`, async (t) => {
    const url = await startPostgres(t)
    const teller = await postgresStore(t, url)
    const other = await postgresStore(t, url, { table: 'others' })
    const heard = await listen(t, over(connect(t, url)))
    for (const reason of ['logout', 'revoked', 'limit', 'replaced'] as const) {
      const id = await begin(teller)
      await teller.destroy(id, { reason })
      t.equal(await hears(heard, id), reason)
    }
    const [lives, elsewhere, last] = [await begin(teller), await begin(other), await begin(teller)]
    await teller.update(lives, changing({ a: '1' }))
    await teller.touch(lives, renewing(goodRecord(), 8.1e15))
    await teller.destroy(lives, { ifGeneration: 7, reason: 'logout' })
    await other.destroy(elsewhere, { reason: 'logout' })
    const admin = connectPg(t, url)
    for (const strange of ['', ' ', 'x logout', '*'.repeat(24), `${newId()}${newId()} logout`]) await admin.query('SELECT pg_notify($1, $2)', ['fastify_sessions_ended', strange])
    await teller.destroy(last)
    t.equal(await hears(heard, last), null, 'no reason was given')
    t.equal(heard.told.length, 5)

    heard.stop.abort()
    await teller.destroy(await begin(teller))
    await delay(50)
    t.equal(heard.told.length, 5, 'nothing after the stop')
    t.ok(await until(async () => (await admin.query(LISTENING)).rows.length === 0), 'and nothing listens any more')
  })

  t.test(`with ${name}, it hears again after its connection was cut, and after the server was away`, async (t) => {
    const server = await startPostgresServer(t)
    const teller = await postgresStore(t, server.url)
    const heard = await listen(t, over(connect(t, server.url)))
    const admin = connectPg(t, server.url)
    admin.on('error', () => {})
    const listeners = async () => (await admin.query(LISTENING)).rows.map(({ pid }) => pid)
    const [before] = await listeners()
    await admin.query('SELECT pg_terminate_backend($1)', [before])
    t.ok(await until(async () => { const [now] = await listeners(); return now !== undefined && now !== before }), 'it listens again')
    const first = await begin(teller)
    await teller.destroy(first, { reason: 'logout' })
    t.equal(await hears(heard, first), 'logout')

    await server.stop()
    await delay(200)
    await server.start()
    t.ok(await until(async () => (await listeners()).length > 0), 'and again')
    const second = await begin(teller)
    await teller.destroy(second, { reason: 'revoked' })
    t.equal(await hears(heard, second), 'revoked')
  })

  t.test(`with ${name}, a listener that is stopped before it listens lets go`, async (t) => {
    const url = await startPostgres(t)
    await postgresStore(t, url)
    const stop = new AbortController()
    const listening = over(connect(t, url)).onEnded?.(() => {}, stop.signal)
    stop.abort()
    await listening
    const admin = connectPg(t, url)
    t.ok(await until(async () => (await admin.query(LISTENING)).rows.length === 0))
  })
}

t.test('a store that cannot listen says so by having no onEnded', async (t) => {
  t.equal(new PostgresStore({ query: async () => [] }).onEnded, undefined)
})

/** A pool whose connections cannot listen, as on a standby, and the connections it has lent. */
function deafPool (): { pool: Parameters<typeof fromPg>[0], isReleased: boolean[], lose: () => void } {
  const isReleased: boolean[] = []
  const losses: Array<() => void> = []
  const connect = async (): Promise<PgClient> => {
    const index = isReleased.push(false) - 1
    return {
      query: async () => { if (index !== 0) throw new Error('cannot listen') },
      on: (event, listener) => { if (event === 'error') losses.push(listener) },
      release: (isEnded) => { isReleased[index] = isEnded }
    }
  }
  return { pool: { query: async () => ({ rows: [] }), connect, on: () => {} }, isReleased, lose: () => { for (const each of losses) each() } }
}

t.test('with pg, a connection that cannot listen is given back, and tried for again', async (t) => {
  const { pool, isReleased, lose } = deafPool()
  const stop = new AbortController()
  t.teardown(() => stop.abort())
  await over(fromPg(pool)).onEnded!(() => {}, stop.signal)
  t.same(isReleased, [false])
  await t.rejects(over(fromPg(pool)).onEnded!(() => {}, stop.signal), { message: 'cannot listen' })
  t.same(isReleased, [false, true])
  lose()
  t.ok(await until(() => isReleased.length >= 4), 'it tries again')
  t.ok(isReleased.every((each) => each))
})
