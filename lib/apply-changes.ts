// What changes make of stored values: the one definition that the session and
// every store in this process share. Nothing is copied by `{ ...one }` alone: once
// such a copy is frozen, V8 gives it a hidden class of its own, which takes more
// memory than the copy and makes every look into it slow.
import type { SessionChanges, SessionLifetime, SessionRecord } from '../types/store.js'

type Encoded = SessionRecord['values']

/** The part of a change that concerns values. */
export type ValueChanges = Pick<SessionChanges, 'clear' | 'set' | 'remove'>

const NOTHING: Encoded = Object.freeze({})

/** The same record; nothing of it is shared. */
export function copiedRecord ({ values, createdAt, expiresAt, absoluteExpiresAt, version, generation = 0, owner, lifetime }: SessionRecord): SessionRecord {
  return { values: { ...NOTHING, ...values }, createdAt, expiresAt, absoluteExpiresAt, version, generation, owner, lifetime: copiedLifetime(lifetime) }
}

/** The record after the changes, one version on; nothing of it is shared with either. */
export function changedRecord (record: SessionRecord, changes: SessionChanges): SessionRecord {
  const { expiresAt = record.expiresAt, absoluteExpiresAt = record.absoluteExpiresAt, lifetime = record.lifetime } = changes
  const { createdAt, generation = 0, owner, version } = record
  return { values: applyChanges(record.values, changes), createdAt, expiresAt, absoluteExpiresAt, version: version + 1, generation, owner, lifetime: copiedLifetime(lifetime) }
}

/** The values after the changes; the ones given are left as they are. Spread, unlike assignment, is safe for `__proto__`. */
export function applyChanges (values: Encoded, { clear, set, remove }: ValueChanges): Encoded {
  const written = { ...(clear ? NOTHING : values), ...set }
  if (remove.length === 0) return written
  const gone = new Set(remove)
  return Object.fromEntries(Object.entries(written).filter(([key]) => !gone.has(key)))
}

function copiedLifetime (lifetime: SessionLifetime | null): SessionLifetime | null {
  return lifetime && { idle: lifetime.idle, absolute: lifetime.absolute, persistent: lifetime.persistent }
}
