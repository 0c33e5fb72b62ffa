// What changes make of a record: the one definition that the session and every
// store in this process share. Nothing is copied by `{ ...one }` alone: once
// such a copy is frozen, V8 gives it a hidden class of its own, which takes more
// memory than the copy and makes every look into it slow.
import { isSameLifetime, renewedExpiresAt } from './renewal.js'
import type { SessionChanges, SessionLifetime, SessionRecord, SessionRenewal } from '../../types/store.js'

type Encoded = SessionRecord['values']

/** The part of a change that concerns values. */
export type ValueChanges = Pick<SessionChanges, 'clear' | 'set' | 'remove'>

const EMPTY: Encoded = Object.freeze({})

/** The record after the changes, or why they do not apply. Shares nothing with either. */
export function applyChanges (record: SessionRecord, changes: SessionChanges): SessionRecord | 'conflict' | 'too-large' {
  const isRepeated = changes.verifier !== undefined && changes.verifier === record.verifier
  if (!meetsConditions(record, changes, isRepeated)) return 'conflict'
  const changed = changedRecord(record, isRepeated ? withoutToken(changes) : changes)
  const { maxSize } = changes
  return maxSize !== undefined && outgrows(changed.values, record.values, maxSize) ? 'too-large' : changed
}

/** The record after the changes, one version on, where their conditions hold. */
export function changedRecord (record: SessionRecord, changes: SessionChanges): SessionRecord {
  const renewed = changes.renewal === undefined ? null : renewedExpiresAt(record, changes.renewal)
  const { lifetime = record.lifetime, earlier = record.earlier, owner = record.owner, about = record.about } = changes
  return {
    values: changedValues(record.values, changes),
    createdAt: changes.createdAt ?? record.createdAt,
    expiresAt: changes.expiresAt ?? renewed ?? record.expiresAt,
    absoluteExpiresAt: changes.absoluteExpiresAt ?? record.absoluteExpiresAt,
    version: record.version + 1,
    owner,
    about,
    lifetime: copiedLifetime(lifetime),
    verifier: changes.verifier ?? record.verifier,
    earlier: copiedEarlier(earlier),
    generation: changes.generation ?? record.generation,
    shown: changes.shown ?? record.shown
  }
}

/** The record after the renewal; `null` when it has another lifetime by now. */
export function applyRenewal (record: SessionRecord, renewal: SessionRenewal): SessionRecord | null {
  const expiresAt = renewedExpiresAt(record, renewal)
  if (expiresAt === null) return null
  const { values, createdAt, absoluteExpiresAt, version, owner, about, lifetime, verifier, earlier, generation, shown } = record
  return { values, createdAt, expiresAt, absoluteExpiresAt, version, owner, about, lifetime, verifier, earlier, generation, shown }
}

/** The same record; nothing of it is shared. */
export function copiedRecord ({ values, createdAt, expiresAt, absoluteExpiresAt, version, owner, about, lifetime, verifier, earlier, generation, shown }: SessionRecord): SessionRecord {
  return { values: { ...EMPTY, ...values }, createdAt, expiresAt, absoluteExpiresAt, version, owner, about, lifetime: copiedLifetime(lifetime), verifier, earlier: copiedEarlier(earlier), generation, shown }
}

/** The values after the changes; the ones given are left as they are. Spread, unlike assignment, is safe for `__proto__`. */
export function changedValues (values: Encoded, { clear, set, remove }: ValueChanges): Encoded {
  const written = { ...(clear ? EMPTY : values), ...set }
  if (remove.length === 0) return written
  const removed = new Set(remove)
  return Object.fromEntries(Object.entries(written).filter(([key]) => !removed.has(key)))
}

/** The value of a key as it is stored, or `null`: `constructor` and `__proto__` are keys like any other. */
export function storedValue (values: Encoded, key: string): string | null {
  return Object.hasOwn(values, key) ? values[key] as string : null
}

/** The bytes that keys and values take in UTF-8. */
export function sizeOf (values: Encoded): number {
  let bytes = 0
  for (const key of Object.keys(values)) bytes += Buffer.byteLength(key) + Buffer.byteLength(values[key] as string)
  return bytes
}

/** A change whose verifier the record has already was applied before, and has changed what its conditions ask for. */
function meetsConditions (record: SessionRecord, { ifGeneration, ifVerifier, ifLifetime, ifValue }: SessionChanges, isRepeated: boolean): boolean {
  if (!isRepeated && ifGeneration !== undefined && ifGeneration !== record.generation) return false
  if (!isRepeated && ifVerifier !== undefined && ifVerifier !== record.verifier) return false
  if (!isRepeated && ifLifetime !== undefined && !isSameLifetime(ifLifetime, record.lifetime)) return false
  return ifValue === undefined || storedValue(record.values, ifValue.key) === ifValue.encoded
}

function withoutToken ({ verifier, earlier, generation, shown, ...changes }: SessionChanges): SessionChanges {
  return changes
}

/** Shrinking a session that is too large is always allowed. */
function outgrows (values: Encoded, before: Encoded, maxSize: number): boolean {
  if (maxBytes(values) <= maxSize) return false
  const size = sizeOf(values)
  return size > maxSize && size > sizeOf(before)
}

/** Upper bound of the size in bytes: a UTF-16 unit takes at most 3 bytes in UTF-8. */
function maxBytes (values: Encoded): number {
  let length = 0
  for (const key of Object.keys(values)) length += key.length + (values[key] as string).length
  return 3 * length
}

function copiedLifetime (lifetime: SessionLifetime | null): SessionLifetime | null {
  return lifetime && { idle: lifetime.idle, absolute: lifetime.absolute, persistent: lifetime.persistent }
}

const NONE_EARLIER: SessionRecord['earlier'] = Object.freeze([])

function copiedEarlier (earlier: SessionRecord['earlier']): SessionRecord['earlier'] {
  return earlier.length === 0 ? NONE_EARLIER : earlier.map(({ verifier, until, opens }) => Object.freeze({ verifier, until, opens }))
}
