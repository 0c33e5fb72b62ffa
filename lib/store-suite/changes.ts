// Changes are applied key by key, as a whole or not at all, and only to a record that is there.
import assert from 'node:assert/strict'
import { changing, HOUR, newId, same, type SuiteContext } from './context.js'

export function changeSuite ({ test, now, record }: SuiteContext): void {
  test('update sets and removes keys, leaves the others, and adds 1 to the version', async (store) => {
    const id = newId()
    const before = record({ values: { a: '1', b: '2', c: '3' }, owner: 'user:42' })
    await store.create(id, before)
    assert.equal(await store.update(id, changing({ a: '10', d: '4' }, { remove: ['b', 'never there'] })), 'done')
    same(await store.read(id), { ...before, values: { a: '10', c: '3', d: '4' }, version: 1 })
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
    assert.equal((await store.read(id))?.lifetime, null)
  })

  test('update of a missing record answers missing, writes nothing and creates nothing', async (store) => {
    const id = newId()
    assert.equal(await store.update(id, changing({ a: '1' }, { expiresAt: now() + HOUR, clear: true })), 'missing')
    assert.equal(await store.update(id, changing({ a: '1' }, { ifVersion: 0 })), 'missing')
    assert.equal(await store.read(id), null)
    assert.equal(await store.create(id, record()), true)
  })

  test('update at another version answers conflict and writes nothing', async (store) => {
    const id = newId()
    await store.create(id, record({ values: { n: '1' } }))
    assert.equal(await store.update(id, changing({ n: '2' }, { ifVersion: 0 })), 'done')
    const before = await store.read(id)
    for (const ifVersion of [0, 2, 10]) {
      assert.equal(await store.update(id, changing({ n: '3' }, { ifVersion, clear: true, expiresAt: now() + 9 * HOUR })), 'conflict')
    }
    assert.ok(before)
    same(await store.read(id), before)
    assert.equal(await store.update(id, changing({ n: '3' }, { ifVersion: 1 })), 'done')
  })

  test('update refuses what leaves more than maxSize, and writes nothing', async (store) => {
    const id = newId()
    const before = record({ values: { ä: '"é"', gone: '1234' } })
    await store.create(id, before)
    // 6 bytes stay: the key takes 2 in UTF-8, the value 4
    assert.equal(await store.update(id, changing({ '🔑': '12345' }, { remove: ['gone'], maxSize: 14 })), 'too-large')
    assert.equal(await store.update(id, changing({ '\ud83d"\\\n': '123' }, { remove: ['gone'], maxSize: 14 })), 'too-large')
    assert.equal(await store.update(id, changing({ '🔑': '1' }, { clear: true, maxSize: 4 })), 'done')
    assert.equal(await store.update(id, changing({ '🔑': '12345' }, { maxSize: 9 })), 'done')
    assert.equal(await store.update(id, changing({ '\ud83d"\\\n': '12' }, { clear: true, maxSize: 8 })), 'done')
    assert.deepEqual({ ...(await store.read(id))?.values }, { '\ud83d"\\\n': '12' })
  })

  test('a record that is too large may shrink, and not grow', async (store) => {
    const id = newId()
    await store.create(id, record({ values: { a: '1234567890', b: '1234567890' } }))
    assert.equal(await store.update(id, changing({ c: '1' }, { maxSize: 10 })), 'too-large')
    assert.equal(await store.update(id, changing({ a: '123456789' }, { maxSize: 10 })), 'done')
    assert.equal(await store.update(id, changing({ c: '1' }, { remove: ['b'], maxSize: 10 })), 'done')
    assert.equal(await store.update(id, changing({ c: '2' }, { maxSize: 10 })), 'done')
    assert.equal(await store.update(id, changing({ c: '22' }, { maxSize: 10 })), 'too-large')
    assert.equal(await store.update(id, changing({ d: '1'.repeat(100) }, { ifVersion: 0, maxSize: 10 })), 'conflict')
    assert.equal(await store.update(id, changing({}, { remove: ['a'], maxSize: 1 })), 'done')
    assert.deepEqual({ ...(await store.read(id))?.values }, { c: '2' })
  })

  test('parallel updates do not outgrow maxSize together', async (store) => {
    const id = newId()
    await store.create(id, record({ values: {} }))
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => store.update(id, changing({ [`key${10 + index}`]: 'x'.repeat(95) }, { maxSize: 350 }))))
    assert.equal(answers.filter((answer) => answer === 'done').length, 3)
    assert.equal(answers.filter((answer) => answer === 'too-large').length, 17)
    assert.equal(Object.keys((await store.read(id))?.values ?? {}).length, 3)
  })

  test('touch moves the deadline and nothing else', async (store) => {
    const id = newId()
    const before = record({ owner: 'user:42' })
    await store.create(id, before)
    const expiresAt = now() + 2 * HOUR
    assert.equal(await store.touch(id, expiresAt), true)
    same(await store.read(id), { ...before, expiresAt })
  })

  test('touch of a missing record answers false and creates nothing', async (store) => {
    const id = newId()
    assert.equal(await store.touch(id, now() + HOUR), false)
    assert.equal(await store.read(id), null)
    assert.equal(await store.create(id, record()), true)
  })
}
