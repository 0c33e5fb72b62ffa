// What a save has to do: the decision table of this package, in one function.
import { nextExpiresAt } from './deadlines.js'
import type { SessionState } from './session-state.js'
import type { ValueChanges } from './apply-changes.js'

/** The step to take at the store. Its name is that of the store's function, where there is just one. */
export type SavePlan =
  | { readonly step: 'nothing' }
  | { readonly step: 'create' }
  | { readonly step: 'touch', readonly expiresAt: number }
  | { readonly step: 'update', readonly changes: ValueChanges, readonly ifVersion: number | undefined }
  | { readonly step: 'replace', readonly ifVersion: number | undefined }
  | { readonly step: 'destroy', readonly ifVersion: number | undefined }
  | { readonly step: 'destroy-and-create' }

const NOTHING: SavePlan = { step: 'nothing' }
const NO_CHANGES: ValueChanges = { clear: false, set: {}, remove: [] }

/** Decides by the state alone, without asking the store. */
export function planSave (state: SessionState): SavePlan {
  if (state.status === 'ended' || state.status === 'unavailable') return NOTHING
  return state.stored === null ? planForNew(state) : planForStored(state, state.stored.record.version)
}

/** Whether there is something to save, beyond a renewal. */
export function isModified (state: SessionState): boolean {
  const { step } = planSave(state)
  return step !== 'nothing' && step !== 'touch'
}

/** Whether it takes a new cookie to carry out the plan. */
export function needsNewCookie ({ step }: SavePlan): boolean {
  return step === 'create' || step === 'replace' || step === 'destroy-and-create'
}

function planForNew ({ status, values }: SessionState): SavePlan {
  const asked = status === 'regenerated' || status === 'rotated'
  return asked || !values.isEmpty() ? { step: 'create' } : NOTHING
}

function planForStored (state: SessionState, version: number): SavePlan {
  const { status, values } = state
  switch (status) {
    case 'destroyed':
      return values.isEmpty() ? { step: 'destroy', ifVersion: undefined } : { step: 'destroy-and-create' }
    case 'regenerated':
    case 'rotated':
      // values that come along from the record must not be those from before another request's change
      return { step: 'replace', ifVersion: values.carriesStored ? version : undefined }
    default:
      return planForKept(state, version)
  }
}

function planForKept (state: SessionState, version: number): SavePlan {
  const changes = state.values.changes()
  if (changes === null && !state.lifetimeChanged) return planForUnchanged(state)
  if (changes !== null && state.values.isEmpty()) {
    // a parallel request may have stored another key; only clear() takes that along
    return { step: 'destroy', ifVersion: changes.clear ? undefined : version }
  }
  return { step: 'update', changes: changes ?? NO_CHANGES, ifVersion: state.values.needsVersion ? version : undefined }
}

function planForUnchanged (state: SessionState): SavePlan {
  const expiresAt = nextExpiresAt(state)
  return expiresAt === state.stored?.record.expiresAt ? NOTHING : { step: 'touch', expiresAt }
}
