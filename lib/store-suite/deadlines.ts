// A record whose deadline has come counts as absent, to the second.
import assert from 'node:assert/strict'
import { changing, HOUR, newId, type SuiteContext } from './context.js'

const SECOND = 1000

export function deadlineSuite ({ test, now, advance, record }: SuiteContext): void {
  test('a record is there until its deadline, and counts as absent everywhere from then on', async (store) => {
    const ids = Array.from({ length: 6 }, newId)
    const [read, update, touch, replace, destroy, create] = ids as [string, string, string, string, string, string]
    const expiresAt = now() + SECOND
    for (const id of ids) await store.create(id, record({ expiresAt }))
    await advance(SECOND / 2)
    assert.ok(await store.read(read))
    await advance(SECOND / 2)
    assert.equal(await store.read(read), null)
    assert.equal(await store.update(update, changing({ a: '1' }, { expiresAt: now() + HOUR })), 'missing')
    assert.equal(await store.read(update), null)
    assert.equal(await store.touch(touch, now() + HOUR), false)
    assert.equal(await store.read(touch), null)
    const next = newId()
    assert.equal(await store.replace(replace, next, record()), false)
    assert.equal(await store.read(next), null)
    assert.notEqual(await store.destroy(destroy, 99), false)
    const again = record({ values: { again: '1' } })
    assert.equal(await store.create(create, again), true)
    assert.deepEqual({ ...(await store.read(create))?.values }, again.values)
  })

  test('touch and update move the deadline either way', async (store) => {
    const [longer, shorter, changed] = [newId(), newId(), newId()]
    await store.create(longer, record({ expiresAt: now() + SECOND }))
    await store.create(shorter, record())
    await store.create(changed, record({ expiresAt: now() + SECOND }))
    assert.equal(await store.touch(longer, now() + HOUR), true)
    assert.equal(await store.touch(shorter, now() + SECOND), true)
    assert.equal(await store.update(changed, changing({ a: '1' }, { expiresAt: now() + HOUR })), 'done')
    await advance(SECOND)
    assert.ok(await store.read(longer))
    assert.equal(await store.read(shorter), null)
    assert.equal((await store.read(changed))?.values.a, '1')
  })

  test('an update that leaves the deadline out leaves it where it is', async (store) => {
    const id = newId()
    await store.create(id, record({ expiresAt: now() + SECOND }))
    assert.equal(await store.update(id, changing({ a: '1' })), 'done')
    await advance(SECOND)
    assert.equal(await store.read(id), null)
  })

  test('a replacement lives by its own deadline', async (store) => {
    const [old, next, other] = [newId(), newId(), newId()]
    await store.create(old, record({ expiresAt: now() + SECOND }))
    assert.equal(await store.replace(old, next, record()), true)
    assert.equal(await store.replace(next, other, record({ expiresAt: now() + SECOND })), true)
    assert.ok(await store.read(other))
    await advance(SECOND)
    assert.equal(await store.read(other), null)
  })

  test('a deadline that is already over leaves nothing to be found', async (store) => {
    const [id, other] = [newId(), newId()]
    await store.create(id, record({ expiresAt: now() - 1 }))
    await store.create(other, record())
    await store.touch(other, now() - 1)
    await advance(2)
    assert.equal(await store.read(id), null)
    assert.equal(await store.read(other), null)
    assert.equal(await store.create(other, record()), true)
    assert.ok(await store.read(other))
  })

  test('a deadline a year away is kept', async (store) => {
    const id = newId()
    const expiresAt = now() + 365 * 24 * HOUR
    await store.create(id, record({ expiresAt, absoluteExpiresAt: expiresAt }))
    await advance(2)
    assert.equal((await store.read(id))?.expiresAt, expiresAt)
  })
}
