import t from 'tap'
import { storeSuite } from '../../lib/store-suite.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { delayedStore } from '../fixtures/delayed-store.js'
import { tapTest } from '../fixtures/tap-test.js'
import { TestClock } from '../fixtures/test-clock.js'

t.test('a MemoryStore keeps the contract', async (t) => {
  const clock = new TestClock()
  storeSuite({ ...clock, test: tapTest(t), createStore: () => new MemoryStore({ clock }) })
})

t.test('a MemoryStore behind a slow line keeps the contract', async (t) => {
  const clock = new TestClock()
  storeSuite({ ...clock, test: tapTest(t), createStore: () => delayedStore(new MemoryStore({ clock })) })
})
