// A session as a Redis hash: one field per key, so that two requests merge inside
// Redis, and the rest in fields of one letter, which no key can take.
import type { EndedSession, SessionChanges, SessionLifetime, SessionRecord } from '../../../types/store.js'
import { corruptRecord } from '../../record/corrupt-record.js'

/** The fields beside the keys; the scripts are written with them, too. */
export const FIELD = {
  version: 'v',
  expiresAt: 'e',
  createdAt: 'c',
  absoluteExpiresAt: 'a',
  owner: 'o',
  about: 'd',
  lifetime: 'l',
  verifier: 'k',
  earlier: 'p',
  generation: 'g',
  shown: 's',
  /** Of the last steps that a client may repeat, each of which counts once. */
  nonces: 'n',
  /** In a mark, which has no other field but the nonces. */
  endedAt: 'x'
} as const

/** One less than what a number holds exactly: an update counts one on. */
export const MAX_COUNT = Number.MAX_SAFE_INTEGER - 1

/** Field, value, field, value. */
export type Fields = string[]

/** The fields of a whole record. */
export function recordFields (record: SessionRecord): Fields {
  const { token, set } = changedFields({ clear: false, set: record.values, remove: [], ...partsOf(record) })
  return [FIELD.version, String(record.version), ...token, ...set]
}

function partsOf ({ createdAt, expiresAt, absoluteExpiresAt, owner, about, lifetime, verifier, earlier, generation, shown }: SessionRecord): Partial<SessionChanges> {
  return { createdAt, expiresAt, absoluteExpiresAt, owner, about, lifetime, verifier, earlier, generation, shown }
}

/** What an update writes and drops; `token` are the fields that a repeated update does not write again. */
export function changedFields (changes: SessionChanges): { token: Fields, set: Fields, remove: string[] } {
  const { createdAt, expiresAt, absoluteExpiresAt, owner, about, lifetime, verifier, earlier, generation, shown } = changes
  return {
    token: given([
      [FIELD.verifier, verifier],
      [FIELD.earlier, earlier && JSON.stringify(earlier.map(({ verifier, until, opens }) => [verifier, until, opens]))],
      [FIELD.generation, generation?.toString()],
      [FIELD.shown, shown === undefined ? undefined : shown ? '1' : '0']
    ]),
    set: [
      ...given([
        [FIELD.createdAt, createdAt?.toString()],
        [FIELD.expiresAt, expiresAt?.toString()],
        [FIELD.absoluteExpiresAt, absoluteExpiresAt?.toString()],
        [FIELD.owner, fieldText(owner)],
        [FIELD.about, fieldText(about)],
        [FIELD.lifetime, lifetimeText(lifetime) || undefined]
      ]),
      ...valueFields(changes.set)
    ],
    remove: [...dropped([[FIELD.owner, owner], [FIELD.about, about], [FIELD.lifetime, lifetime]]), ...changes.remove.map(asText)]
  }
}

function given (fields: ReadonlyArray<[field: string, value: string | undefined]>): Fields {
  return fields.flatMap(([field, value]) => value === undefined ? [] : [field, value])
}

function dropped (fields: ReadonlyArray<[field: string, value: unknown]>): string[] {
  return fields.flatMap(([field, value]) => value === null ? [field] : [])
}

/** One text for one lifetime, so that scripts can compare it; empty without one. */
export function lifetimeText (lifetime: SessionLifetime | null | undefined): string {
  return lifetime ? `${lifetime.idle} ${lifetime.absolute} ${lifetime.persistent ? 1 : 0}` : ''
}

/** The record or the mark again; `null` when there is none. What cannot be decoded comes out as something that no reader takes for a record. */
export function recordOf (entries: ReadonlyArray<[field: string, value: string]>): SessionRecord | EndedSession | null {
  if (entries.length === 0) return null
  const fields = new Map<string, string>()
  const values: Array<[key: string, value: string]> = []
  try {
    for (const [field, value] of entries) {
      if (isKey(field)) values.push([ofText(field), value])
      else fields.set(field, value)
    }
    const number = (field: string) => wholeNumber(fields.get(field))
    if (fields.has(FIELD.endedAt)) return { endedAt: number(FIELD.endedAt) }
    return {
      values: Object.fromEntries(values),
      createdAt: number(FIELD.createdAt),
      expiresAt: number(FIELD.expiresAt),
      absoluteExpiresAt: number(FIELD.absoluteExpiresAt),
      version: number(FIELD.version),
      owner: textOrNull(fields.get(FIELD.owner)),
      about: textOrNull(fields.get(FIELD.about)),
      lifetime: lifetimeOf(fields.get(FIELD.lifetime)),
      verifier: verifierOf(fields.get(FIELD.verifier)),
      earlier: earlierOf(fields.get(FIELD.earlier) as string),
      generation: number(FIELD.generation),
      shown: fields.get(FIELD.shown) === '1'
    }
  } catch {
    return corruptRecord()
  }
}

/** The field that holds a key. A colon, then the text; or a JSON string, for half a surrogate pair has no UTF-8. */
export function asText (text: string): string {
  return /\p{Surrogate}/u.test(text) ? JSON.stringify(text) : `:${text}`
}

/** What is no JSON after all, another program wrote; it stays what it is. */
function ofText (text: string): string {
  if (text.startsWith(':')) return text.slice(1)
  try {
    return String(JSON.parse(text))
  } catch {
    return text
  }
}

function textOrNull (field: string | undefined): string | null {
  return field === undefined ? null : ofText(field)
}

/** The field that holds a text which may be absent. */
export function fieldText (text: string | null | undefined): string | undefined {
  return typeof text === 'string' ? asText(text) : undefined
}

function valueFields (values: SessionRecord['values']): Fields {
  return Object.entries(values).flatMap(([key, value]) => [asText(key), value])
}

function isKey (field: string): boolean {
  return field.startsWith(':') || field.startsWith('"')
}

// The forms below are the only ones that are written, and the scripts know them too: find-record.ts

function lifetimeOf (text: string | undefined): SessionLifetime | null {
  if (text === undefined) return null
  const [, idle, absolute, persistent] = /^(\d+) (\d+) ([01])$/.exec(text) ?? []
  return { idle: wholeNumber(idle), absolute: wholeNumber(absolute), persistent: persistent === '1' }
}

/** A hash, and nothing that would have another form in the list of earlier ones. */
function verifierOf (text: string | undefined): string {
  if (text === undefined || JSON.stringify(text) !== `"${text}"`) throw new SyntaxError('not a verifier')
  return text
}

const EARLIER = String.raw`\["[^"\\]*",\d+,(?:true|false)\]`
const EARLIER_LIST = new RegExp(`^\\[(?:${EARLIER}(?:,${EARLIER})*)?\\]$`)

function earlierOf (text: string): SessionRecord['earlier'] {
  if (!EARLIER_LIST.test(text)) throw new SyntaxError('not a list of verifiers')
  return (JSON.parse(text) as Array<[string, number, boolean]>).map(([verifier, until, opens]) => ({ verifier, until, opens }))
}

function wholeNumber (text: string | undefined): number {
  return text !== undefined && /^(?:0|[1-9]\d*)$/.test(text) && Number(text) <= MAX_COUNT ? Number(text) : NaN
}
