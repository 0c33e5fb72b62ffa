// A session as a row: its values as one jsonb of key and encoded value, the rest in columns.
import type { EndedSession, SessionChanges, SessionLifetime, SessionRecord, SessionRenewal } from '../../../types/store.js'
import { corruptRecord } from '../../record/corrupt-record.js'
import { storedText, textOf } from './stored-text.js'
import type { Values } from './statement.js'

/** Columns of a row that the answer to a read holds, in its order. */
export const COLUMNS = ['data', 'created_at', 'expires_at', 'absolute_expires_at', 'version', 'owner', 'about', 'lifetime', 'verifier', 'earlier', 'generation', 'shown', 'ended_at'] as const

type Row = [
  data: Record<string, string>, createdAt: number, expiresAt: number, absoluteExpiresAt: number, version: number, owner: string, about: string,
  lifetime: string, verifier: string, earlier: Array<[verifier: string, until: number, opens: boolean]>, generation: number, shown: boolean, endedAt: number | null
]

// What JSON.stringify makes of what `storedText` has to escape; in text that is JSON itself it may be a false alarm
const MAYBE_UNSTORABLE = /\\u(?:0000|001a|d[89a-f])/

/** The record or the mark again. What another program made of a row comes out as something that no reader takes for a record. */
export function recordOf (answer: string): SessionRecord | EndedSession {
  try {
    const [data, createdAt, expiresAt, absoluteExpiresAt, version, owner, about, lifetime, verifier, earlier, generation, shown, endedAt] = JSON.parse(answer) as Row
    if (endedAt !== null) return { endedAt }
    return {
      values: answer.includes('\\u001a') ? decoded(data) : data,
      createdAt,
      expiresAt,
      absoluteExpiresAt,
      version,
      owner: optionalOf(owner),
      about: optionalOf(about),
      lifetime: lifetimeOf(lifetime),
      verifier: textOf(verifier),
      earlier: earlier.map(([verifier, until, opens]) => ({ verifier: textOf(verifier), until, opens })),
      generation,
      shown
    }
  } catch {
    return corruptRecord()
  }
}

/** Every part of a record, or of its changes. */
export function partValues ({ createdAt, expiresAt, absoluteExpiresAt, owner, about, lifetime, verifier, earlier, generation, shown }: Partial<SessionRecord> | SessionChanges): Values {
  return {
    createdAt: createdAt?.toString(),
    expiresAt: expiresAt?.toString(),
    absoluteExpiresAt: absoluteExpiresAt?.toString(),
    owner: optionalText(owner),
    about: optionalText(about),
    lifetime: lifetimeText(lifetime),
    verifier: verifier === undefined ? null : storedText(verifier),
    earlier: earlier && JSON.stringify(earlier.map(({ verifier, until, opens }) => [storedText(verifier), until, opens])),
    generation: generation?.toString(),
    shown: shown?.toString()
  }
}

/** What a renewal asks for and gives. */
export function renewalValues (renewal: SessionRenewal | undefined): Values {
  if (renewal === undefined) return {}
  const { renewTo, atMost, tolerance, ifLifetime, ifAbsoluteExpiresAt, ifOwner } = renewal
  return {
    renewTo: String(renewTo),
    atMost: String(atMost),
    tolerance: String(tolerance),
    renewLifetime: lifetimeText(ifLifetime),
    renewAbsolute: String(ifAbsoluteExpiresAt),
    renewOwner: optionalText(ifOwner)
  }
}

/** Keys and values as jsonb takes them. */
export function dataText (values: SessionRecord['values']): string {
  const text = JSON.stringify(values)
  return MAYBE_UNSTORABLE.test(text) ? JSON.stringify(mapped(values, storedText)) : text
}

export function keysText (keys: readonly string[]): string {
  return JSON.stringify(keys.map(storedText))
}

/** One text for one lifetime, so that it can be compared; empty without one. */
export function lifetimeText (lifetime: SessionLifetime | null | undefined): string | undefined {
  if (lifetime === undefined) return undefined
  return lifetime === null ? '' : `${lifetime.idle} ${lifetime.absolute} ${lifetime.persistent ? 1 : 0}`
}

/** Empty for none. */
function optionalText (text: string | null | undefined): string | undefined {
  if (text === undefined) return undefined
  return text === null ? '' : `:${storedText(text)}`
}

function optionalOf (stored: string): string | null {
  return stored === '' ? null : textOf(stored.slice(1))
}

function lifetimeOf (stored: string): SessionLifetime | null {
  if (stored === '') return null
  const [idle, absolute, persistent] = stored.split(' ')
  return { idle: Number(idle), absolute: Number(absolute), persistent: persistent === '1' }
}

function decoded (data: Record<string, string>): Record<string, string> {
  return mapped(data, textOf)
}

/** By entries: an assignment to `__proto__` would set no key. */
function mapped (values: Readonly<Record<string, string>>, change: (text: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [change(key), change(value)]))
}
