import t from 'tap'
import { storeSuite } from '../../lib/store-suite.js'
import { fromExpressStore } from '../../lib/stores/express/express-store.js'
import { runningClock } from '../fixtures/clock.js'
import { expressStores } from '../fixtures/express-stores.js'
import { needs } from '../fixtures/needs.js'
import { tapTest } from '../fixtures/tap-test.js'

for (const [name, { program, make }] of Object.entries(expressStores)) {
  t.test(`within one process ${name} keeps the contract`, async (t) => {
    if (program !== undefined && needs(t, program) === null) return
    const clock = runningClock()
    const store = await make(t)
    storeSuite({
      ...clock,
      test: tapTest(t),
      createStore: () => fromExpressStore(store, { clock }),
      damage: damages.map((row) => async function damage (_store, id) {
        await new Promise<void>((resolve, reject) => { store.set(id, row(), (error) => error ? reject(error) : resolve()) })
      })
    })
  })
}

const cookie = () => ({ expires: new Date(Date.now() + 3_600_000), originalMaxAge: 3_600_000, maxAge: 3_600_000 })

/** What may stand where a record stood. */
const damages: Array<() => object> = [
  () => ({ cookie: cookie(), 'fastify-keep': 'no JSON' }),
  () => ({ cookie: cookie(), 'fastify-keep': 'null' }),
  () => ({ cookie: cookie(), 'fastify-keep': '{"values":{}}' }),
  () => ({ cookie: cookie(), 'fastify-keep': '{"values":{},"expiresAt":"soon"}' })
]
