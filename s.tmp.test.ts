import t from 'tap'
import { storeSuite } from './lib/store-suite.js'
import { PostgresStore } from './lib/stores/postgres/postgres-store.js'
import { FakeClock } from './test/fixtures/clock.js'
import { postgresClients, postgresStore } from './test/fixtures/postgres-clients.js'
import { tapTest } from './test/fixtures/tap-test.js'
const url = process.env.PGURL!
t.test('x', async (t) => {
  await postgresStore(t, url)
  await t.test(`with pg`, async (t) => {
      const access = postgresClients[process.env.C!](t, url)
      const clock = new FakeClock()
      storeSuite({ ...clock, owners: true, test: tapTest(t), createStore: () => new PostgresStore({ ...access, clock, sweepInterval: '1d' }) })
  })
})
