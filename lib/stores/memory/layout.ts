// How the values of a session lie in memory, and what that takes. The figures are
// measured; a test holds them against V8.
import type { EarlierVerifier, SessionChanges, SessionRecord } from '../../../types/store.js'
import { copiedRecord } from '../../record/apply-changes.js'
import type { KnownShapes } from './known-shapes.js'
import { compact, nameSize, stringSize } from './string-size.js'

type Values = SessionRecord['values']

// Entry, record, dates, its part of a Map and of the queue.
const SESSION = 400
const LIFETIME = 64
const EARLIER = 64
// The list of an owner with one session.
const LISTED = 360

const SLOT = 8

// An object without a hidden class is a hash table of its own.
const TABLE = 256
const TABLE_SLOT = 72

/** Values as they are kept: frozen, so that they can be handed out. */
export interface Layout {
  readonly values: Values
  /** What their keys take. */
  readonly keyBytes: number
}

/** Lays out values that nobody else holds. */
export function layOut (values: Values, shapes: KnownShapes): Layout {
  const keys = Object.keys(values)
  if (shapes.includes(keys)) return { values: Object.freeze(values), keyBytes: keys.length * SLOT }
  const table: Record<string, string> = Object.create(null)
  let keyBytes = TABLE
  for (const key of keys) {
    table[key] = values[key] as string
    keyBytes += TABLE_SLOT + nameSize(key)
  }
  return { values: Object.freeze(table), keyBytes }
}

/** Replaces these values, which nobody else holds yet, by copies that hold nothing else in memory. */
export function compactValues (values: Values, keys: readonly string[]): void {
  for (const key of keys) {
    if (Object.hasOwn(values, key)) (values as Record<string, string>)[key] = compact(values[key] as string)
  }
}

/** What the values of these keys take; an absent one takes nothing. */
export function valueBytes (values: Values, keys: Iterable<string>): number {
  let bytes = 0
  for (const key of keys) if (Object.hasOwn(values, key)) bytes += stringSize(values[key] as string)
  return bytes
}

/** A copy of a record as it is kept, and what it takes; `keyBytes` of that for its keys. */
export function keptRecord (id: string, given: SessionRecord, shapes: KnownShapes): { record: SessionRecord, bytes: number, keyBytes: number } {
  const record = copiedRecord(given)
  const keys = Object.keys(record.values)
  compactValues(record.values, keys)
  const { values, keyBytes } = layOut(record.values, shapes)
  return { record: withValues(record, values), bytes: sessionBytes(id, record) + keyBytes + valueBytes(values, keys), keyBytes }
}

/** What a session takes besides its values and their keys. */
export function sessionBytes (id: string, record: SessionRecord): number {
  return SESSION + stringSize(id) + stringSize(record.verifier) + partBytes(record)
}

/** The parts that not every session has. */
function partBytes ({ owner, about, lifetime, earlier }: SessionRecord): number {
  return ownerBytes(owner) + (about === null ? 0 : stringSize(about)) + lifetimeBytes(lifetime) + earlierBytes(earlier)
}

function ownerBytes (owner: string | null): number {
  return owner === null ? 0 : LISTED + stringSize(owner)
}

function earlierBytes (earlier: SessionRecord['earlier']): number {
  return earlier.reduce((bytes, { verifier }) => bytes + EARLIER + stringSize(verifier), 0)
}

function lifetimeBytes (lifetime: SessionRecord['lifetime']): number {
  return lifetime === null ? 0 : LIFETIME
}

/** As it is kept: nobody who reads it can change it, and it holds nothing else in memory. `old` is what it was made from. */
export function withValues (record: SessionRecord, values: Values, old: SessionRecord | null = null): SessionRecord {
  const { createdAt, expiresAt, absoluteExpiresAt, version, owner, about, lifetime, verifier, earlier, generation, shown } = record
  return Object.freeze({
    values,
    createdAt,
    expiresAt,
    absoluteExpiresAt,
    version,
    owner: owner === null || owner === old?.owner ? owner : compact(owner),
    about: about === null || about === old?.about ? about : compact(about),
    lifetime: lifetime && Object.freeze(lifetime),
    verifier: verifier === old?.verifier ? verifier : compact(verifier),
    earlier: Object.freeze(earlier.map(compactEarlier)),
    generation,
    shown
  })
}

function compactEarlier ({ verifier, until, opens }: EarlierVerifier): EarlierVerifier {
  return Object.freeze({ verifier: compact(verifier), until, opens })
}

/** What values and parts take more than before. */
export function growthOf (old: SessionRecord, record: SessionRecord, { clear, remove }: SessionChanges, set: readonly string[]): number {
  const besides = partBytes(record) - partBytes(old)
  if (clear) return besides + valueBytes(record.values, Object.keys(record.values)) - valueBytes(old.values, Object.keys(old.values))
  const keys = remove.length === 0 ? set : new Set([...set, ...remove])
  return besides + valueBytes(record.values, keys) - valueBytes(old.values, keys)
}
