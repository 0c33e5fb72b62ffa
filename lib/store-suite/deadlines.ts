// A record whose deadline has come counts as absent, to the second.
import assert from 'node:assert/strict'
import { changing, HOUR, newId, recordAt, renewing, same, SECOND, type SuiteContext } from './context.js'

export function deadlineSuite ({ test, now, advance, record }: SuiteContext): void {
  test('a record is there until its deadline, and counts as absent everywhere from then on', async (store) => {
    const ids = Array.from({ length: 5 }, newId)
    const [read, update, touch, destroy, create] = ids as [string, string, string, string, string]
    const expiresAt = now() + SECOND
    for (const id of ids) await store.create(id, record({ expiresAt }))
    await advance(SECOND / 2)
    const found = await store.read(read)
    // a slow database may have used up the time
    assert.ok(found !== null || now() >= expiresAt, 'it is there before')
    await advance(SECOND / 2)
    assert.equal(await store.read(read), null)
    assert.equal(await store.update(update, changing({ a: '1' }, { expiresAt: now() + HOUR })), 'missing')
    assert.equal(await store.read(update), null)
    assert.equal(await store.touch(touch, renewing(record({ expiresAt }), now() + HOUR)), 'missing')
    assert.equal(await store.read(touch), null)
    assert.equal(await store.destroy(destroy, { ifVersion: 9 }), 'missing')
    assert.equal(await store.destroy(destroy), 'missing')
    assert.equal(await store.read(destroy), null)
    const again = record({ values: { again: '1' } })
    assert.equal(await store.create(create, again), true)
    same(await store.read(create), again)
  })

  test('a deadline that was moved holds, either way', async (store) => {
    const [longer, shorter, touched] = [newId(), newId(), newId()]
    const soon = record({ expiresAt: now() + SECOND })
    await store.create(longer, soon)
    await store.create(shorter, record())
    await store.create(touched, soon)
    assert.equal(await store.update(longer, changing({ a: '1' }, { expiresAt: now() + HOUR })), 'done')
    assert.equal(await store.update(shorter, changing({ a: '1' }, { expiresAt: now() + SECOND })), 'done')
    assert.equal(await store.touch(touched, renewing(soon, now() + HOUR)), 'done')
    await advance(SECOND)
    assert.equal((await recordAt(store, longer)).values.a, '1')
    assert.equal(await store.read(shorter), null)
    await recordAt(store, touched)
  })

  test('an update that leaves the deadline out leaves it where it is', async (store) => {
    const id = newId()
    await store.create(id, record({ expiresAt: now() + SECOND }))
    assert.equal(await store.update(id, changing({ a: '1' })), 'done')
    await advance(SECOND)
    assert.equal(await store.read(id), null)
  })

  test('a deadline in the past leaves nothing to be found', async (store) => {
    const [id, other] = [newId(), newId()]
    await store.create(id, record({ expiresAt: now() - 1 }))
    await store.create(other, record())
    await store.update(other, changing({}, { expiresAt: now() - 1 }))
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
    assert.equal((await recordAt(store, id)).expiresAt, expiresAt)
  })
}
