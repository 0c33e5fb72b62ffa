// What a store may do beyond one record: say what it can, tell of ends, and list all ids.
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { changing, newId, type SuiteContext } from './context.js'
import type { EndReason } from '../../types/store.js'

const PATIENCE = 2000

export function wholeStoreSuite ({ test, record }: SuiteContext): void {
  test('atomicAcross and durable, where the store has them, say what the contract knows', async (store) => {
    await store.open?.()
    const { atomicAcross, durable } = store
    assert.ok([undefined, 'process', 'machine', 'cluster'].includes(atomicAcross), `atomicAcross is ${inspect(atomicAcross)}: give 'process', 'machine' or 'cluster', or leave it out`)
    assert.ok([undefined, true, false].includes(durable), `durable is ${inspect(durable)}: give true or false, or leave it out`)
  })

  test('onEnded tells which sessions ended and why, and nothing else, until it is stopped', async (store) => {
    if (store.onEnded === undefined) return
    const told: Array<[id: string, reason: EndReason | null]> = []
    const stop = new AbortController()
    await store.onEnded((id, reason) => { told.push([id, reason]) }, stop.signal)
    const [lives, ends, last, late] = [newId(), newId(), newId(), newId()]
    for (const id of [lives, ends, last, late]) await store.create(id, record())
    await store.update(lives, changing({ user: '7' }))
    await store.destroy(lives, { ifGeneration: 7, reason: 'logout' })
    await store.destroy(newId(), { reason: 'logout' })
    await store.destroy(ends, { reason: 'revoked' })
    await store.destroy(last)
    for (let waited = 0; waited < PATIENCE && !told.some(([id]) => id === last); waited += 10) await delay(10)
    const ours = told.filter(([id]) => [lives, ends, last].includes(id))
    assert.deepEqual(ours, [[ends, 'revoked'], [last, null]])
    stop.abort()
    await store.destroy(late, { reason: 'logout' })
    await delay(20)
    assert.ok(!told.some(([id]) => id === late), 'it told of one after it was stopped')
  })

  test('ids has every session that lives, whatever is created and ended in between', async (store) => {
    if (store.ids === undefined) return
    const [live, ended] = [Array.from({ length: 30 }, newId), Array.from({ length: 30 }, newId)]
    for (const id of [...live, ...ended]) await store.create(id, record())
    const found = new Set<string>()
    for await (const slice of store.ids()) {
      for (const id of slice) found.add(id)
      await store.create(newId(), record())
      await store.destroy(ended.pop() ?? newId())
    }
    assert.deepEqual(live.filter((id) => !found.has(id)), [])
  })
}
