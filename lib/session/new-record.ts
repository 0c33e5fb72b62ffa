// The record of a session that begins.
import { storedValue } from '../record/apply-changes.js'
import { isSealed } from '../record/encryption.js'
import { ownerOf } from '../record/owner.js'
import type { Token } from '../record/token.js'
import type { SessionRecord } from '../../types/store.js'
import { absoluteExpiresAtOf, createdAtOf, newExpiresAtOf, ownLifetimeOf, type Draft } from './deadlines.js'
import { isInScope, type Layer } from './layer.js'
import type { StoredSession } from './layers.js'
import { sealedAbout, sealedValues } from './sealed.js'
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
  const values = valuesUnder(layer, state)
  const { namespace, owner: listing } = state.settings
  const owner = listing === null ? null : ownerOf(namespace, storedValue(values, listing.key))
  return {
    values: sealedValues(state.settings, token.id, values),
    createdAt: createdAtOf(draft, now),
    expiresAt: newExpiresAtOf(draft, now),
    absoluteExpiresAt: absoluteExpiresAtOf(draft, now),
    version: 0,
    owner,
    about: owner === null ? null : sealedAbout(state.settings, token.id, state.listener?.describe() ?? null),
    lifetime: ownLifetimeOf(draft),
    verifier: token.verifier,
    earlier: [],
    generation: layer.isProven ? 1 : 0,
    shown: true
  }
}

/** Whose session it is under the layer, by the value of this key. */
export function ownerUnder (state: SessionState, { record }: StoredSession, layer: Layer | null, key: string): string | null {
  const { namespace } = state.settings
  const written = layer?.lookUp(key)
  if (written !== undefined) return ownerOf(namespace, written)
  const text = state.storedText(key)
  // that this process cannot see whose it is changes nothing about that
  return text !== null && isSealed(text) ? record.owner : ownerOf(namespace, text)
}

/** The stored values that the layer leaves and this process can open, and what it has written; as they are encoded. */
function valuesUnder (layer: Layer, state: SessionState): SessionRecord['values'] {
  const written = [...layer.written].filter(isThere)
  return Object.fromEntries(state.stored === null ? written : [...keptUnder(layer, state, state.stored), ...written])
}

function keptUnder (layer: Layer, state: SessionState, { record }: StoredSession): Array<[string, string]> {
  const keys = Object.keys(record.values).filter((key) => isInScope(layer.scope, key) && !layer.written.has(key))
  return keys.map((key): [string, string | null] => [key, state.openedText(key)]).filter(isThere)
}

function isThere (entry: [string, string | null]): entry is [string, string] {
  return entry[1] !== null
}

/** Whether stored values come along into the session that the layer begins. */
export function keepsStored (layer: Layer, stored: StoredSession): boolean {
  return Object.keys(stored.record.values).some((key) => isInScope(layer.scope, key) && !layer.written.has(key))
}
