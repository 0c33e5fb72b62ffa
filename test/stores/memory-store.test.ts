// The default store: exact, bounded, and quiet while it sweeps.
import { performance } from 'node:perf_hooks'
import fc from 'fast-check'
import t from 'tap'
import { MemoryStore, type SessionChanges, type SessionRecord, type TouchResult } from '../../index.js'
import { EndedMarks, MAX_MARKS } from '../../lib/stores/memory/ended-marks.js'
import { ExpiryQueue, type Expiring } from '../../lib/stores/memory/expiry-queue.js'
import { FakeClock, HOUR, MINUTE, SECOND } from '../fixtures/clock.js'
import { goodRecord } from '../fixtures/good-record.js'
import { runApp } from '../fixtures/process.js'

const clock = new FakeClock()

function record (expiresIn = HOUR, values: Record<string, string> = { a: '1' }, generation = 0): SessionRecord {
  const now = clock.now()
  return goodRecord({ values, createdAt: now, expiresAt: now + expiresIn, absoluteExpiresAt: now + 24 * HOUR, generation })
}

/** A renewal to exactly this deadline. */
function touch (store: MemoryStore, id: string, expiresAt: number): TouchResult {
  const { absoluteExpiresAt = 0 } = recordIn(store, id) ?? {}
  return store.touch(id, { renewTo: expiresAt, atMost: expiresAt, tolerance: 0, ifLifetime: null, ifAbsoluteExpiresAt: absoluteExpiresAt })
}

/** The record; `null` also for the mark of an ended session. */
function recordIn (store: MemoryStore, id: string): SessionRecord | null {
  const found = store.read(id)
  return found !== null && 'values' in found ? found : null
}

function newStore (options = {}): MemoryStore {
  return new MemoryStore({ clock, ...options })
}

t.test('a record lives until its deadline and not a millisecond longer', (t) => {
  const store = newStore()
  store.create('a', record(SECOND))
  clock.advance(SECOND - 1)
  t.ok(store.read('a'))
  t.equal(touch(store, 'a', clock.now() + 1), 'done')
  clock.advance(1)
  t.equal(store.read('a'), null)
  t.equal(touch(store, 'a', clock.now() + HOUR), 'missing')
  t.equal(store.update('a', { clear: false, set: {}, remove: [] }), 'missing')
  t.equal(store.destroy('a'), 'missing')
  t.equal(store.read('a'), null, 'what expired leaves no mark')
  t.equal(store.create('a', record()), true, 'and its id is free again')
  t.end()
})

t.test('a renewal for another lifetime or absolute deadline is stale and changes nothing', (t) => {
  const store = newStore()
  store.create('a', record())
  const { expiresAt, absoluteExpiresAt } = recordIn(store, 'a') as SessionRecord
  const renewal = { renewTo: expiresAt + 1, atMost: expiresAt + 1, tolerance: 0, ifLifetime: null, ifAbsoluteExpiresAt: absoluteExpiresAt }
  t.equal(store.touch('a', { ...renewal, ifAbsoluteExpiresAt: absoluteExpiresAt + 1 }), 'stale')
  t.equal(store.touch('a', { ...renewal, ifLifetime: { idle: 1, absolute: 1, persistent: false } }), 'stale')
  t.equal(recordIn(store, 'a')?.expiresAt, expiresAt)
  t.equal(store.touch('a', renewal), 'done')
  t.equal(recordIn(store, 'a')?.expiresAt, expiresAt + 1)
  store.close()
  t.end()
})

t.test('an id that is taken stays with the one who has it', (t) => {
  const store = newStore()
  t.equal(store.create('a', record(HOUR, { a: 'first' })), true)
  t.equal(store.create('a', record(HOUR, { a: 'second' })), false)
  t.same(recordIn(store, 'a')?.values, { a: 'first' })
  t.end()
})

t.test('the end of a session leaves a mark for a minute, outside of size, bytes and limits', (t) => {
  const store = newStore({ maxSessions: 1 })
  store.create('a', record())
  const endedAt = clock.now()
  t.equal(store.destroy('a', { ifGeneration: 1 }), 'conflict')
  t.equal(store.destroy('a', { ifVersion: 1 }), 'conflict')
  t.equal(store.destroy('a', { ifGeneration: 0, ifVersion: 0 }), 'done')
  t.same([store.read('a'), store.size, store.bytes], [{ endedAt }, 0, 0])
  t.throws(() => { (store.read('a') as { endedAt: number }).endedAt = 9 }, TypeError)
  t.same([store.destroy('a'), touch(store, 'a', clock.now() + HOUR), store.update('a', { clear: false, set: { a: '1' }, remove: [] })], ['missing', 'missing', 'missing'])
  store.create('b', record())
  clock.advance(MINUTE - 1)
  t.same([store.read('a'), store.evicted], [{ endedAt }, 0])
  clock.advance(1)
  t.equal(store.read('a'), null)
  store.destroy('b')
  t.equal(store.create('b', record()), true, 'a mark does not take an id')
  t.same(recordIn(store, 'b')?.values, { a: '1' })
  store.destroy('b')
  t.same(store.read('b'), { endedAt: clock.now() })
  store.close()
  t.end()
})

t.test('a flood of logouts leaves no more marks than are remembered, and the oldest go first', (t) => {
  const marks = new EndedMarks()
  for (let n = 0; n < MAX_MARKS; n++) marks.set(`id${n}`, 0)
  marks.set('id0', 1)
  marks.set('one more', 1)
  t.same([marks.get('id0', 1), marks.get('id1', 1), marks.get('id2', 1)], [{ endedAt: 1 }, null, { endedAt: 0 }])
  marks.set('much later', MINUTE + 1)
  t.equal(marks.size, 1, 'what is a minute old goes with the next')
  t.end()
})

t.test('what goes in and what comes out is out of reach', (t) => {
  const store = newStore()
  const mine = { ...record(), values: { a: '1' } }
  store.create('a', mine)
  mine.values.a = 'changed'
  const out = store.read('a') as { values: Record<string, string>, version: number }
  t.throws(() => { out.values['a'] = 'changed' }, TypeError)
  t.throws(() => { out.version = 9 }, TypeError)
  t.same(recordIn(store, 'a')?.values, { a: '1' })
  const lifetime = { idle: 1, absolute: 1, persistent: true }
  store.update('a', { clear: false, set: { b: '2' }, remove: [], lifetime })
  lifetime.idle = 9
  t.equal(recordIn(store, 'a')?.lifetime?.idle, 1)
  t.throws(() => { (store.read('a') as { lifetime: { idle: number } }).lifetime.idle = 9 }, TypeError)
  t.throws(() => { (store.read('a') as { values: Record<string, string> }).values['b'] = '9' }, TypeError)
  const whole = { ...record(), lifetime: { idle: 1, absolute: 1, persistent: true } }
  store.create('b', whole)
  whole.lifetime.idle = 9
  t.equal(recordIn(store, 'b')?.lifetime?.idle, 1)
  t.end()
})

t.test('a sweep removes what has expired and nothing else', (t) => {
  const store = newStore()
  for (let i = 0; i < 1000; i++) store.create(`id${i}`, record(i % 2 ? SECOND : HOUR))
  clock.advance(SECOND)
  while (store.sweep() > 0);
  t.same([store.size, store.expired], [500, 500])
  t.ok(store.read('id0'))
  t.equal(store.read('id1'), null)
  store.close()
  t.end()
})

t.test('a sweep goes on by itself in slices until nothing expired is left', async (t) => {
  const store = newStore({ sweepInterval: 1 })
  for (let i = 0; i < 100_000; i++) store.create(`id${i}`, record(SECOND))
  clock.advance(SECOND)
  const first = store.sweep()
  t.ok(first > 0 && first < 100_000, `the first slice took ${first}`)
  while (store.size > 0) await new Promise(setImmediate)
  t.equal(store.bytes, 0)
})

t.test('a million sessions of 300 bytes fit in the memory that Node.js takes by default, and their expiry never holds the event loop for long', async (t) => {
  const store = newStore()
  const values = { user: JSON.stringify({ id: 42, name: 'x'.repeat(100) }), cart: JSON.stringify(['y'.repeat(130)]) }
  for (let i = 0; i < 100_000; i++) store.create(String(i).padStart(24, 'x'), record(SECOND, values))
  t.same([store.size, store.evicted], [100_000, 0])
  t.ok(10 * store.bytes < 4096 * 1024 * 1024 / 3, `they take ${10 * store.bytes} bytes`)
  clock.advance(SECOND)
  let slices = 0
  let long = 0
  while (store.size > 0) {
    const start = performance.now()
    store.sweep()
    const held = performance.now() - start
    slices++
    // the machine itself, and its garbage collector, stop everybody now and then; a sweep that ignored its budget would do so each time
    if (held > 10) long++
    await new Promise(setImmediate)
  }
  t.ok(long < slices / 2, `${long} of ${slices} slices took more than 10 ms`)
})

t.test('beyond maxSessions those that expire soonest go, and never the newcomer', (t) => {
  const store = newStore({ maxSessions: 3 })
  for (const [id, hours] of [['a', 3], ['b', 1], ['c', 2]] as const) store.create(id, record(hours * HOUR))
  touch(store, 'b', clock.now() + 5 * HOUR)
  store.create('d', record(HOUR / 2))
  t.same(['a', 'b', 'c', 'd'].map((id) => recordIn(store, id) !== null), [true, true, false, true])
  t.same([store.size, store.evicted], [3, 1])
  t.end()
})

t.test('what has expired goes first and does not count as evicted', (t) => {
  const store = newStore({ maxSessions: 2 })
  store.create('a', record(SECOND))
  store.create('b', record(HOUR))
  clock.advance(SECOND)
  store.create('c', record(HOUR))
  t.same([store.size, store.expired, store.evicted], [2, 1, 0])
  t.end()
})

t.test('beyond maxBytes those that expire soonest go, also when a session grows', (t) => {
  const store = newStore({ maxBytes: 10_900 })
  for (const [id, hours] of [['a', 3], ['b', 1], ['c', 2]] as const) store.create(id, record(hours * HOUR, { k: 'x'.repeat(1000) }))
  const before = store.bytes
  t.equal(store.update('b', { clear: false, set: { big: 'x'.repeat(7000) }, remove: [] }), 'done')
  t.same(['a', 'b', 'c'].map((id) => store.read(id) !== null), [true, true, false])
  t.ok(store.bytes <= 10_900 && store.bytes > before)
  store.destroy('a')
  store.destroy('b')
  t.equal(store.bytes, 0)
  store.create('giant', record(HOUR, { k: 'x'.repeat(20_000) }))
  t.equal(store.size, 1, 'a single session larger than everything is kept: it was confirmed')
  t.end()
})

t.test('it says once that visitors go, and once that users have to', async (t) => {
  const { stderr } = await runApp(`
    const store = new keep.MemoryStore({ maxSessions: 1 })
    const add = (id, generation) => store.create(id, { values: {}, createdAt: 0, expiresAt: 9e15, absoluteExpiresAt: 9e15, version: 0, generation, owner: null, about: null, lifetime: null, verifier: 'v', earlier: [], shown: true })
    for (const id of ['a', 'b', 'c']) add(id, 0)
    for (const id of ['d', 'e', 'f']) add(id, 1)
  `)
  t.equal(stderr.match(/FST_KEEP_EVICTED\]/g)?.length, 1)
  t.equal(stderr.match(/FST_KEEP_EVICTED_USERS\]/g)?.length, 1)
})

t.test('what has expired goes first, then visitors, then users, and never the one being written', (t) => {
  const store = newStore({ maxSessions: 4 })
  store.create('expired user', record(SECOND, {}, 1))
  store.create('user', record(HOUR, {}, 1))
  store.create('stepped up', record(HOUR / 2, {}, 2))
  store.create('visitor', record(2 * HOUR))
  clock.advance(SECOND)
  store.create('b', record(3 * HOUR))
  t.same([store.expired, store.evicted], [1, 0])
  for (let i = 0; i < 100; i++) store.create(`flood${i}`, record(3 * HOUR))
  t.same(['user', 'stepped up', 'visitor', 'b', 'flood99'].map((id) => store.read(id) !== null), [true, true, false, false, true])
  store.create('logged in', record(HOUR, {}, 1))
  store.destroy('flood99')
  store.create('one more', record(HOUR))
  store.create('and more', record(HOUR))
  t.same(['user', 'stepped up', 'logged in', 'and more'].map((id) => store.read(id) !== null), [true, true, true, true])
  store.create('c', record(HOUR, {}, 1))
  store.create('d', record(HOUR, {}, 1))
  t.equal(store.read('stepped up'), null, 'no visitor is left, so the user that expires soonest goes')
  t.equal(recordIn(store, 'd')?.generation, 1)
  store.close()
  t.end()
})

t.test('bytes counts a session as before when it has changed there and back', (t) => {
  const store = newStore()
  const values = { a: 'x'.repeat(100), ['€'.repeat(20)]: '€'.repeat(100), ['__proto__']: '1' }
  store.create('a', record(HOUR, values))
  const before = store.bytes
  const change = (more: Partial<SessionChanges>) => store.update('a', { clear: false, set: {}, remove: [], ...more })
  change({ set: { b: '2', a: 'é'.repeat(500), 1000: '1' }, lifetime: { idle: 1, absolute: 1, persistent: true } })
  t.ok(store.bytes > before)
  change({ verifier: 'w'.repeat(43), earlier: [{ verifier: 'v'.repeat(43), until: 1, opens: true }] })
  change({ set: { b: '3', a: 'x'.repeat(100) }, remove: ['b', '1000', 'never there'], lifetime: null, earlier: [] })
  t.equal(store.bytes, before)
  change({ set: values, clear: true })
  t.equal(store.bytes, before)
  t.same(Object.entries(recordIn(store, 'a')?.values ?? {}), Object.entries(values))
  store.destroy('a')
  t.equal(store.bytes, 0)
  t.end()
})

t.test('it never holds more than it may, whatever happens to it', (t) => {
  const action = fc.record({
    what: fc.constantFrom('create', 'update', 'touch', 'step up', 'destroy', 'wait', 'sweep'),
    id: fc.integer({ min: 0, max: 30 }),
    time: fc.integer({ min: 1, max: 100 })
  })
  fc.assert(fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
    const store = newStore({ maxSessions: 10, maxBytes: 5500 })
    const model = new Map<string, number>()
    for (const { what, id, time } of actions) {
      const key = `id${id}`
      const until = clock.now() + time
      for (const [each, deadline] of model) if (deadline <= clock.now()) model.delete(each)
      if (what === 'create' && store.create(key, record(time, { k: 'x'.repeat(time * 5) }))) model.set(key, until)
      if (what === 'update' && store.update(key, { clear: false, set: { u: 'y'.repeat(time) }, remove: [], expiresAt: until }) === 'done') model.set(key, until)
      if (what === 'touch' && touch(store, key, until) === 'done') model.set(key, until)
      if (what === 'step up') {
        const earlier = Array.from({ length: time % 5 }, (_, n) => ({ verifier: `${time}v${n}`, until, opens: false }))
        if (store.update(key, { clear: false, set: {}, remove: [], verifier: `${time}`.padEnd(43, 'v'), earlier, generation: time, expiresAt: until }) === 'done') model.set(key, until)
      }
      if (what === 'destroy') { store.destroy(key); model.delete(key) }
      if (what === 'wait') clock.advance(time)
      if (what === 'sweep') store.sweep()
      if (store.size > 10 || store.bytes > 5500) return false
      for (let n = 0; n <= 30; n++) {
        const found = recordIn(store, `id${n}`)
        if (found !== null && (found.expiresAt <= clock.now() || model.get(`id${n}`) !== found.expiresAt)) return false
      }
    }
    store.close()
    return true
  }), { numRuns: 60 })
  t.end()
})

t.test('the queue always knows who expires soonest', (t) => {
  const step = fc.record({ what: fc.constantFrom('add', 'remove', 'move'), pick: fc.nat(), expiresAt: fc.integer({ min: 0, max: 50 }) })
  fc.assert(fc.property(fc.array(step), (steps) => {
    const queue = new ExpiryQueue<Expiring>()
    const entries: Expiring[] = []
    for (const { what, pick, expiresAt } of steps) {
      const entry = entries[pick % (entries.length || 1)]
      if (what === 'add' || entry === undefined) {
        const added = { expiresAt, place: 0 }
        entries.push(added)
        queue.add(added)
      } else if (what === 'remove') {
        entries.splice(entries.indexOf(entry), 1)
        queue.remove(entry)
      } else {
        queue.move(entry, expiresAt)
      }
      if (queue.soonest?.expiresAt !== (entries.length === 0 ? undefined : Math.min(...entries.map((each) => each.expiresAt)))) return false
    }
    return true
  }))
  t.end()
})

t.test('close stops the sweep, twice or before the first one does no harm, and a new session starts it again', async (t) => {
  const store = newStore({ sweepInterval: 1 })
  store.close()
  store.close()
  store.create('a', record(SECOND))
  store.close()
  clock.advance(SECOND)
  await new Promise(setImmediate)
  t.equal(store.size, 1)
  store.create('b', record(SECOND))
  t.equal(store.sweep(), 1)
  store.close()
})

t.test('bad options are refused', (t) => {
  for (const options of [{ maxSessions: 0 }, { maxSessions: 1.5 }, { maxBytes: -1 }, { maxBytes: '1gb' }, { sweepInterval: 'never' }, { sweepInterval: 0 }, { clock: {} }, { maxSession: 5 }]) {
    t.throws(() => newStore(options), { code: 'FST_KEEP_INVALID_OPTION', message: new RegExp(Object.keys(options)[0] as string) })
  }
  t.throws(() => new MemoryStore(null as never), { code: 'FST_KEEP_INVALID_OPTION' })
  t.doesNotThrow(() => newStore({ sweepInterval: '60d' }).close())
  t.end()
})
