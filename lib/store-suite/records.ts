// What goes in comes out.
import assert from 'node:assert/strict'
import { decode, encode } from '../record/codec.js'
import { changing, newId, recordAt, same, sixteenEarlier, type SuiteContext } from './context.js'
import type { SessionRecord } from '../../types/store.js'

const strangeKeys = [
  '', ' ', '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', 'get', 'save', 'id', 'version', 'values',
  'a', 'A', 'e', 'v', 'n', ':', ':a', '"a"', '{a}', 'a.b', 'a[0]', '$set', 'a\nb', 'a\u0000b', '\u0000', 'é', 'é'.normalize('NFD'),
  '鍵', '🔑', '\ud83d', '\udd11', "'; --", '%s', '*', '0', '1', '-1', 'x'.repeat(1000)
]

const richValues = {
  json: { a: [1, 'two', null, true, { deep: [] }] },
  numbers: [0, -0, 1e308, -1.5, NaN, Infinity],
  date: new Date(0),
  map: new Map<unknown, unknown>([['a', new Set([1n, undefined])]]),
  bytes: new Uint8Array([0, 127, 128, 255]),
  text: 'line\nnul\u0000 half \ud83d key 🔑 " \\ é',
  rich: new Map([['half', '\udd11']])
}

export function recordSuite ({ test, record }: SuiteContext): void {
  test('read answers null when there is no record', async (store) => {
    assert.equal(await store.read(newId()), null)
  })

  test('read answers with the whole record that create wrote', async (store) => {
    const id = newId()
    const written = record({
      owner: 'user:42',
      version: 7,
      generation: 2,
      lifetime: { idle: 60_000, absolute: 86_400_000, persistent: true },
      earlier: sixteenEarlier(),
      shown: false
    })
    assert.equal(await store.create(id, written), true)
    same(await store.read(id), written)
  })

  test('a record may hold nothing, have begun at 0, and have neither owner nor lifetime', async (store) => {
    const id = newId()
    const written = record({ values: {}, createdAt: 0 })
    assert.equal(await store.create(id, written), true)
    same(await store.read(id), written)
  })

  test('create answers false when the id is taken, and leaves what is there', async (store) => {
    const id = newId()
    const first = record()
    await store.create(id, first)
    assert.equal(await store.create(id, record({ values: { other: '1' }, owner: 'somebody' })), false)
    same(await store.read(id), first)
  })

  test('ids differ by case, and by every character', async (store) => {
    const id = newId().slice(0, 40)
    const ids = [`${id}abc`, `${id}abC`, `${id}ab-`, `${id}ab_`]
    for (const [index, each] of ids.entries()) assert.equal(await store.create(each, record({ values: { index: String(index) } })), true)
    for (const [index, each] of ids.entries()) assert.equal((await recordAt(store, each)).values.index, String(index))
  })

  test('what the caller does with a record it gave or got never reaches the store', async (store) => {
    const id = newId()
    const given = record({ lifetime: { idle: 60_000, absolute: 86_400_000, persistent: true }, earlier: sixteenEarlier() })
    await store.create(id, given)
    const before = structuredClone(given)
    tamper(given)
    tamper(await recordAt(store, id))
    same(await store.read(id), before)

    const changes = changing({ user: '43', name: '"Bob"' }, { lifetime: { idle: 1000, absolute: 2000, persistent: false }, earlier: sixteenEarlier().reverse() })
    const { set: values, lifetime, earlier } = structuredClone(changes)
    await store.update(id, changes)
    tamper({ ...before, ...changes, values: changes.set } as SessionRecord)
    tamper(await recordAt(store, id))
    same(await store.read(id), { ...before, values, lifetime, earlier, version: 1 } as SessionRecord)
  })

  test('any string is a key', async (store) => {
    const [created, updated] = [newId(), newId()]
    const entries = strangeKeys.map((key, index) => [key, String(index)])
    await store.create(created, record({ values: Object.fromEntries(entries) }))
    await store.create(updated, record({ values: {} }))
    assert.equal(await store.update(updated, changing(Object.fromEntries(entries))), 'done')
    for (const id of [created, updated]) {
      assert.deepEqual(sorted(Object.entries((await recordAt(store, id)).values)), sorted(entries))
    }
  })

  test('a condition may ask for any key', async (store) => {
    const id = newId()
    await store.create(id, record({ values: {} }))
    for (const [index, key] of strangeKeys.entries()) {
      const encoded = String(index)
      const title = JSON.stringify(key)
      assert.equal(await store.update(id, changing({ [key]: encoded }, { ifValue: { key, encoded: null } })), 'done', title)
      assert.equal(await store.update(id, changing({ [key]: '"twice"' }, { ifValue: { key, encoded: null } })), 'conflict', title)
      assert.equal(await store.update(id, changing({}, { ifValue: { key, encoded } })), 'done', title)
    }
    assert.deepEqual(sorted(Object.entries((await recordAt(store, id)).values)), sorted(strangeKeys.map((key, index) => [key, String(index)])))
  })

  test('the owner may be any string', async (store) => {
    for (const owner of ['', ' ', 'null', '0', ':', '"a"', 'a\u0000b\n', 'é🔑', 'half \ud83d', 'x'.repeat(1000)]) {
      const id = newId()
      await store.create(id, record({ owner }))
      await store.update(id, changing({ a: '1' }))
      assert.equal((await recordAt(store, id)).owner, owner, JSON.stringify(owner))
    }
  })

  test('any key can be removed, and takes no other along', async (store) => {
    const id = newId()
    await store.create(id, record({ values: Object.fromEntries(strangeKeys.map((key) => [key, '1'])) }))
    const left = [...strangeKeys]
    for (const key of strangeKeys.slice(0, -1)) {
      left.shift()
      assert.equal(await store.update(id, changing({}, { remove: [key] })), 'done')
      assert.deepEqual(sorted(Object.keys((await recordAt(store, id)).values)), sorted(left), `after removing ${JSON.stringify(key)}`)
    }
  })

  test('rich values come back as they were', async (store) => {
    const id = newId()
    await store.create(id, record({ values: {} }))
    await store.update(id, changing(Object.fromEntries(Object.entries(richValues).map(([key, value]) => [key, encode(key, value)]))))
    const found = await recordAt(store, id)
    for (const [key, value] of Object.entries(richValues)) assert.deepEqual(decode(found.values[key] as string), value, key)
  })

  test('a value of a megabyte comes back whole', async (store) => {
    const id = newId()
    const large = JSON.stringify('é🔑x'.repeat(150_000))
    await store.create(id, record({ values: { large } }))
    assert.equal((await recordAt(store, id)).values.large === large, true)
    await store.update(id, changing({ large: `${large} ` }))
    assert.equal((await recordAt(store, id)).values.large === `${large} `, true)
  })

  test('thousands of keys come back', async (store) => {
    const id = newId()
    const values = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`key${index}`, String(index)]))
    await store.create(id, record({ values }))
    assert.deepEqual({ ...(await recordAt(store, id)).values }, values)
    await store.update(id, changing({ one: '1' }, { remove: Object.keys(values) }))
    assert.deepEqual({ ...(await recordAt(store, id)).values }, { one: '1' })
  })
}

function tamper (record: SessionRecord): void {
  const { values, earlier, lifetime } = record as unknown as { values: Record<string, string>, earlier: Array<{ opens: boolean }>, lifetime: { idle: number } }
  for (const change of [
    () => { values.user = '"tampered"' },
    () => { delete values.name },
    () => { (record as { expiresAt: number }).expiresAt = 0 },
    () => { lifetime.idle = 1 },
    () => { for (const each of earlier) each.opens = true },
    () => { earlier.pop() }
  ]) {
    try {
      change()
    } catch (error) {
      // a frozen record is the other way to keep this
      assert.ok(error instanceof TypeError)
    }
  }
}

function sorted<T> (list: T[]): T[] {
  return [...list].sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
}
