import t from 'tap'
import { storeSuite } from '../../lib/store-suite.js'
import { PostgresStore } from '../../lib/stores/postgres/postgres-store.js'
import { FakeClock } from '../fixtures/clock.js'
import { skipFileWithout } from '../fixtures/needs.js'
import { connectPg, postgresClients, postgresStore } from '../fixtures/postgres-clients.js'
import { startPostgres } from '../fixtures/postgres.js'
import { tapTest } from '../fixtures/tap-test.js'

skipFileWithout('postgres')

for (const [name, connect] of Object.entries(postgresClients).filter(([name]) => ['pg', 'postgres'].includes(name))) {
  t.test(`a PostgresStore keeps the contract with ${name}`, async (t) => {
    const url = await startPostgres(t)
    await postgresStore(t, url)
    const access = connect(t, url)
    const clock = new FakeClock()
    storeSuite({ ...clock, owners: true, test: tapTest(t), createStore: () => new PostgresStore({ ...access, clock, sweepInterval: '1d' }) })
  })
}

t.test('a PostgresStore keeps the contract where every transaction is serializable, while it removes what has expired', async (t) => {
  const url = await startPostgres(t)
  await connectPg(t, url).query(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_isolation = 'serializable'`)
  const store = await postgresStore(t, url, { table: 'public.Keep_1', sweepInterval: 20 })
  storeSuite({ owners: true, test: tapTest(t), createStore: () => store, disposeStore: () => {} })
})
