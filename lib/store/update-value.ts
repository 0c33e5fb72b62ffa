// `update` and `take`: one key, changed at once, by comparing what is stored and
// trying again where another request was faster. What cannot be opened is left alone:
// a counter must not start over.
import { andThen } from '../awaitable.js'
import { ConflictError, SealedValueError, SessionEndedError } from '../errors.js'
import { storedValue } from '../record/apply-changes.js'
import { encode } from '../record/codec.js'
import { isSealed, sealingKeyOf } from '../record/encryption.js'
import { logLine } from '../log-line.js'
import { isInScope } from '../session/layer.js'
import type { StoredSession } from '../session/layers.js'
import { sealedValue } from '../session/sealed.js'
import type { Awaitable, SessionChanges } from '../../types/store.js'
import { reportCorruptValue } from './corrupt-records.js'
import { readAgain } from './read-again.js'
import type { Save } from './save.js'
import { inTurn } from './save-step.js'
import { refuseResult } from './too-large.js'

/** Makes the new value of a key out of the one it has; `undefined` removes the key. */
export type ValueStep = (current: unknown) => unknown

export interface ValueUpdate {
  readonly before: unknown
  readonly after: unknown
}

interface KeyUpdate extends Save {
  readonly key: string
  readonly step: ValueStep
  /** What this request itself had made of the key; what it makes of it while the update is under way comes after. */
  readonly pending: string | null | undefined
}

const MAX_ROUNDS = 1000

/**
 * Stores what `step` makes of the value, and answers with both. Where the session
 * is not stored yet the change is pending, as after a `set`. Throws a `SessionEndedError` where it has ended.
 */
export function updateValue (save: Save, key: string, step: ValueStep): Awaitable<ValueUpdate> {
  const { state } = save
  const wasKept = state.draft === null || isInScope(state.draft.scope, key)
  const atCall = state.draft?.written.get(key)
  return inTurn(state, () => {
    state.collect()
    const { draft } = state
    // a clear, login or logout that was called after this takes nothing away from it
    const pending = draft !== null && wasKept && !isInScope(draft.scope, key) && !draft.written.has(key) ? atCall : draft?.lookUp(key)
    return attempt({ ...save, key, step, pending }, 0)
  })
}

function attempt (update: KeyUpdate, round: number): Awaitable<ValueUpdate> {
  const { context, state, key, step, pending } = update
  const { stored } = state
  if (state.status === 'ended') throw new SessionEndedError()
  if (stored === null) return updateDraft(update)
  const current = pending === undefined ? state.storedText(key) : pending
  if (current !== null && isSealed(current)) refuseSealed(update, stored, current)
  const before = current === null ? undefined : state.decoded(current)
  const after = step(current === null ? undefined : state.decoded(current))
  const encoded = after === undefined ? null : encode(key, after)
  if (encoded === null && current === null) return confirmAbsent(update, stored, round)
  const held = encoded === null ? null : sealedValue(state.settings, stored.id, key, encoded)
  const changes: SessionChanges = {
    clear: false,
    set: held === null ? {} : { [key]: held },
    remove: encoded === null ? [key] : [],
    ifGeneration: stored.record.generation,
    maxSize: state.settings.maxSize,
    ...(pending === undefined && { ifValue: { key, encoded: storedValue(stored.record.values, key) } })
  }
  if (round === 0) state.sendValue(key)
  return andThen(context.store.update(stored.id, changes), (result) => {
    switch (result) {
      case 'missing': return ended(update)
      case 'too-large': return refuseResult(update, stored, changes)
      case 'conflict':
        context.events.emit('conflict', stored.id)
        return again(update, stored, round)
    }
    state.confirmValue(stored, key, held)
    context.events.emit('saved', stored.id)
    return { before, after }
  })
}

/** As a `SealedValueError`; only `set` and `remove` replace what cannot be opened. */
function refuseSealed ({ context, key, log }: KeyUpdate, { id }: StoredSession, sealed: string): never {
  reportCorruptValue(context, id, sealed, log)
  throw new SealedValueError({ cause: new Error(`no key of this process opens what the session holds under '${key}', sealed with the key '${sealingKeyOf(sealed)}'`) })
}

/** Absent it was when the session was loaded, and absent it is to stay: is it still? */
function confirmAbsent (update: KeyUpdate, stored: StoredSession, round: number): Awaitable<ValueUpdate> {
  if (round > 0) return { before: undefined, after: undefined }
  return again(update, stored, round)
}

function updateDraft ({ state, key, step }: KeyUpdate): ValueUpdate {
  const before = state.copyOf(key)
  const after = step(state.copyOf(key))
  state.set(key, after)
  return { before, after }
}

function again (update: KeyUpdate, stored: StoredSession, round: number): Awaitable<ValueUpdate> {
  if (round === MAX_ROUNDS) throw new ConflictError()
  return andThen(readAgain(update, stored), (isThere) => isThere ? attempt(update, round + 1) : ended(update))
}

function ended ({ state, log }: KeyUpdate): never {
  logLine(log, 'debug', { sessionId: state.stored?.id }, 'the session ended elsewhere; the changes of this request are dropped')
  state.retract()
  state.end()
  throw new SessionEndedError()
}
