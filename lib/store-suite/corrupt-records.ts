// A record that cannot be decoded is no session, and no reason to fail.
import assert from 'node:assert/strict'
import { isRecord } from '../record/record.js'
import { newId, type SuiteContext } from './context.js'

export function corruptRecordSuite ({ test, record, damage }: SuiteContext): void {
  for (const [index, damageRecord] of damage.entries()) {
    test(`a corrupt record reads as null or as no record at all, and makes way: ${damageRecord.name || index + 1}`, async (store) => {
      const id = newId()
      await store.create(id, record())
      await damageRecord(store, id)
      assert.equal(isRecord(await store.read(id)), false)
      await store.destroy(id)
      assert.equal(isRecord(await store.read(id)), false)
      assert.equal(await store.create(id, record()), true)
    })
  }
}
