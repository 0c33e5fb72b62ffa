// A session changes its id in one step, and ends for good.
import assert from 'node:assert/strict'
import { changing, HOUR, newId, same, type SuiteContext } from './context.js'

export function replacementSuite ({ test, now, record }: SuiteContext): void {
  test('replace writes the new record and drops the old one', async (store) => {
    const [old, next] = [newId(), newId()]
    const written = record({ values: { role: '"admin"' }, owner: 'user:42' })
    await store.create(old, record())
    assert.equal(await store.replace(old, next, written), true)
    assert.equal(await store.read(old), null)
    same(await store.read(next), written)
  })

  test('nothing brings an id back after replace, except create', async (store) => {
    const [old, next] = [newId(), newId()]
    await store.create(old, record())
    await store.replace(old, next, record())
    assert.equal(await store.update(old, changing({ a: '1' })), 'missing')
    assert.equal(await store.touch(old, now() + HOUR), false)
    assert.equal(await store.replace(old, newId(), record()), false)
    assert.equal(await store.read(old), null)
    const again = record({ values: { again: '1' } })
    assert.equal(await store.create(old, again), true)
    same(await store.read(old), again)
  })

  test('replace of a missing record answers false and writes nothing', async (store) => {
    const [old, next] = [newId(), newId()]
    assert.equal(await store.replace(old, next, record()), false)
    assert.equal(await store.read(old), null)
    assert.equal(await store.read(next), null)
    assert.equal(await store.create(next, record()), true)
  })

  test('replace at another version answers false and writes nothing', async (store) => {
    const [old, next] = [newId(), newId()]
    const before = record()
    await store.create(old, before)
    assert.equal(await store.replace(old, next, record({ values: {} }), 1), false)
    same(await store.read(old), before)
    assert.equal(await store.read(next), null)
    assert.equal(await store.replace(old, next, record({ values: {} }), 0), true)
  })

  test('destroy drops the record, and is quiet when there is none', async (store) => {
    const id = newId()
    await store.create(id, record())
    await store.destroy(id)
    assert.equal(await store.read(id), null)
    await store.destroy(id)
    await store.destroy(newId())
  })

  test('nothing brings a destroyed session back', async (store) => {
    const id = newId()
    await store.create(id, record())
    await store.destroy(id)
    assert.equal(await store.update(id, changing({ a: '1' })), 'missing')
    assert.equal(await store.touch(id, now() + HOUR), false)
    assert.equal(await store.replace(id, newId(), record()), false)
    assert.equal(await store.read(id), null)
  })

  test('destroy at another version answers false and drops nothing', async (store) => {
    const id = newId()
    await store.create(id, record())
    await store.update(id, changing({ a: '1' }))
    assert.equal(await store.destroy(id, 0), false)
    assert.equal((await store.read(id))?.values.a, '1')
    assert.notEqual(await store.destroy(id, 1), false)
    assert.equal(await store.read(id), null)
    assert.notEqual(await store.destroy(id, 1), false)
  })

  test('destroy leaves the other sessions alone', async (store) => {
    const [gone, left] = [newId(), newId()]
    await store.create(gone, record())
    await store.create(left, record())
    await store.destroy(gone)
    assert.ok(await store.read(left))
  })
}
