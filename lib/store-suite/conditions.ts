// A change applies only where its conditions hold: as a whole or not at all.
import assert from 'node:assert/strict'
import type { SessionChanges } from '../../types/store.js'
import { changing, HOUR, newId, recordAt, renewing, same, type SuiteContext } from './context.js'

export function conditionSuite ({ test, now, record }: SuiteContext): void {
  test('an update whose condition does not hold answers conflict and writes nothing', async (store) => {
    const id = newId()
    const before = record({ values: { n: '1' }, generation: 2 })
    await store.create(id, before)
    const failing: Array<Partial<SessionChanges>> = [
      { ifGeneration: 0 }, { ifGeneration: 1 }, { ifGeneration: 3 }, { ifGeneration: 22 },
      { ifVerifier: newId() }, { ifLifetime: { idle: HOUR, absolute: HOUR, persistent: false } },
      { ifValue: { key: 'n', encoded: '2' } }, { ifValue: { key: 'n', encoded: null } }, { ifValue: { key: 'absent', encoded: '1' } }, { ifValue: { key: 'N', encoded: '1' } },
      { ifGeneration: 2, ifVerifier: before.verifier, ifValue: { key: 'n', encoded: '' } }, { ifGeneration: 1, ifValue: { key: 'n', encoded: '1' } }
    ]
    for (const condition of failing) {
      const change = changing({ n: '3' }, { ...condition, clear: true, verifier: newId(), generation: 7 })
      assert.equal(await store.update(id, { ...change, expiresAt: now() + 9 * HOUR }), 'conflict', JSON.stringify(condition))
      assert.equal(await store.update(id, { ...change, renewal: renewing(before, now() + 9 * HOUR) }), 'conflict', JSON.stringify(condition))
    }
    same(await store.read(id), before)
  })

  test('an update whose conditions hold is done', async (store) => {
    const id = newId()
    const before = record({ values: { n: '1', '\ud83d': '"half"' }, generation: 2 })
    await store.create(id, before)
    const holding: Array<Partial<SessionChanges>> = [
      { ifGeneration: 2 }, { ifVerifier: before.verifier }, { ifLifetime: null }, { ifValue: { key: 'n', encoded: '1' } }, { ifValue: { key: 'absent', encoded: null } },
      { ifValue: { key: '\ud83d', encoded: '"half"' } }, { ifGeneration: 2, ifVerifier: before.verifier, ifValue: { key: '__proto__', encoded: null } }
    ]
    for (const condition of holding) assert.equal(await store.update(id, changing({ other: '1' }, condition)), 'done', JSON.stringify(condition))
    same(await store.read(id), { ...before, values: { ...before.values, other: '1' }, version: holding.length })
  })

  test('of several conditions every one must hold', async (store) => {
    const id = newId()
    const lifetime = { idle: HOUR, absolute: 24 * HOUR, persistent: true }
    const before = record({ values: { n: '1' }, generation: 2, lifetime })
    await store.create(id, before)
    const holding: Partial<SessionChanges> = { ifGeneration: 2, ifVerifier: before.verifier, ifLifetime: lifetime, ifValue: { key: 'n', encoded: '1' } }
    const failing: Partial<SessionChanges> = { ifGeneration: 3, ifVerifier: newId(), ifLifetime: null, ifValue: { key: 'n', encoded: null } }
    const sets = setsOf(Object.keys(holding) as Array<keyof SessionChanges>)
    for (const names of sets) {
      const given = Object.fromEntries(names.map((name) => [name, holding[name]]))
      assert.equal(await store.update(id, changing({ other: '1' }, given)), 'done', names.join())
      for (const name of names) {
        assert.equal(await store.update(id, changing({ n: '2' }, { ...given, [name]: failing[name] })), 'conflict', `${names.join()}, but not ${name}`)
      }
    }
    same(await store.read(id), { ...before, values: { n: '1', other: '1' }, version: sets.length })
  })

  test('an update may ask for the lifetime of a session that has one of its own', async (store) => {
    const id = newId()
    const lifetime = { idle: HOUR, absolute: 24 * HOUR, persistent: true }
    await store.create(id, record({ lifetime }))
    for (const ifLifetime of [null, { ...lifetime, idle: 1 }, { ...lifetime, absolute: 1 }, { ...lifetime, persistent: false }]) {
      assert.equal(await store.update(id, changing({ a: '1' }, { ifLifetime })), 'conflict', JSON.stringify(ifLifetime))
    }
    assert.equal(await store.update(id, changing({ a: '1' }, { ifLifetime: { ...lifetime } })), 'done')
    assert.equal((await recordAt(store, id)).version, 1)
  })

  test('a value is compared with what is stored, also when the update drops it', async (store) => {
    const id = newId()
    await store.create(id, record({ values: { coupon: '"é🔑"' } }))
    assert.equal(await store.update(id, changing({}, { remove: ['coupon'], ifValue: { key: 'coupon', encoded: '"e"' } })), 'conflict')
    assert.equal(await store.update(id, changing({}, { remove: ['coupon'], ifValue: { key: 'coupon', encoded: '"é🔑"' } })), 'done')
    assert.equal(await store.update(id, changing({}, { remove: ['coupon'], ifValue: { key: 'coupon', encoded: '"é🔑"' } })), 'conflict')
  })

  test('update refuses what leaves more than maxSize, and writes nothing', async (store) => {
    const id = newId()
    const before = record({ values: { ä: '"é"', old: '1234' } })
    await store.create(id, before)
    // 6 bytes stay: the key takes 2 in UTF-8, the value 4
    assert.equal(await store.update(id, changing({ '🔑': '12345' }, { remove: ['old'], maxSize: 14 })), 'too-large')
    assert.equal(await store.update(id, changing({ '\ud83d"\\\n': '123' }, { remove: ['old'], maxSize: 14 })), 'too-large')
    const whole = changing({ '🔑': '1'.repeat(20) }, { clear: true, maxSize: 14, verifier: newId(), generation: 1 })
    assert.equal(await store.update(id, { ...whole, expiresAt: now() + 9 * HOUR }), 'too-large')
    assert.equal(await store.update(id, { ...whole, renewal: renewing(before, now() + 9 * HOUR) }), 'too-large')
    same(await store.read(id), before)
    assert.equal(await store.update(id, changing({ '🔑': '1' }, { clear: true, maxSize: 4 })), 'done')
    assert.equal(await store.update(id, changing({ '🔑': '12345' }, { maxSize: 9 })), 'done')
    assert.equal(await store.update(id, changing({ '\ud83d"\\\n': '12' }, { clear: true, maxSize: 8 })), 'done')
    assert.deepEqual({ ...(await recordAt(store, id)).values }, { '\ud83d"\\\n': '12' })
  })

  test('a record that is too large may shrink, and not grow', async (store) => {
    const id = newId()
    await store.create(id, record({ values: { a: '1234567890', b: '1234567890' } }))
    assert.equal(await store.update(id, changing({ c: '1' }, { maxSize: 10 })), 'too-large')
    assert.equal(await store.update(id, changing({ a: '123456789' }, { maxSize: 10 })), 'done')
    assert.equal(await store.update(id, changing({ c: '1' }, { remove: ['b'], maxSize: 10 })), 'done')
    assert.equal(await store.update(id, changing({ c: '2' }, { maxSize: 10 })), 'done')
    assert.equal(await store.update(id, changing({ c: '22' }, { maxSize: 10 })), 'too-large')
    assert.equal(await store.update(id, changing({ d: '1'.repeat(100) }, { ifGeneration: 9, maxSize: 10 })), 'conflict')
    assert.equal(await store.update(id, changing({}, { remove: ['a'], maxSize: 1 })), 'done')
    assert.deepEqual({ ...(await recordAt(store, id)).values }, { c: '2' })
  })

  test('parallel updates do not outgrow maxSize together', async (store) => {
    const id = newId()
    await store.create(id, record({ values: {} }))
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => store.update(id, changing({ [`key${10 + index}`]: 'x'.repeat(95) }, { maxSize: 350 }))))
    assert.equal(answers.filter((answer) => answer === 'done').length, 3)
    assert.equal(answers.filter((answer) => answer === 'too-large').length, 17)
    assert.equal(Object.keys((await recordAt(store, id)).values).length, 3)
  })
}

/** Every set of these names but the empty one. */
function setsOf<T> (names: T[]): T[][] {
  return Array.from({ length: 2 ** names.length - 1 }, (_, index) => names.filter((_name, place) => ((index + 1) >> place) % 2 === 1))
}
