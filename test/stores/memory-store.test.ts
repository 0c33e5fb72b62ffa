// The default store: exact, bounded, and quiet while it sweeps.
import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { MemoryStore, type SessionRecord } from '../../index.js'
import { ExpiryQueue, type Expiring } from '../../lib/stores/expiry-queue.js'
import { FakeClock, HOUR, SECOND } from '../fixtures/clock.js'

const clock = new FakeClock()

function record (expiresIn = HOUR, values: Record<string, string> = { a: '1' }): SessionRecord {
  const now = clock.now()
  return { values, createdAt: now, expiresAt: now + expiresIn, absoluteExpiresAt: now + 24 * HOUR, version: 0, owner: null, lifetime: null }
}

function newStore (options = {}): MemoryStore {
  return new MemoryStore({ clock, ...options })
}

t.test('a record lives until its deadline and not a millisecond longer', (t) => {
  const store = newStore()
  store.create('a', record(SECOND))
  clock.advance(SECOND - 1)
  t.ok(store.read('a'))
  t.equal(store.touch('a', clock.now() + 1), true)
  clock.advance(1)
  t.equal(store.read('a'), null)
  t.equal(store.touch('a', clock.now() + HOUR), false)
  t.equal(store.update('a', { clear: false, set: {}, remove: [] }), 'missing')
  t.equal(store.replace('a', 'b', record()), false)
  t.equal(store.create('a', record()), true, 'and its id is free again')
  t.end()
})

t.test('an id that is taken stays with the one who has it', (t) => {
  const store = newStore()
  t.equal(store.create('a', record(HOUR, { a: 'first' })), true)
  t.equal(store.create('a', record(HOUR, { a: 'second' })), false)
  t.same(store.read('a')?.values, { a: 'first' })
  t.end()
})

t.test('a replacement takes the place of whatever is under the new id', (t) => {
  const store = newStore()
  store.create('a', record(HOUR, { a: 'old' }))
  store.create('b', record(HOUR, { a: 'in the way' }))
  t.equal(store.replace('a', 'b', record(HOUR, { a: 'new' })), true)
  t.same([store.size, store.read('a'), store.read('b')?.values], [1, null, { a: 'new' }])
  t.equal(store.replace('b', 'b', record(HOUR, { a: 'itself' })), true)
  t.same([store.size, store.read('b')?.values], [1, { a: 'itself' }])
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
  t.same(store.read('a')?.values, { a: '1' })
  const lifetime = { idle: 1, absolute: 1, persistent: true }
  store.update('a', { clear: false, set: { b: '2' }, remove: [], lifetime })
  lifetime.idle = 9
  t.equal(store.read('a')?.lifetime?.idle, 1)
  t.throws(() => { (store.read('a') as { lifetime: { idle: number } }).lifetime.idle = 9 }, TypeError)
  t.throws(() => { (store.read('a') as { values: Record<string, string> }).values['b'] = '9' }, TypeError)
  const whole = { ...record(), lifetime: { idle: 1, absolute: 1, persistent: true } }
  store.create('b', whole)
  whole.lifetime.idle = 9
  t.equal(store.read('b')?.lifetime?.idle, 1)
  t.end()
})

t.test('a sweep removes what has expired and nothing else', (t) => {
  const store = newStore()
  for (let i = 0; i < 1000; i++) store.create(`id${i}`, record(i % 2 ? SECOND : HOUR))
  clock.advance(SECOND)
  while (store.sweep() > 0);
  t.same([store.size, store.expired, store.created], [500, 500, 1000])
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

t.test('a million sessions of 300 bytes fit, and their expiry never holds the event loop for long', async (t) => {
  const store = newStore()
  const values = { user: JSON.stringify({ id: 42, name: 'x'.repeat(100) }), cart: JSON.stringify(['y'.repeat(130)]) }
  for (let i = 0; i < 1_000_000; i++) store.create(String(i).padStart(43, 'x'), record(SECOND, values))
  t.same([store.size, store.evicted], [1_000_000, 0])
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
  store.touch('b', clock.now() + 5 * HOUR)
  store.create('d', record(HOUR / 2))
  t.same(['a', 'b', 'c', 'd'].map((id) => store.read(id) !== null), [true, true, false, true])
  t.same([store.size, store.evicted, store.created], [3, 1, 4])
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
  const store = newStore({ maxBytes: 10_500 })
  for (const [id, hours] of [['a', 3], ['b', 1], ['c', 2]] as const) store.create(id, record(hours * HOUR, { k: 'x'.repeat(1000) }))
  const before = store.bytes
  t.equal(store.update('b', { clear: false, set: { big: 'x'.repeat(7000) }, remove: [] }), 'done')
  t.same(['a', 'b', 'c'].map((id) => store.read(id) !== null), [true, true, false])
  t.ok(store.bytes <= 10_500 && store.bytes > before)
  store.destroy('a')
  store.destroy('b')
  t.equal(store.bytes, 0)
  store.create('giant', record(HOUR, { k: 'x'.repeat(20_000) }))
  t.equal(store.size, 1, 'a single session larger than everything is kept: it was confirmed')
  t.end()
})

t.test('it says once that it evicts', async (t) => {
  await new Promise(setImmediate) // what earlier tests caused has been emitted by then
  const warnings: Array<Error & { code?: string }> = []
  const listen = (warning: Error) => warnings.push(warning)
  process.on('warning', listen)
  t.teardown(() => process.off('warning', listen))
  const store = newStore({ maxSessions: 1 })
  for (const id of ['a', 'b', 'c']) store.create(id, record())
  await new Promise(setImmediate)
  t.same(warnings.map(({ code }) => code), ['FST_KEEP_EVICTED'])
})

t.test('bytes counts characters beyond ASCII at their size', (t) => {
  const store = newStore()
  store.create('a', record(HOUR, { k: 'ü' }))
  const one = store.bytes
  store.create('b', record(HOUR, { k: 'u' }))
  t.equal(store.bytes - one, one - 1)
  t.end()
})

t.test('bytes is what the sessions take from the heap, give or take a fifth', (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const heapUsed = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const store = newStore()
  const fill = (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      const values = Object.fromEntries(['user', 'name', 'roles', 'theme', 'count'].map((key) => [key, JSON.stringify(key + i)]))
      store.create(String(i).padStart(43, 'x'), { ...record(HOUR, values), lifetime: { idle: HOUR, absolute: HOUR, persistent: true } })
    }
  }
  fill(0, 1000)
  const [heap, bytes] = [heapUsed(), store.bytes]
  fill(1000, 21_000)
  const ratio = (store.bytes - bytes) / (heapUsed() - heap)
  t.ok(ratio > 0.8 && ratio < 1.2, `it says ${ratio.toFixed(2)} times what it is`)
  t.end()
})

t.test('it never holds more than it may, whatever happens to it', (t) => {
  const action = fc.record({
    what: fc.constantFrom('create', 'update', 'touch', 'replace', 'destroy', 'wait', 'sweep'),
    id: fc.integer({ min: 0, max: 30 }),
    other: fc.integer({ min: 31, max: 60 }),
    time: fc.integer({ min: 1, max: 100 })
  })
  fc.assert(fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
    const store = newStore({ maxSessions: 10, maxBytes: 5500 })
    const model = new Map<string, number>()
    for (const { what, id, other, time } of actions) {
      const key = `id${id}`
      const until = clock.now() + time
      for (const [each, deadline] of model) if (deadline <= clock.now()) model.delete(each)
      if (what === 'create' && store.create(key, record(time, { k: 'x'.repeat(time * 5) }))) model.set(key, until)
      if (what === 'update' && store.update(key, { clear: false, set: { u: 'y'.repeat(time) }, remove: [], expiresAt: until }) === 'done') model.set(key, until)
      if (what === 'touch' && store.touch(key, until)) model.set(key, until)
      if (what === 'replace' && store.replace(key, `id${other}`, record(time))) { model.delete(key); model.set(`id${other}`, until) }
      if (what === 'destroy') { store.destroy(key); model.delete(key) }
      if (what === 'wait') clock.advance(time)
      if (what === 'sweep') store.sweep()
      if (store.size > 10 || store.bytes > 5500) return false
      for (let n = 0; n <= 60; n++) {
        const found = store.read(`id${n}`)
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
  for (const options of [{ maxSessions: 0 }, { maxSessions: 1.5 }, { maxBytes: -1 }, { maxBytes: '1gb' }, { sweepInterval: 'never' }, { sweepInterval: 0 }]) {
    t.throws(() => newStore(options), { code: 'FST_KEEP_INVALID_OPTION', message: new RegExp(Object.keys(options)[0] as string) })
  }
  t.doesNotThrow(() => newStore({ sweepInterval: '60d' }).close())
  t.end()
})
