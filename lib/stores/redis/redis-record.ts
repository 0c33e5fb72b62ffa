// A session as a Redis hash: one field per key, so that two requests merge inside
// Redis, and the rest in fields of one letter, which no key can take.
import type { SessionChanges, SessionRecord } from '../../../types/store.js'
import { corruptRecord } from '../../record/corrupt-record.js'

// The scripts know these names too.
const VERSION = 'v'
const EXPIRES_AT = 'e'
const CREATED_AT = 'c'
const ABSOLUTE_EXPIRES_AT = 'a'
const OWNER = 'o'
const LIFETIME = 'l'
const NONCE = 'n'
const GENERATION = 'g'

/** Field, value, field, value. */
export type Fields = string[]

/** The fields of a whole record. */
export function recordFields (record: SessionRecord): Fields {
  return [
    VERSION, String(record.version),
    EXPIRES_AT, String(record.expiresAt),
    CREATED_AT, String(record.createdAt),
    ABSOLUTE_EXPIRES_AT, String(record.absoluteExpiresAt),
    ...(record.generation > 0 ? [GENERATION, String(record.generation)] : []),
    ...(record.owner === null ? [] : [OWNER, asText(record.owner)]),
    ...(record.lifetime === null ? [] : [LIFETIME, JSON.stringify(record.lifetime)]),
    ...valueFields(record.values)
  ]
}

/** What an update writes and drops; with a nonce it is known again when it arrives twice. */
export function changedFields (changes: SessionChanges, nonce: string | null): { set: Fields, remove: string[] } {
  const { expiresAt, absoluteExpiresAt, lifetime } = changes
  return {
    set: [
      ...(expiresAt === undefined ? [] : [EXPIRES_AT, String(expiresAt)]),
      ...(absoluteExpiresAt === undefined ? [] : [ABSOLUTE_EXPIRES_AT, String(absoluteExpiresAt)]),
      ...(lifetime === undefined || lifetime === null ? [] : [LIFETIME, JSON.stringify(lifetime)]),
      ...(nonce === null ? [] : [NONCE, nonce]),
      ...valueFields(changes.set)
    ],
    remove: [...(lifetime === null ? [LIFETIME] : []), ...changes.remove.map(asText)]
  }
}

/**
 * The record again; `null` when there is none. What is damaged comes out as
 * something that no reader takes for a record.
 */
export function recordOf (entries: ReadonlyArray<[field: string, value: string]>): SessionRecord | null {
  if (entries.every(([field]) => field === NONCE)) return null
  const fields = new Map<string, string>()
  const values: Array<[key: string, value: string]> = []
  try {
    for (const [field, value] of entries) {
      if (isKey(field)) values.push([ofText(field), value])
      else fields.set(field, value)
    }
    return {
      values: Object.fromEntries(values),
      createdAt: wholeNumber(fields.get(CREATED_AT)),
      expiresAt: wholeNumber(fields.get(EXPIRES_AT)),
      absoluteExpiresAt: wholeNumber(fields.get(ABSOLUTE_EXPIRES_AT)),
      version: wholeNumber(fields.get(VERSION)),
      generation: wholeNumber(fields.get(GENERATION) ?? '0'),
      owner: fields.has(OWNER) ? ofText(fields.get(OWNER) as string) : null,
      lifetime: JSON.parse(fields.get(LIFETIME) ?? 'null')
    }
  } catch {
    return corruptRecord()
  }
}

function valueFields (values: SessionRecord['values']): Fields {
  return Object.entries(values).flatMap(([key, value]) => [asText(key), value])
}

/** A colon, then the text; or a JSON string, for half a surrogate pair has no UTF-8. */
function asText (text: string): string {
  return /\p{Surrogate}/u.test(text) ? JSON.stringify(text) : `:${text}`
}

function ofText (text: string): string {
  return text.startsWith(':') ? text.slice(1) : JSON.parse(text)
}

function isKey (field: string): boolean {
  return field.startsWith(':') || field.startsWith('"')
}

function wholeNumber (text: string | undefined): number {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : NaN
}
