// A renewal moves the idle deadline forward, and never undoes anything.
import assert from 'node:assert/strict'
import { changing, HOUR, newId, recordAt, renewing, same, type SuiteContext } from './context.js'

export function renewalSuite ({ test, now, record }: SuiteContext): void {
  test('touch moves the deadline forward, and nothing else', async (store) => {
    const id = newId()
    const before = record({ owner: 'user:42' })
    await store.create(id, before)
    const expiresAt = now() + 2 * HOUR
    assert.equal(await store.touch(id, renewing(before, expiresAt)), 'done')
    same(await store.read(id), { ...before, expiresAt })
  })

  test('touch of a missing record answers missing and creates nothing', async (store) => {
    const id = newId()
    assert.equal(await store.touch(id, renewing(record(), now() + HOUR)), 'missing')
    assert.equal(await store.read(id), null)
    assert.equal(await store.create(id, record()), true)
  })

  test('a deadline is not moved back, but where it lies beyond what a renewal can give', async (store) => {
    const id = newId()
    const before = record({ expiresAt: now() + 5 * HOUR })
    await store.create(id, before)
    const deadline = async () => (await recordAt(store, id)).expiresAt
    assert.equal(await store.touch(id, renewing(before, now() + 2 * HOUR, { atMost: now() + 4 * HOUR, tolerance: HOUR + 5_000 })), 'done')
    assert.equal(await deadline(), before.expiresAt)
    const atMost = now() + 4 * HOUR
    assert.equal(await store.touch(id, renewing(before, now() + 2 * HOUR, { atMost, tolerance: HOUR / 2 })), 'done')
    assert.equal(await deadline(), atMost)
  })

  test('a deadline as far beyond as is tolerated stays, and a millisecond farther does not', async (store) => {
    const [touched, updated] = [newId(), newId()]
    const before = record({ expiresAt: now() + 5 * HOUR })
    const { expiresAt } = before
    await store.create(touched, before)
    await store.create(updated, before)
    const atMost = expiresAt - HOUR
    for (const [tolerance, deadline] of [[HOUR, expiresAt], [HOUR - 1, atMost]] as const) {
      const renewal = renewing(before, atMost - HOUR, { atMost, tolerance })
      assert.equal(await store.touch(touched, renewal), 'done')
      assert.equal((await recordAt(store, touched)).expiresAt, deadline)
      assert.equal(await store.update(updated, changing({}, { renewal })), 'done')
      assert.equal((await recordAt(store, updated)).expiresAt, deadline)
    }
  })

  test('a renewal goes no farther than it says, though it might', async (store) => {
    const [touched, updated] = [newId(), newId()]
    const before = record()
    await store.create(touched, before)
    await store.create(updated, before)
    const renewal = renewing(before, before.expiresAt + 1, { atMost: before.expiresAt + HOUR, tolerance: 5_000 })
    assert.equal(await store.touch(touched, renewal), 'done')
    assert.equal(await store.update(updated, changing({}, { renewal })), 'done')
    for (const id of [touched, updated]) assert.equal((await recordAt(store, id)).expiresAt, before.expiresAt + 1)
  })

  test('a renewal that was computed for another lifetime or absolute deadline is stale', async (store) => {
    const id = newId()
    const lifetime = { idle: HOUR, absolute: 24 * HOUR, persistent: false }
    const before = record({ lifetime })
    await store.create(id, before)
    const stale = [
      { ifLifetime: null }, { ifLifetime: { ...lifetime, idle: HOUR + 1 } }, { ifLifetime: { ...lifetime, absolute: HOUR } }, { ifLifetime: { ...lifetime, persistent: true } },
      { ifAbsoluteExpiresAt: before.absoluteExpiresAt + 1 }, { ifAbsoluteExpiresAt: before.absoluteExpiresAt - 1 }
    ]
    for (const more of stale) {
      const renewal = renewing(before, now() + 2 * HOUR, more)
      assert.equal(await store.touch(id, renewal), 'stale', JSON.stringify(more))
    }
    same(await store.read(id), before)
    assert.equal(await store.touch(id, renewing(before, now() + 2 * HOUR)), 'done')
  })

  test('an update renews with the change', async (store) => {
    const id = newId()
    const before = record()
    await store.create(id, before)
    const expiresAt = now() + 2 * HOUR
    assert.equal(await store.update(id, changing({ a: '1' }, { renewal: renewing(before, expiresAt) })), 'done')
    same(await store.read(id), { ...before, values: { ...before.values, a: '1' }, expiresAt, version: 1 })
    assert.equal(await store.update(id, changing({ a: '2' }, { renewal: renewing(before, now() + HOUR, { atMost: expiresAt }) })), 'done')
    assert.equal((await recordAt(store, id)).expiresAt, expiresAt)
    const atMost = now() + HOUR
    assert.equal(await store.update(id, changing({ a: '3' }, { renewal: renewing(before, now() + HOUR / 2, { atMost, tolerance: HOUR / 10 }) })), 'done')
    same(await store.read(id), { ...before, values: { ...before.values, a: '3' }, expiresAt: atMost, version: 3 })
  })

  test('where the renewal is stale the change applies without it', async (store) => {
    const id = newId()
    const before = record({ lifetime: { idle: HOUR, absolute: 24 * HOUR, persistent: false } })
    await store.create(id, before)
    for (const [index, more] of [{ ifAbsoluteExpiresAt: 1 }, { ifLifetime: null }, { ifLifetime: { idle: 9 * HOUR, absolute: 24 * HOUR, persistent: false } }].entries()) {
      const a = String(index)
      assert.equal(await store.update(id, changing({ a }, { renewal: renewing(before, now() + 9 * HOUR, more) })), 'done')
      same(await store.read(id), { ...before, values: { ...before.values, a }, version: index + 1 })
    }
  })

  test('a renewal is judged by what the record was before the update', async (store) => {
    const id = newId()
    const before = record()
    await store.create(id, before)
    const lifetime = { idle: 9 * HOUR, absolute: 24 * HOUR, persistent: false }
    const expiresAt = now() + 2 * HOUR
    assert.equal(await store.update(id, changing({}, { lifetime, renewal: renewing(before, expiresAt) })), 'done')
    same(await store.read(id), { ...before, lifetime, expiresAt, version: 1 })
    assert.equal(await store.update(id, changing({}, { expiresAt: now() + HOUR, renewal: renewing({ ...before, lifetime }, now() + 3 * HOUR) })), 'done')
    assert.ok((await recordAt(store, id)).expiresAt < expiresAt, 'a deadline that is given outright holds')
  })
}
