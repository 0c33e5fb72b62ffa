// One session as the MemoryStore holds it.
import type { SessionRecord } from '../../../types/store.js'
import type { Evictable } from './eviction-order.js'

export interface Entry extends Evictable {
  readonly id: string
  record: SessionRecord
  bytes: number
  /** The part of them that the keys take. */
  keyBytes: number
}
