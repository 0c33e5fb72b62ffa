// Each function is one atomic step, however many calls are under way at once.
import assert from 'node:assert/strict'
import { changing, HOUR, newId, type SuiteContext } from './context.js'
import type { SessionStore, UpdateResult } from '../../types/store.js'

const MANY = 50

export function parallelSuite ({ test, now, record }: SuiteContext): void {
  test('parallel updates of different keys all win', async (store) => {
    const id = newId()
    await store.create(id, record({ values: { gone: '1' } }))
    const answers = await Promise.all(times(MANY, (index) => store.update(id, changing({ [`key${index}`]: String(index) }, { remove: index === 7 ? ['gone'] : [] }))))
    assert.deepEqual(new Set(answers), new Set(['done']))
    const found = await store.read(id)
    assert.deepEqual(Object.keys(found?.values ?? {}).sort(), times(MANY, (index) => `key${index}`).sort())
    assert.equal(found?.version, MANY)
  })

  test('of parallel updates of one version exactly one is done', async (store) => {
    const id = newId()
    await store.create(id, record())
    const answers = await Promise.all(times(MANY, (index) => store.update(id, changing({ winner: String(index) }, { ifVersion: 0 }))))
    const winners = answers.flatMap((answer, index) => answer === 'done' ? [String(index)] : [])
    assert.equal(winners.length, 1)
    assert.equal(answers.filter((answer) => answer === 'conflict').length, MANY - 1)
    const found = await store.read(id)
    assert.equal(found?.values.winner, winners[0])
    assert.equal(found?.version, 1)
  })

  test('a counter that compares versions and tries again loses no count', async (store) => {
    const id = newId()
    await store.create(id, record({ values: { count: '0' } }))
    await Promise.all(times(20, () => countUp(store, id)))
    assert.equal((await store.read(id))?.values.count, '20')
  })

  test('of parallel creates of one id exactly one is told true', async (store) => {
    const id = newId()
    const answers = await Promise.all(times(MANY, (index) => store.create(id, record({ values: { winner: String(index) } }))))
    assert.equal(answers.filter((answer) => answer).length, 1)
    assert.equal((await store.read(id))?.values.winner, String(answers.indexOf(true)))
  })

  test('of parallel replaces exactly one wins, and the others leave nothing behind', async (store) => {
    const old = newId()
    await store.create(old, record())
    const ids = times(MANY, newId)
    const answers = await Promise.all(ids.map((id, index) => store.replace(old, id, record({ values: { winner: String(index) } }), index % 2 === 0 ? 0 : undefined)))
    assert.equal(answers.filter((answer) => answer).length, 1)
    assert.equal(await store.read(old), null)
    const found = await Promise.all(ids.map((id) => store.read(id)))
    assert.deepEqual(found.map((each) => each !== null), answers)
    assert.equal(found[answers.indexOf(true)]?.values.winner, String(answers.indexOf(true)))
  })

  test('a destroy between other calls ends the session for good', async (store) => {
    for (let round = 0; round < 10; round++) {
      const id = newId()
      await store.create(id, record())
      await Promise.all(times(20, (index) => {
        if (index === 10) return store.destroy(id)
        return index % 2 === 0 ? store.update(id, changing({ a: '1' }, { expiresAt: now() + HOUR })) : store.touch(id, now() + HOUR)
      }))
      assert.equal(await store.read(id), null)
    }
  })

  test('a read sees an update as a whole or not at all', async (store) => {
    const id = newId()
    await store.create(id, record({ values: { left: '0', right: '0' } }))
    const progress = { isOver: false }
    const write = async () => {
      try {
        for (let value = 1; value <= MANY; value++) {
          await store.update(id, changing({ left: String(value), right: String(value) }, { clear: value % 2 === 0 }))
        }
      } finally {
        progress.isOver = true
      }
    }
    const watch = async () => {
      while (!progress.isOver) {
        const found = await store.read(id)
        assert.equal(found?.values.left, found?.values.right)
        assert.equal(found?.values.left, String(found?.version))
        await new Promise(setImmediate)
      }
    }
    await Promise.all([write(), watch()])
  })
}

async function countUp (store: SessionStore, id: string): Promise<void> {
  let answer: UpdateResult
  let rounds = 0
  do {
    assert.ok(++rounds <= 1000, 'every update is told that it is a conflict')
    const found = await store.read(id)
    assert.ok(found)
    answer = await store.update(id, changing({ count: String(Number(found.values.count) + 1) }, { ifVersion: found.version }))
  } while (answer === 'conflict')
  assert.equal(answer, 'done')
}

function times<T> (count: number, run: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => run(index))
}
