// What a store hands out for a record that it cannot read back.
import type { SessionRecord } from '../../types/store.js'

/** Something that no reader takes for a record: it counts as absent, and is logged by its id. */
export function corruptRecord (): SessionRecord {
  return { values: {}, createdAt: NaN, expiresAt: NaN, absoluteExpiresAt: NaN, version: NaN, owner: null, about: null, lifetime: null, verifier: '', earlier: [], generation: NaN, shown: false }
}
