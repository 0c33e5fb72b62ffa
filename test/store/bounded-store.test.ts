// What a store answers, checked before anybody believes it.
import t from 'tap'
import { StoreError } from '../../lib/errors.js'
import { boundedCall } from '../../lib/store/bounded-call.js'
import { boundOwners, boundStore } from '../../lib/store/bounded-store.js'
import type { SessionOwners } from '../../types/owners.js'
import type { SessionStore } from '../../types/store.js'

const call = boundedCall(1000, () => {})

t.test('an addition is one of three results and a list of ids', async (t) => {
  for (const result of ['done', 'refused', 'ended']) {
    const owners = boundOwners({ add: () => ({ result, marked: ['a'] }) } as unknown as SessionOwners, call)
    t.same(await owners.add('owner', 'id', { expiresAt: 1 }), { result, marked: ['a'] })
  }
  for (const answer of [null, undefined, 7, {}, { result: 'done' }, { result: 'more', marked: [] }, { result: 'done', marked: [7] }]) {
    for (const add of [() => answer, async () => answer]) {
      const owners = boundOwners({ add } as unknown as SessionOwners, call)
      await t.rejects(async () => { await owners.add('owner', 'id', { expiresAt: 1 }) }, StoreError, JSON.stringify(answer))
    }
  }
})

t.test('what throws when it is looked at is a failure of the store', async (t) => {
  const answer = new Proxy({}, { has: () => { throw new Error('secret') }, get: (_target, name) => { if (name === 'then') return undefined; throw new Error('secret') } })
  for (const read of [() => answer, async () => answer]) {
    const store = boundStore({ read } as unknown as SessionStore, call)
    await t.rejects(async () => { await store.read('id') }, StoreError)
  }
})
