// What changes make of stored values: the one definition that the session and
// every store in this process share.
import type { SessionChanges, SessionRecord } from '../types/store.js'

type Encoded = SessionRecord['values']

/** The part of a change that concerns values. */
export type ValueChanges = Pick<SessionChanges, 'clear' | 'set' | 'remove'>

/** The record after the changes, one version on; nothing of it is shared with either. */
export function changedRecord (record: SessionRecord, changes: SessionChanges): SessionRecord {
  const { expiresAt = record.expiresAt, absoluteExpiresAt = record.absoluteExpiresAt, lifetime = record.lifetime } = changes
  const { createdAt, owner, version } = record
  return { values: applyChanges(record.values, changes), createdAt, expiresAt, absoluteExpiresAt, version: version + 1, owner, lifetime: lifetime && { ...lifetime } }
}

/** The values after the changes; the ones given are left as they are. Spread, unlike assignment, is safe for `__proto__`. */
export function applyChanges (values: Encoded, { clear, set, remove }: ValueChanges): Encoded {
  const written = clear ? { ...set } : { ...values, ...set }
  if (remove.length === 0) return written
  const gone = new Set(remove)
  return Object.fromEntries(Object.entries(written).filter(([key]) => !gone.has(key)))
}
