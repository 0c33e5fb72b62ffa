import t from 'tap'
import { storeSuite } from '../../lib/store-suite.js'
import { MemoryStore } from '../../lib/stores/memory/memory-store.js'
import { slowStore } from '../fixtures/stores.js'
import { tapTest } from '../fixtures/tap-test.js'
import { FakeClock } from '../fixtures/clock.js'

t.test('a MemoryStore keeps the contract', async (t) => {
  const clock = new FakeClock()
  storeSuite({ ...clock, owners: true, test: tapTest(t), createStore: () => new MemoryStore({ clock }) })
})

t.test('a MemoryStore behind a slow line keeps the contract', async (t) => {
  const clock = new FakeClock()
  storeSuite({ ...clock, owners: true, test: tapTest(t), createStore: () => slowStore(clock) })
})

t.test('a MemoryStore keeps the contract in real time', async (t) => {
  storeSuite({ owners: true, test: tapTest(t), createStore: () => new MemoryStore() })
})
