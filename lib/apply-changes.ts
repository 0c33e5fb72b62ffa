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

/** Whether changes leave more than `maxSize`, and more than there was: whoever makes a session smaller may always do so. */
export function outgrows (before: Encoded, after: Encoded, maxSize: number | undefined): boolean {
  if (maxSize === undefined || 3 * lengthOf(after) <= maxSize) return false
  const size = sizeOf(after)
  return size > maxSize && size > sizeOf(before)
}

/** What the keys and values take, in bytes of UTF-8. */
export function sizeOf (values: Encoded): number {
  let bytes = 0
  for (const key of Object.keys(values)) bytes += Buffer.byteLength(key) + Buffer.byteLength(values[key] as string)
  return bytes
}

/** Found without a look at each character. One of these takes at most 3 bytes of UTF-8. */
function lengthOf (values: Encoded): number {
  let length = 0
  for (const key of Object.keys(values)) length += key.length + (values[key] as string).length
  return length
}

function copiedLifetime (lifetime: SessionLifetime | null): SessionLifetime | null {
  if (lifetime === null) return null
  const { idle, absolute, persistent, from } = lifetime
  return from === undefined ? { idle, absolute, persistent } : { idle, absolute, persistent, from }
}
