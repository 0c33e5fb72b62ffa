// What a store hands out for a record that it cannot read back.
import type { SessionRecord } from '../../types/store.js'

/** Something that no reader takes for a record: it is logged by its id, and removed. */
export function brokenRecord (): SessionRecord {
  return { values: {}, createdAt: NaN, expiresAt: NaN, absoluteExpiresAt: NaN, version: NaN, generation: NaN, owner: null, lifetime: null }
}
