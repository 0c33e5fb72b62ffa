// A session ends for good, and leaves a mark for a minute.
import assert from 'node:assert/strict'
import { ENDED_FOR } from '../record/record.js'
import { assertEnded, changing, HOUR, newId, recordAt, renewing, same, SECOND, type SuiteContext } from './context.js'

export function endingSuite ({ test, now, advance, record, isClockMoved }: SuiteContext): void {
  test('destroy ends the session and leaves a mark that holds no values', async (store) => {
    const id = newId()
    await store.create(id, record())
    const before = now()
    assert.equal(await store.destroy(id), 'done')
    const mark = await store.read(id)
    assert.ok(mark !== null && 'endedAt' in mark, 'read answers with a mark')
    assert.ok(mark.endedAt >= before && mark.endedAt <= now(), 'the mark says when')
    assert.deepEqual(Object.keys(mark), ['endedAt'])
  })

  test('destroy answers missing where there is nothing to end', async (store) => {
    const id = newId()
    assert.equal(await store.destroy(id), 'missing')
    assert.equal(await store.destroy(id, { ifVersion: 0, ifGeneration: 0 }), 'missing')
    await store.create(id, record())
    await store.destroy(id)
    assert.equal(await store.destroy(id), 'missing')
    assert.equal(await store.destroy(id, { ifVersion: 0 }), 'missing')
  })

  test('destroy under a condition that does not hold answers conflict and ends nothing', async (store) => {
    const id = newId()
    await store.create(id, record({ generation: 2 }))
    await store.update(id, changing({ a: '1' }))
    for (const condition of [{ ifVersion: 0 }, { ifVersion: 2 }, { ifGeneration: 0 }, { ifGeneration: 2, ifVersion: 0 }, { ifGeneration: 1, ifVersion: 1 }]) {
      assert.equal(await store.destroy(id, condition), 'conflict', JSON.stringify(condition))
    }
    assert.equal((await recordAt(store, id)).values.a, '1')
    assert.equal(await store.destroy(id, { ifGeneration: 2, ifVersion: 1 }), 'done')
    await assertEnded(store, id)
  })

  test('nothing brings a session back that has ended', async (store) => {
    const id = newId()
    const before = record()
    await store.create(id, before)
    await store.destroy(id)
    assert.equal(await store.update(id, changing({ a: '1' }, { expiresAt: now() + HOUR })), 'missing')
    assert.equal(await store.touch(id, renewing(before, now() + HOUR)), 'missing')
    await assertEnded(store, id)
  })

  test('a mark stays as it is, whatever comes late', async (store) => {
    const id = newId()
    const before = record()
    await store.create(id, before)
    await store.destroy(id)
    const mark = { ...await store.read(id) }
    Reflect.set(await store.read(id) ?? {}, 'endedAt', 1)
    await advance(2)
    await store.update(id, changing({ a: '1' }, { expiresAt: now() + HOUR }))
    await store.touch(id, renewing(before, now() + HOUR))
    await store.destroy(id, { ifGeneration: 0 })
    await store.destroy(id)
    assert.deepEqual({ ...await store.read(id) }, mark)
  })

  test('a mark does not take an id', async (store) => {
    const id = newId()
    await store.create(id, record())
    await store.destroy(id)
    const again = record({ values: { again: '1' } })
    assert.equal(await store.create(id, again), true)
    same(await store.read(id), again)
  })

  test('destroy leaves the other sessions alone', async (store) => {
    const [ended, left] = [newId(), newId()]
    await store.create(ended, record())
    await store.create(left, record())
    assert.equal(await store.destroy(ended, {}), 'done')
    await recordAt(store, left)
  })

  // a minute is too long to wait for
  if (!isClockMoved) return
  test('a mark is there for a minute, and then nothing is', async (store) => {
    const id = newId()
    const before = record()
    await store.create(id, before)
    await store.destroy(id)
    await advance(ENDED_FOR - 5 * SECOND)
    assert.ok(await store.read(id))
    await advance(5 * SECOND)
    assert.equal(await store.read(id), null)
    assert.equal(await store.update(id, changing({ a: '1' }, { expiresAt: now() + HOUR })), 'missing')
    assert.equal(await store.touch(id, renewing(before, now() + HOUR)), 'missing')
    assert.equal(await store.destroy(id), 'missing')
    assert.equal(await store.read(id), null)
    assert.equal(await store.create(id, before), true)
  })
}
