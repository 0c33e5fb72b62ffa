// A record that cannot be decoded is no session, and no reason to fail.
import assert from 'node:assert/strict'
import { isRecord } from '../record/record.js'
import { changing, newId, renewing, type SuiteContext } from './context.js'

export function corruptRecordSuite ({ test, record, damage }: SuiteContext): void {
  for (const [index, damageRecord] of damage.entries()) {
    test(`a corrupt record reads as null or as no record at all, and makes way: ${damageRecord.name || index + 1}`, async (store) => {
      const id = newId()
      const before = record()
      await store.create(id, before)
      await damageRecord(store, id)
      assert.equal(isRecord(await store.read(id)), false)
      assert.equal(await store.update(id, changing({ a: '1' })), 'missing', 'an update finds nothing')
      assert.equal(await store.update(id, changing({ a: '1' }, { clear: true, maxSize: 99 })), 'missing', 'nor does one that clears')
      assert.equal(await store.touch(id, renewing(before, before.expiresAt + 1)), 'missing', 'nor does a renewal')
      assert.equal(await store.destroy(id, { ifGeneration: 0 }), 'missing', 'nor does an end with a condition')
      assert.equal(isRecord(await store.read(id)), false, 'and none of them made a record of it')
      await store.destroy(id)
      assert.equal(isRecord(await store.read(id)), false)
      assert.equal(await store.create(id, record()), true)
    })
  }
}
