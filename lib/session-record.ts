// Records as they come from and go to a store.
import { absoluteExpiresAt, expiresAtWhenUsed } from './deadlines.js'
import type { SessionState } from './session-state.js'
import type { SessionRecord } from '../types/store.js'

/** The record of a session that is stored for the first time, or under a new id. */
export function newRecord (state: SessionState, values: SessionRecord['values']): SessionRecord {
  return {
    values,
    createdAt: state.createdAt,
    expiresAt: expiresAtWhenUsed(state),
    absoluteExpiresAt: absoluteExpiresAt(state),
    version: 0,
    generation: generationOf(state),
    owner: state.status === 'rotated' ? state.stored?.record.owner ?? null : null,
    lifetime: state.ownLifetime
  }
}

/** `regenerate()` is how an app says that somebody has logged in; a rotation changes nothing about who it is. */
function generationOf ({ status, stored }: SessionState): number {
  if (status === 'regenerated') return 1
  // a record that an older version stored has none
  return status === 'rotated' ? stored?.record.generation ?? 0 : 0
}

/** Whether a store's answer has the shape of a record; whatever does not is no session. */
export function isRecord (answer: unknown): answer is SessionRecord {
  if (typeof answer !== 'object' || answer === null) return false
  const { values, createdAt, expiresAt, absoluteExpiresAt, version, generation = 0, lifetime } = answer as Partial<SessionRecord>
  return isWhole(createdAt) && isWhole(expiresAt) && isWhole(absoluteExpiresAt) && isWhole(version) &&
    isWhole(generation) && hasStrings(values) && isLifetime(lifetime)
}

/** Whether the record has outlived either deadline, whatever the store says. */
export function isExpired ({ expiresAt, absoluteExpiresAt }: SessionRecord, now: number): boolean {
  return now >= expiresAt || now >= absoluteExpiresAt
}

function isLifetime (lifetime: SessionRecord['lifetime'] | undefined): boolean {
  if (lifetime === null || lifetime === undefined) return true
  return lifetime.idle > 0 && lifetime.absolute > 0 && typeof lifetime.persistent === 'boolean'
}

function isWhole (value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function hasStrings (values: unknown): boolean {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return false
  for (const key in values) if (typeof (values as Record<string, unknown>)[key] !== 'string') return false
  return true
}
