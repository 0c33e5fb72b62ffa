// The record of a session that begins.
import { storedValue } from '../record/apply-changes.js'
import { ownerOf } from '../record/owner.js'
import type { Token } from '../record/token.js'
import type { SessionRecord } from '../../types/store.js'
import { absoluteExpiresAtOf, createdAtOf, newExpiresAtOf, ownLifetimeOf, type Draft } from './deadlines.js'
import { isInScope, type Layer } from './layer.js'
import type { StoredSession } from './layers.js'
import type { SessionState } from './session-state.js'

/** The layer over what the store holds, as the functions on deadlines take it. */
export function draftOf (state: SessionState, layer: Layer | null = state.draft): Draft {
  return { stored: state.stored, layer, usedAt: state.usedAt, defaultLifetime: state.settings.lifetime, isListed: state.settings.owner !== null }
}

/** Whether a session that begins with this layer holds anything. */
export function isAnythingSet ({ written }: Layer): boolean {
  for (const encoded of written.values()) if (encoded !== null) return true
  return false
}

/** The record of a session that begins now. */
export function newRecord (state: SessionState, layer: Layer, token: Token): SessionRecord {
  const now = state.now()
  const draft = draftOf(state, layer)
  const values = valuesUnder(layer, state.stored)
  const owner = ownerUnder(state, values)
  return {
    values,
    createdAt: createdAtOf(draft, now),
    expiresAt: newExpiresAtOf(draft, now),
    absoluteExpiresAt: absoluteExpiresAtOf(draft, now),
    version: 0,
    owner,
    about: owner === null ? null : state.listener?.describe() ?? null,
    lifetime: ownLifetimeOf(draft),
    verifier: token.verifier,
    earlier: [],
    generation: layer.isProven ? 1 : 0,
    shown: true
  }
}

/** Whose session it is that holds these values; nobody's where sessions are not listed. */
export function ownerUnder ({ settings: { namespace, owner } }: SessionState, values: SessionRecord['values']): string | null {
  return owner === null ? null : ownerOf(namespace, storedValue(values, owner.key))
}

/** The stored values that the layer leaves, and what it has written. */
function valuesUnder (layer: Layer, stored: StoredSession | null): SessionRecord['values'] {
  const kept = Object.entries(stored?.record.values ?? {}).filter(([key]) => isInScope(layer.scope, key) && !layer.written.has(key))
  const written = [...layer.written].filter((entry): entry is [string, string] => entry[1] !== null)
  return Object.fromEntries([...kept, ...written])
}

/** Whether stored values come along into the session that the layer begins. */
export function keepsStored (layer: Layer, stored: StoredSession): boolean {
  return Object.keys(stored.record.values).some((key) => isInScope(layer.scope, key) && !layer.written.has(key))
}
