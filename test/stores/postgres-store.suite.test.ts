import t from 'tap'
import { storeSuite } from '../../lib/store-suite.js'
import { PostgresStore } from '../../lib/stores/postgres/postgres-store.js'
import { FakeClock } from '../fixtures/clock.js'
import { skipFileWithout } from '../fixtures/needs.js'
import { connectPg, postgresClients, postgresStore } from '../fixtures/postgres-clients.js'
import { startPostgres } from '../fixtures/postgres.js'
import { tapTest } from '../fixtures/tap-test.js'

skipFileWithout('postgres')

t.test('a PostgresStore keeps the contract', async (t) => {
  const url = await startPostgres(t)
  await postgresStore(t, url)
  for (const [name, connect] of Object.entries(postgresClients)) {
    await t.test(`with ${name}`, async (t) => {
      const access = connect(t, url)
      const clock = new FakeClock()
      storeSuite({ ...clock, owners: true, test: tapTest(t), createStore: () => new PostgresStore({ ...access, clock, sweepInterval: '1d' }) })
    })
  }
})

t.test('a PostgresStore keeps the contract in real time, while it removes what has expired', async (t) => {
  const url = await startPostgres(t)
  const store = await postgresStore(t, url, { table: 'public.Keep_1', sweepInterval: 20 })
  storeSuite({ owners: true, test: tapTest(t), createStore: () => store, disposeStore: () => {} })
})

for (const level of ['repeatable read', 'serializable']) {
  t.test(`a PostgresStore keeps the contract where every transaction is ${level}`, async (t) => {
    const pool = connectPg(t, await startPostgres(t))
    const name = new URL(pool.options.connectionString as string).pathname.slice(1)
    await pool.query(`ALTER DATABASE ${name} SET default_transaction_isolation = '${level}'`)
    const url = pool.options.connectionString as string
    const store = await postgresStore(t, url)
    storeSuite({ owners: true, test: tapTest(t), createStore: () => store, disposeStore: () => {} })
  })
}
