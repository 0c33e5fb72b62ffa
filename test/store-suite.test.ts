// The suite is only worth something if it finds the stores that break a promise.
import t from 'tap'
import { storeSuite } from '../lib/store-suite.js'
import { MemoryStore } from '../lib/stores/memory/memory-store.js'
import type { EndedSession, SessionChanges, SessionRecord, SessionStore } from '../types/store.js'
import { FakeClock } from './fixtures/clock.js'

type Flaw = (good: MemoryStore, clock: FakeClock) => Partial<SessionStore>

const never = Number.MAX_SAFE_INTEGER

function bare (expiresAt: number): SessionRecord {
  return { values: {}, createdAt: 0, expiresAt, absoluteExpiresAt: expiresAt, version: 0, owner: null, lifetime: null, verifier: '', earlier: [], generation: 0, shown: true }
}

function without<K extends keyof SessionChanges> (changes: SessionChanges, ...names: K[]): SessionChanges {
  return Object.fromEntries(Object.entries(changes).filter(([name]) => !names.includes(name as K))) as unknown as SessionChanges
}

/** A store that does not look at these parts of an update. */
const ignoring = (...names: Array<keyof SessionChanges>): Flaw => (good) => ({ update: (id, changes) => good.update(id, without(changes, ...names)) })

const flaws: Record<string, Flaw> = {
  'creates over what is there': (good) => ({
    create: (id, record) => { good.destroy(id); return good.create(id, record) }
  }),
  'brings a session back by update': (good) => ({
    update: (id, changes) => { good.create(id, bare(never)); return good.update(id, changes) }
  }),
  'brings a session back by touch': (good) => ({
    touch: (id, renewal) => { good.create(id, bare(renewal.renewTo)); return good.touch(id, renewal) }
  }),
  'ignores the generation of an update': ignoring('ifGeneration'),
  'ignores the verifier of an update': ignoring('ifVerifier'),
  'ignores the lifetime that an update asks for': ignoring('ifLifetime'),
  'ignores the lifetime of an update': ignoring('ifLifetime'),
  'takes no lifetime for any': (good) => ({ update: (id, changes) => good.update(id, changes.ifLifetime === null ? without(changes, 'ifLifetime') : changes) }),
  'ignores the value of an update': ignoring('ifValue'),
  'ignores maxSize': ignoring('maxSize'),
  'ignores the renewal of an update': ignoring('renewal'),
  'ignores a new verifier': ignoring('verifier'),
  'ignores the earlier verifiers': ignoring('earlier'),
  'ignores a new generation': ignoring('generation'),
  'ignores that a token was shown': ignoring('shown'),
  'ignores a new createdAt': ignoring('createdAt'),
  'ignores a new lifetime': ignoring('lifetime'),
  'ignores a new deadline': ignoring('expiresAt'),
  'ignores a new absolute deadline': ignoring('absoluteExpiresAt'),
  'ignores clear': (good) => ({ update: (id, changes) => good.update(id, { ...changes, clear: false }) }),
  'takes an absent value for any': (good) => ({
    update: (id, changes) => good.update(id, changes.ifValue?.encoded === null ? without(changes, 'ifValue') : changes)
  }),
  'refuses everything in a session that is too large': (good) => ({
    update: (id, changes) => {
      const before = good.read(id)
      const size = (values: Record<string, string>) => Object.entries(values).flat().join('').length
      if (before !== null && 'values' in before && changes.maxSize !== undefined && size(before.values) > changes.maxSize) return 'too-large'
      return good.update(id, changes)
    }
  }),
  'applies a repeated rotation twice': (good) => ({
    update: (id, changes) => {
      const before = good.read(id)
      const isRepeated = before !== null && 'verifier' in before && before.verifier === changes.verifier
      return good.update(id, isRepeated ? without(changes, 'verifier', 'ifVerifier') : changes)
    }
  }),
  'lets a stale renewal fail the update': (good) => ({
    update: (id, changes) => {
      const before = good.read(id)
      const isStale = changes.renewal !== undefined && before !== null && 'values' in before && before.absoluteExpiresAt !== changes.renewal.ifAbsoluteExpiresAt
      return isStale ? 'conflict' : good.update(id, changes)
    }
  }),
  'renews whatever the lifetime is': (good) => ({
    touch: (id, renewal) => {
      const found = good.read(id)
      return good.touch(id, found !== null && 'values' in found ? { ...renewal, ifLifetime: found.lifetime } : renewal)
    }
  }),
  'renews whatever the absolute deadline is': (good) => ({
    touch: (id, renewal) => {
      const found = good.read(id)
      return good.touch(id, found !== null && 'values' in found ? { ...renewal, ifAbsoluteExpiresAt: found.absoluteExpiresAt } : renewal)
    }
  }),
  'moves a deadline back': (good) => ({ touch: (id, renewal) => good.touch(id, { ...renewal, atMost: renewal.renewTo, tolerance: 0 }) }),
  'never moves a deadline back': (good) => ({ touch: (id, renewal) => good.touch(id, { ...renewal, tolerance: never }) }),
  'renews within an update whatever the lifetime is': (good) => ({
    update: (id, changes) => {
      const found = good.read(id)
      return good.update(id, changes.renewal !== undefined && found !== null && 'values' in found ? { ...changes, renewal: { ...changes.renewal, ifLifetime: found.lifetime } } : changes)
    }
  }),
  'moves a deadline back within an update': (good) => ({
    update: (id, changes) => good.update(id, changes.renewal === undefined ? changes : { ...changes, renewal: { ...changes.renewal, atMost: changes.renewal.renewTo, tolerance: 0 } })
  }),
  'never moves a deadline back within an update': (good) => ({
    update: (id, changes) => good.update(id, changes.renewal === undefined ? changes : { ...changes, renewal: { ...changes.renewal, tolerance: never } })
  }),
  'counts a renewal as an update': (good) => ({
    touch: (id, renewal) => {
      const answer = good.touch(id, renewal)
      if (answer === 'done') good.update(id, { clear: false, set: {}, remove: [] })
      return answer
    }
  }),
  'counts characters for bytes': (good) => ({
    update: (id, changes) => {
      const found = good.read(id)
      if (changes.maxSize === undefined || found === null || !('values' in found)) return good.update(id, changes)
      const after = Object.entries({ ...(changes.clear ? {} : found.values), ...changes.set }).filter(([key]) => !changes.remove.includes(key)).flat().join('')
      return after.length > changes.maxSize ? good.update(id, changes) : good.update(id, without(changes, 'maxSize'))
    }
  }),
  'keeps few earlier verifiers': (good) => ({ create: (id, record) => good.create(id, { ...record, earlier: record.earlier.slice(0, 4) }) }),
  'drops the mark at a second destroy': (good) => {
    const dropped = new Set<string>()
    return {
      read: (id) => dropped.has(id) ? null : good.read(id),
      destroy: (id, condition) => {
        const answer = good.destroy(id, condition)
        if (answer === 'missing') dropped.add(id)
        return answer
      }
    }
  },
  'leaves no mark': (good) => ({
    read: (id) => {
      const found = good.read(id)
      return found !== null && 'endedAt' in found ? null : found
    }
  }),
  'leaves its marks for good': (good) => {
    const marks = new Map<string, EndedSession>()
    return {
      read: (id) => good.read(id) ?? marks.get(id) ?? null,
      destroy: (id, condition) => {
        const answer = good.destroy(id, condition)
        if (answer === 'done') marks.set(id, good.read(id) as EndedSession)
        return answer
      }
    }
  },
  'lets a mark take an id': (good) => ({ create: (id, record) => good.read(id) === null && good.create(id, record) }),
  'says done where it ended nothing': (good) => ({
    destroy: (id, condition) => {
      const answer = good.destroy(id, condition)
      return answer === 'missing' ? 'done' : answer
    }
  }),
  'ignores the version of a destroy': (good) => ({ destroy: (id, { ifVersion, ...condition } = {}) => good.destroy(id, condition) }),
  'ignores the generation of a destroy': (good) => ({ destroy: (id, { ifGeneration, ...condition } = {}) => good.destroy(id, condition) }),
  'hands out what it holds': (good) => {
    const held = new Map<string, SessionRecord>()
    return {
      create: (id, record) => { held.set(id, record); return good.create(id, record) },
      read: (id) => good.read(id) && (held.get(id) ?? null)
    }
  },
  'never expires': () => {
    const patient = new MemoryStore({ clock: { now: () => 0 } })
    return Object.fromEntries(['read', 'create', 'update', 'touch', 'destroy'].map((name) => [name, (patient[name as 'read'] as Function).bind(patient)]))
  },
  'forgets the owner': (good) => ({ create: (id, record) => good.create(id, { ...record, owner: null }) }),
  'drops __proto__': (good) => ({
    update: (id, changes) => good.update(id, { ...changes, set: Object.assign({}, changes.set) })
  }),
  'stores UTF-8 only': (good) => ({
    update: (id, changes) => good.update(id, { ...changes, set: Object.fromEntries(Object.entries(changes.set).map(([key, value]) => [Buffer.from(key).toString(), value])) })
  }),
  'throws when there is nothing to destroy': (good) => ({
    destroy: (id, condition) => {
      if (good.read(id) === null) throw new Error('not found')
      return good.destroy(id, condition)
    }
  }),
  'reads, then writes the whole': (good) => ({
    update: async (id: string, changes: SessionChanges) => {
      const before = good.read(id)
      if (before === null || 'endedAt' in before) return 'missing' as const
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
    t.ok(failures.length < 40, `${failures.length} tests fail`)
  })
}

t.test('the suite finds little that is right about a store that forgets everything', async (t) => {
  const failures = await failuresOf((clock) => Object.assign(new MemoryStore({ clock }), { read: () => null }))
  t.ok(failures.length > 25, `${failures.length} tests fail`)
})
