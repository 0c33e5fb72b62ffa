// The suite is only worth something if it finds the stores that break a promise.
import t from 'tap'
import { storeSuite } from '../lib/store-suite.js'
import { MemoryStore } from '../lib/stores/memory/memory-store.js'
import type { OwnerLists } from '../lib/stores/memory/owner-lists.js'
import type { SessionOwners } from '../types/owners.js'
import type { SessionStore } from '../types/store.js'
import { FakeClock } from './fixtures/clock.js'
import { endingFlaws } from './fixtures/ending-flaws.js'
import { ownerFlaws, type OwnerFlaw } from './fixtures/owner-flaws.js'
import { storeFlaws } from './fixtures/store-flaws.js'
import { updateFlaws } from './fixtures/update-flaws.js'
import type { Flaw } from './fixtures/flaw.js'

type Run = [title: string, run: () => Promise<void>]

const idle = new Set<string>()

function testsOf (createStore: (clock: FakeClock) => SessionStore): Run[] {
  const clock = new FakeClock()
  const tests: Run[] = []
  storeSuite({ ...clock, owners: true, createStore: () => createStore(clock), test: (...test) => tests.push(test) })
  return tests
}

/** The titles of the tests that fail. */
async function failuresOf (createStore: (clock: FakeClock) => SessionStore): Promise<string[]> {
  const failed: string[] = []
  for (const [title, run] of testsOf(createStore)) await run().catch(() => failed.push(title))
  return failed
}

function flawedStore (flaw: Flaw, clock: FakeClock): SessionStore {
  const store = new MemoryStore({ clock })
  const good = new Proxy(store, { get: (target, member) => (MemoryStore.prototype[member as 'read'] as Function).bind(target) })
  return Object.assign(store, flaw(good, clock))
}

function storeWithOwners (flaw: OwnerFlaw, clock: FakeClock): SessionStore {
  const store = new MemoryStore({ clock })
  const good = store.owners as OwnerLists
  const { add, renew, mark, remove, list } = good
  const bound: SessionOwners = { add: add.bind(good), renew: renew.bind(good), mark: mark.bind(good), remove: remove.bind(good), list: list.bind(good) }
  return Object.assign(store, { owners: { ...bound, ...flaw(good, clock, store) } })
}

t.test('the suite passes a store that keeps the contract', async (t) => {
  t.same(await failuresOf((clock) => new MemoryStore({ clock })), [])
  for (const [title] of testsOf((clock) => new MemoryStore({ clock }))) idle.add(title)
})

for (const [name, flaw] of Object.entries({ ...storeFlaws, ...endingFlaws, ...updateFlaws })) {
  t.test(`the suite finds a store that ${name}`, async (t) => {
    const failures = await failuresOf((clock) => flawedStore(flaw, clock))
    for (const title of failures) idle.delete(title)
    t.ok(failures.length > 0, failures.join('; '))
    t.ok(failures.length < 40, `${failures.length} tests fail`)
  })
}

for (const [name, flaw] of Object.entries(ownerFlaws)) {
  t.test(`the suite finds lists of owners where one ${name}`, async (t) => {
    const failures = await failuresOf((clock) => storeWithOwners(flaw, clock))
    for (const title of failures) idle.delete(title)
    t.ok(failures.length > 0 && failures.length < 20, failures.join('; '))
  })
}

t.test('a store that has owners and does not say so is told', async (t) => {
  const tests: Run[] = []
  storeSuite({ createStore: () => new MemoryStore(), test: (...test) => tests.push(test) })
  const [, run] = tests.find(([title]) => title.includes('owners')) as Run
  await t.rejects(run(), { message: /owners: true/ })
})

t.test('each test of the suite finds one of them', async (t) => {
  t.strictSame([...idle], [])
})

t.test('the suite finds little that is right about a store that forgets everything', async (t) => {
  const failures = await failuresOf((clock) => Object.assign(new MemoryStore({ clock }), { read: () => null }))
  t.ok(failures.length > 25, `${failures.length} tests fail`)
})
