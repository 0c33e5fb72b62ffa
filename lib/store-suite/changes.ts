// Changes are applied key by key, as a whole or not at all, and only to a record that is there.
import assert from 'node:assert/strict'
import { changing, HOUR, newId, recordAt, same, sixteenEarlier, type SuiteContext } from './context.js'

export function changeSuite ({ test, now, record }: SuiteContext): void {
  test('update sets and removes keys, leaves the others, and adds 1 to the version', async (store) => {
    const id = newId()
    const before = record({ values: { a: '1', b: '2', c: '3' }, owner: 'user:42', version: 9 })
    await store.create(id, before)
    assert.equal(await store.update(id, changing({ a: '10', d: '4' }, { remove: ['b', 'never there'] })), 'done')
    same(await store.read(id), { ...before, values: { a: '10', c: '3', d: '4' }, version: 10 })
  })

  test('update with clear drops every other key first', async (store) => {
    const id = newId()
    const before = record({ values: { a: '1', b: '2' }, owner: 'user:42', lifetime: { idle: 1000, absolute: 2000, persistent: false } })
    await store.create(id, before)
    assert.equal(await store.update(id, changing({ b: '20', c: '30' }, { clear: true })), 'done')
    same(await store.read(id), { ...before, values: { b: '20', c: '30' }, version: 1 })
  })

  test('update may leave nothing, and the record stays', async (store) => {
    const id = newId()
    const before = record({ values: { a: '1', b: '2' } })
    await store.create(id, before)
    assert.equal(await store.update(id, changing({}, { remove: ['a', 'b'] })), 'done')
    same(await store.read(id), { ...before, values: {}, version: 1 })
    assert.equal(await store.update(id, changing({}, { clear: true })), 'done')
    same(await store.read(id), { ...before, values: {}, version: 2 })
  })

  test('update moves deadlines and lifetime when they are given, and only then', async (store) => {
    const id = newId()
    const before = record()
    await store.create(id, before)
    const lifetime = { idle: 7 * HOUR, absolute: 48 * HOUR, persistent: true }
    const moved = { expiresAt: now() + 7 * HOUR, absoluteExpiresAt: now() + 48 * HOUR, lifetime }
    assert.equal(await store.update(id, changing({}, moved)), 'done')
    same(await store.read(id), { ...before, ...moved, version: 1 })
    assert.equal(await store.update(id, changing({ user: '43' })), 'done')
    same(await store.read(id), { ...before, ...moved, values: { ...before.values, user: '43' }, version: 2 })
    assert.equal(await store.update(id, changing({}, { lifetime: null })), 'done')
    assert.equal((await recordAt(store, id)).lifetime, null)
  })

  test('update of a missing record answers missing, writes nothing and creates nothing', async (store) => {
    const id = newId()
    assert.equal(await store.update(id, changing({ a: '1' }, { expiresAt: now() + HOUR, clear: true })), 'missing')
    assert.equal(await store.update(id, changing({ a: '1' }, { ifGeneration: 0 })), 'missing')
    assert.equal(await store.read(id), null)
    assert.equal(await store.create(id, record()), true)
  })

  test('update gives a new token, and everything that belongs to it', async (store) => {
    const id = newId()
    const before = record()
    await store.create(id, before)
    const renewed = { verifier: newId(), earlier: [{ verifier: before.verifier, until: now() + HOUR, opens: true }], generation: 1, createdAt: now() + 1, shown: false }
    assert.equal(await store.update(id, changing({ user: '43' }, { ...renewed, ifVerifier: before.verifier })), 'done')
    same(await store.read(id), { ...before, ...renewed, values: { ...before.values, user: '43' }, version: 1 })
    assert.equal(await store.update(id, changing({}, { shown: true, earlier: [] })), 'done')
    same(await store.read(id), { ...before, ...renewed, values: { ...before.values, user: '43' }, version: 2, shown: true, earlier: [] })
    const earlier = sixteenEarlier()
    assert.equal(await store.update(id, changing({}, { earlier })), 'done')
    assert.deepEqual((await recordAt(store, id)).earlier.map((each) => ({ ...each })), earlier)
  })

  test('an update whose new verifier is there already was applied before: the token stays, and the rest applies', async (store) => {
    const id = newId()
    const before = record()
    await store.create(id, before)
    const lifetime = { idle: HOUR, absolute: 24 * HOUR, persistent: true }
    const token = { verifier: newId(), generation: 1, earlier: [{ verifier: before.verifier, until: now(), opens: false }], shown: false }
    const change = changing({ first: '1' }, { ifVerifier: before.verifier, ifGeneration: 0, ifLifetime: null, lifetime, ...token })
    assert.equal(await store.update(id, change), 'done')
    assert.equal(await store.update(id, changing({}, { earlier: [], shown: true })), 'done')
    const used = await recordAt(store, id)
    assert.equal(await store.update(id, { ...change, set: { ...change.set, second: '2' } }), 'done')
    same(await store.read(id), { ...used, values: { ...used.values, second: '2' }, version: 3 })
  })

  test('an update that was applied before still asks for the value and the size', async (store) => {
    const id = newId()
    const before = record({ values: { n: '1' } })
    await store.create(id, before)
    const change = changing({}, { ifVerifier: before.verifier, ifGeneration: 0, verifier: newId(), generation: 1 })
    assert.equal(await store.update(id, change), 'done')
    const applied = await recordAt(store, id)
    assert.equal(await store.update(id, { ...change, set: { n: '2' }, ifValue: { key: 'n', encoded: null } }), 'conflict')
    assert.equal(await store.update(id, { ...change, set: { n: '2'.repeat(50) }, maxSize: 49 }), 'too-large')
    same(await store.read(id), applied)
    assert.equal(await store.update(id, { ...change, set: { n: '2' }, ifValue: { key: 'n', encoded: '1' }, maxSize: 2 }), 'done')
    same(await store.read(id), { ...applied, values: { n: '2' }, version: 2 })
  })
}
