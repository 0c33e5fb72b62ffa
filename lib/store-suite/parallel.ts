// Each function is one atomic step, however many calls are under way at once.
import assert from 'node:assert/strict'
import { assertEnded, changing, HOUR, newId, recordAt, renewing, type SuiteContext } from './context.js'
import type { SessionStore, UpdateResult } from '../../types/store.js'

const MANY = 50

export function parallelSuite ({ test, now, record }: SuiteContext): void {
  test('parallel updates of different keys all win', async (store) => {
    const id = newId()
    await store.create(id, record({ values: { old: '1' } }))
    const answers = await Promise.all(times(MANY, (index) => store.update(id, changing({ [`key${index}`]: String(index) }, { remove: index === 7 ? ['old'] : [] }))))
    assert.deepEqual(new Set(answers), new Set(['done']))
    const found = await recordAt(store, id)
    assert.deepEqual(Object.keys(found.values).sort(), times(MANY, (index) => `key${index}`).sort())
    assert.equal(found.version, MANY)
  })

  test('of parallel rotations of one token exactly one is done', async (store) => {
    const id = newId()
    const { verifier, ...rest } = record()
    await store.create(id, { verifier, ...rest })
    const verifiers = times(MANY, newId)
    const answers = await Promise.all(verifiers.map((next) => store.update(id, changing({ winner: next }, { ifVerifier: verifier, verifier: next }))))
    assert.equal(answers.filter((answer) => answer === 'done').length, 1)
    assert.equal(answers.filter((answer) => answer === 'conflict').length, MANY - 1)
    const found = await recordAt(store, id)
    assert.equal(found.verifier, verifiers[answers.indexOf('done')])
    assert.equal(found.values.winner, found.verifier)
    assert.equal(found.version, 1)
  })

  test('a counter that compares its value and tries again loses no count', async (store) => {
    const id = newId()
    await store.create(id, record({ values: { count: '0' } }))
    await Promise.all(times(MANY, () => countUp(store, id)))
    assert.equal((await recordAt(store, id)).values.count, String(MANY))
  })

  test('of parallel creates of one id exactly one is told true', async (store) => {
    const id = newId()
    const answers = await Promise.all(times(MANY, (index) => store.create(id, record({ values: { winner: String(index) } }))))
    assert.equal(answers.filter((answer) => answer).length, 1)
    assert.equal((await recordAt(store, id)).values.winner, String(answers.indexOf(true)))
  })

  test('of parallel destroys exactly one is told that it ended the session', async (store) => {
    const id = newId()
    await store.create(id, record())
    const answers = await Promise.all(times(MANY, () => store.destroy(id)))
    assert.equal(answers.filter((answer) => answer === 'done').length, 1)
    assert.equal(answers.filter((answer) => answer === 'missing').length, MANY - 1)
  })

  test('a destroy between other calls ends the session for good', async (store) => {
    for (let round = 0; round < 10; round++) {
      const id = newId()
      const before = record()
      await store.create(id, before)
      await Promise.all(times(20, (index) => {
        if (index === 10) return store.destroy(id)
        return index % 2 === 0 ? store.update(id, changing({ a: '1' }, { expiresAt: now() + HOUR })) : store.touch(id, renewing(before, now() + HOUR))
      }))
      await assertEnded(store, id)
    }
  })

  test('a read sees an update as a whole or not at all', async (store) => {
    const id = newId()
    await store.create(id, record({ values: { left: '0', right: '0' } }))
    const progress = { isDone: false }
    const write = async () => {
      try {
        for (let value = 1; value <= MANY; value++) {
          await store.update(id, changing({ left: String(value), right: String(value) }, { clear: value % 2 === 0 }))
        }
      } finally {
        progress.isDone = true
      }
    }
    const watch = async () => {
      while (!progress.isDone) {
        const found = await recordAt(store, id)
        assert.equal(found.values.left, found.values.right)
        assert.equal(found.values.left, String(found.version))
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
    const found = await recordAt(store, id)
    const { count } = found.values
    answer = await store.update(id, changing({ count: String(Number(count) + 1) }, { ifValue: { key: 'count', encoded: count as string } }))
  } while (answer === 'conflict')
  assert.equal(answer, 'done')
}

function times<T> (count: number, run: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => run(index))
}
