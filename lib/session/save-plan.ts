// What a save has to do: the decision table of this package, in one function.
import { storedValue, type ValueChanges } from '../record/apply-changes.js'
import { earlierAfterRotation, earlierAfterStepUp } from '../record/standing.js'
import { renewToken, type Token } from '../record/token.js'
import type { SessionChanges, SessionRenewal } from '../../types/store.js'
import { absoluteExpiresAtOf, createdAtOf, dueRenewalOf, newExpiresAtOf } from './deadlines.js'
import type { Layer } from './layer.js'
import type { StoredSession } from './layers.js'
import { draftOf, isAnythingSet, ownerUnder } from './new-record.js'
import type { SessionState } from './session-state.js'

/** The step to take at the store. */
export type SavePlan =
  | { readonly step: 'nothing' }
  | { readonly step: 'create' }
  | { readonly step: 'touch', readonly renewal: SessionRenewal }
  | { readonly step: 'update', readonly changes: SessionChanges, readonly token: Token | null }
  /** A new session in the place of the stored one. */
  | { readonly step: 'regenerate' }
  /** Ends this session: it was emptied. */
  | { readonly step: 'end' }
  /** Ends every session that the request came with; what was set afterwards begins a new one. */
  | { readonly step: 'logout' }

const NOTHING: SavePlan = { step: 'nothing' }

/** Decides by the state and the layer to save alone, without asking the store. `collect` the state first. */
export function planSave (state: SessionState, layer = state.draft): SavePlan {
  if (state.status !== 'open') return NOTHING
  const { stored } = state
  if (layer?.identity === 'destroyed') return planLogout(state, layer)
  if (stored === null) return layer !== null && isAnythingSet(layer) ? { step: 'create' } : NOTHING
  if (layer === null || layer.isEmpty) return planRenewal(state, layer)
  if (layer.identity === 'regenerated') return { step: 'regenerate' }
  if (layer.scope !== 'all' && !isAnythingSet(layer)) return { step: 'end' }
  return planUpdate(state, stored, layer)
}

/** Whether there is something to save, beyond a renewal. */
export function isModified (state: SessionState): boolean {
  state.collect()
  const { step } = planSave(state)
  return step !== 'nothing' && step !== 'touch'
}

/** A value that cannot even be encoded was not saved either. */
export function hasUnsaved (state: SessionState): boolean {
  try {
    return isModified(state)
  } catch {
    return true
  }
}

/** Whether the plan gives the session a new cookie. */
export function needsNewCookie (plan: SavePlan, { draft }: SessionState): boolean {
  if (plan.step === 'logout') return draft !== null && isAnythingSet(draft)
  return plan.step === 'create' || plan.step === 'regenerate' || (plan.step === 'update' && plan.token !== null)
}

/** Whether a renewal moves the date of the cookie: one that outlives the browser's session. */
export function movesCookie ({ stored, lifetime }: SessionState): boolean {
  return lifetime.persistent && stored?.isCurrent === true
}

function planLogout ({ stored, openedIds }: SessionState, layer: Layer): SavePlan {
  if (stored !== null || openedIds.length > 0) return { step: 'logout' }
  return isAnythingSet(layer) ? { step: 'create' } : NOTHING
}

function planRenewal (state: SessionState, layer: Layer | null): SavePlan {
  if (state.unrenewedAt === state.usedAt) return NOTHING
  const renewal = dueRenewalOf(draftOf(state, layer), state.now())
  if (renewal === null) return NOTHING
  const owner = ownerChanges(state, state.stored as StoredSession, layer, false)
  if (owner === null) return { step: 'touch', renewal }
  // it was stored before the app listed sessions
  return { step: 'update', changes: { clear: false, set: {}, remove: [], ifGeneration: state.stored?.record.generation as number, ...owner, renewal }, token: null }
}

function planUpdate (state: SessionState, stored: StoredSession, layer: Layer): SavePlan {
  const values = changesOf(state, layer)
  const deadlines = deadlineChanges(state, stored, layer)
  const token = tokenChanges(state, stored, layer, state.now())
  const owner = ownerChanges(state, stored, layer, deadlines !== null || values?.clear === true)
  if (values === null && deadlines === null && token === null) return planRenewal(state, layer)
  const renewal = deadlines === null ? dueRenewalOf(draftOf(state, layer), state.now()) : null
  // the cookie that this sends must still be the current one
  const isCookieSent = stored.isCurrent && (layer.lifetime !== undefined || (renewal !== null && movesCookie(state)))
  return {
    step: 'update',
    changes: {
      clear: false,
      set: {},
      remove: [],
      ...values,
      ifGeneration: stored.record.generation,
      ...(isCookieSent && { ifVerifier: stored.record.verifier, ...(layer.lifetime === undefined && { ifLifetime: stored.record.lifetime }) }),
      maxSize: state.settings.maxSize,
      ...deadlines,
      ...token,
      ...owner,
      ...(renewal !== null && { renewal })
    },
    token: token === null ? null : layer.token
  }
}

/** What was written, where it differs from what is stored; `null` when nothing does. */
function changesOf (state: SessionState, layer: Layer): ValueChanges | null {
  const clear = layer.scope !== 'all'
  const changed = [...layer.written].filter(([key, encoded]) => encoded !== (clear ? null : state.storedText(key)))
  if (changed.length === 0 && !clear) return null
  return {
    clear,
    set: Object.fromEntries(changed.filter(([, encoded]) => encoded !== null) as Array<[string, string]>),
    remove: changed.filter(([, encoded]) => encoded === null).map(([key]) => key)
  }
}

/** A step-up restarts the timers of the lifetime that it knows, and only that: another request may have given a new one. */
function deadlineChanges (state: SessionState, { record }: StoredSession, layer: Layer): Partial<SessionChanges> | null {
  if (layer.lifetime === undefined && layer.beganAt === null) return null
  const now = state.now()
  const draft = draftOf(state, layer)
  return {
    createdAt: createdAtOf(draft, now),
    expiresAt: newExpiresAtOf(draft, now),
    absoluteExpiresAt: absoluteExpiresAtOf(draft, now),
    ...(layer.lifetime === undefined ? { ifLifetime: record.lifetime } : { lifetime: layer.lifetime })
  }
}

/**
 * Whose session it is from now on, where that changes. It changes only while the session is whose this request knows it
 * to be, and so do deadlines, which the owner's list has to know first. `null`: there is nothing to say.
 */
function ownerChanges (state: SessionState, stored: StoredSession, layer: Layer | null, dependsOnOwner: boolean): Partial<SessionChanges> | null {
  const { owner: settings } = state.settings
  if (settings === null) return null
  const { record } = stored
  const owner = ownerUnder(state, stored, layer, settings.key)
  const isChanged = owner !== record.owner
  if (!isChanged && !dependsOnOwner) return null
  return { ifValue: { key: settings.key, encoded: storedValue(record.values, settings.key) }, ...(isChanged && { owner }) }
}

/** A new token and what becomes of the old ones; `null` where the token stays. */
function tokenChanges ({ settings }: SessionState, { id, isCurrent, record }: StoredSession, layer: Layer, now: number): Partial<SessionChanges> | null {
  const isStepUp = layer.identity === 'reauthenticated'
  if (!isStepUp && (layer.identity !== 'rotated' || !isCurrent)) return null
  const earlier = isStepUp ? earlierAfterStepUp(record, now) : earlierAfterRotation(record, now)
  if (earlier === null) return null
  layer.token ??= renewToken(settings.namespace, id, settings.encryption)
  const { verifier } = layer.token
  return { ifVerifier: record.verifier, verifier, earlier, shown: isStepUp, ...(isStepUp && { generation: record.generation + 1 }) }
}
