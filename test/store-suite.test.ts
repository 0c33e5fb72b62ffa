// The suite is only worth something if it finds the stores that break a promise.
import t from 'tap'
import { storeSuite } from '../lib/store-suite.js'
import { MemoryStore } from '../lib/stores/memory/memory-store.js'
import type { SessionChanges, SessionRecord, SessionStore } from '../types/store.js'
import { FakeClock } from './fixtures/clock.js'

type Flaw = (good: MemoryStore, clock: FakeClock) => Partial<SessionStore>

const never = Number.MAX_SAFE_INTEGER

function bare (expiresAt: number): SessionRecord {
  return { values: {}, createdAt: 0, expiresAt, absoluteExpiresAt: expiresAt, version: 0, generation: 0, owner: null, lifetime: null }
}

const flaws: Record<string, Flaw> = {
  'creates over what is there': (good) => ({
    create: (id, record) => { good.destroy(id); return good.create(id, record) }
  }),
  'brings a session back by update': (good) => ({
    update: (id, changes) => { good.create(id, bare(never)); return good.update(id, changes) }
  }),
  'brings a session back by touch': (good) => ({
    touch: (id, expiresAt) => { good.create(id, bare(expiresAt)); return good.touch(id, expiresAt) }
  }),
  'ignores the version of an update': (good) => ({
    update: (id, { ifVersion, ...changes }) => good.update(id, changes)
  }),
  'ignores maxSize': (good) => ({
    update: (id, { maxSize, ...changes }) => good.update(id, changes)
  }),
  'refuses everything in a session that is too large': (good) => ({
    update: (id, changes) => {
      const before = good.read(id)
      const size = (values: Record<string, string>) => Object.entries(values).flat().join('').length
      if (before !== null && changes.maxSize !== undefined && size(before.values) > changes.maxSize) return 'too-large'
      return good.update(id, changes)
    }
  }),
  'ignores the version of a replace': (good) => ({
    replace: (oldId, newId, record) => good.replace(oldId, newId, record)
  }),
  'ignores the version of a destroy': (good) => ({ destroy: (id) => good.destroy(id) }),
  'replaces what is missing': (good) => ({
    replace: (oldId, newId, record, ifVersion) => good.replace(oldId, newId, record, ifVersion) || good.create(newId, record)
  }),
  'leaves the old id alive': (good) => ({
    replace: (oldId, newId, record) => good.read(oldId) !== null && good.create(newId, record)
  }),
  'hands out what it holds': (good) => {
    const held = new Map<string, SessionRecord>()
    return {
      create: (id, record) => { held.set(id, record); return good.create(id, record) },
      read: (id) => good.read(id) && (held.get(id) ?? null)
    }
  },
  'never expires': () => {
    const patient = new MemoryStore({ clock: { now: () => 0 } })
    return Object.fromEntries(['read', 'create', 'update', 'touch', 'replace', 'destroy'].map((name) => [name, (patient[name as 'read'] as Function).bind(patient)]))
  },
  'forgets the owner': (good) => ({ create: (id, record) => good.create(id, { ...record, owner: null }) }),
  'ignores clear': (good) => ({ update: (id, changes) => good.update(id, { ...changes, clear: false }) }),
  'drops __proto__': (good) => ({
    update: (id, changes) => good.update(id, { ...changes, set: Object.assign({}, changes.set) })
  }),
  'stores UTF-8 only': (good) => ({
    update: (id, changes) => good.update(id, { ...changes, set: Object.fromEntries(Object.entries(changes.set).map(([key, value]) => [Buffer.from(key).toString(), value])) })
  }),
  'throws when there is nothing to destroy': (good) => ({
    destroy: (id, ifVersion) => {
      if (good.read(id) === null) throw new Error('not found')
      return good.destroy(id, ifVersion)
    }
  }),
  'reads, then writes the whole': (good) => ({
    update: async (id: string, { ifVersion, ...changes }: SessionChanges) => {
      const before = good.read(id)
      if (before === null) return 'missing' as const
      if (ifVersion !== undefined && ifVersion !== before.version) return 'conflict' as const
      await null
      return good.update(id, { ...changes, clear: true, set: { ...(changes.clear ? {} : before.values), ...changes.set } })
    }
  })
}

/** The titles of the tests that fail. */
async function failuresOf (createStore: (clock: FakeClock) => SessionStore): Promise<string[]> {
  const clock = new FakeClock()
  const tests: Array<[title: string, run: () => Promise<void>]> = []
  storeSuite({ ...clock, createStore: () => createStore(clock), test: (...test) => tests.push(test) })
  const failed: string[] = []
  for (const [title, run] of tests) await run().catch(() => failed.push(title))
  return failed
}

t.test('the suite passes a store that keeps the contract', async (t) => {
  t.same(await failuresOf((clock) => new MemoryStore({ clock })), [])
})

for (const [name, flaw] of Object.entries(flaws)) {
  t.test(`the suite finds a store that ${name}`, async (t) => {
    const failures = await failuresOf((clock) => {
      const good = new MemoryStore({ clock })
      return Object.assign(good, flaw(new Proxy(good, { get: (target, member) => (MemoryStore.prototype[member as 'read'] as Function).bind(target) }), clock))
    })
    t.ok(failures.length > 0, failures.join('; '))
    t.ok(failures.length < 30, `${failures.length} tests fail`)
  })
}

t.test('the suite finds little that is right about a store that forgets everything', async (t) => {
  const failures = await failuresOf((clock) => Object.assign(new MemoryStore({ clock }), { read: () => null }))
  t.ok(failures.length > 25, `${failures.length} tests fail`)
})
