// `update` and `take`: one key, changed at once, by comparing what is stored and
// trying again where another request was faster.
import { andThen } from '../awaitable.js'
import { ConflictError, SessionEndedError } from '../errors.js'
import { storedValue } from '../record/apply-changes.js'
import { encode } from '../record/codec.js'
import { logLine } from '../log-line.js'
import type { StoredSession } from '../session/layers.js'
import type { Awaitable, SessionChanges } from '../../types/store.js'
import { readAgain } from './read-again.js'
import type { Save } from './save.js'
import { inTurn } from './save-step.js'
import { refuseResult } from './too-large.js'

/** Makes the new value of a key out of the one it has; `undefined` removes the key. */
export type ValueStep = (current: unknown) => unknown

const MAX_ROUNDS = 1000

/**
 * Stores what `step` makes of the value, and answers with both. Where the session
 * is not stored yet the change is pending, as after a `set`. Throws a `SessionEndedError` where it has ended.
 */
export function updateValue (save: Save, key: string, step: ValueStep): Awaitable<ValueUpdate> {
  return inTurn(save.state, () => {
    save.state.collect()
    return attempt(save, key, step, save.state.draft?.lookUp(key), 0)
  })
}

export interface ValueUpdate {
  readonly before: unknown
  readonly after: unknown
}

/** `pending` is what the request itself had changed at the beginning; what it sets in the meantime stays pending and comes after. */
function attempt (save: Save, key: string, step: ValueStep, pending: string | null | undefined, round: number): Awaitable<ValueUpdate> {
  const { state } = save
  const { stored } = state
  if (state.status === 'ended') throw new SessionEndedError()
  if (stored === null) return updateDraft(save, key, step)
  const current = pending === undefined ? storedValue(stored.record.values, key) : pending
  const before = current === null ? undefined : state.decoded(current)
  const after = step(current === null ? undefined : state.decoded(current))
  const encoded = after === undefined ? null : encode(key, after)
  if (encoded === null && current === null) return confirmAbsent(save, stored, key, step, pending, round)
  const changes: SessionChanges = {
    clear: false,
    set: encoded === null ? {} : { [key]: encoded },
    remove: encoded === null ? [key] : [],
    ifGeneration: stored.record.generation,
    maxSize: state.settings.maxSize,
    ...(pending === undefined && { ifValue: { key, encoded: current } })
  }
  if (round === 0) state.sendValue(key)
  return andThen(save.context.store.update(stored.id, changes), (result) => {
    switch (result) {
      case 'missing': return ended(save)
      case 'too-large': return refuseResult(save, stored, changes)
      case 'conflict': return again(save, stored, key, step, pending, round)
    }
    state.confirmValue(stored, key, encoded)
    save.context.events.emit('saved', stored.id)
    return { before, after }
  })
}

/** Absent it was when the session was loaded, and absent it is to stay: is it still? */
function confirmAbsent (save: Save, stored: StoredSession, key: string, step: ValueStep, pending: string | null | undefined, round: number): Awaitable<ValueUpdate> {
  if (round > 0) return { before: undefined, after: undefined }
  return again(save, stored, key, step, pending, round)
}

function updateDraft ({ state }: Save, key: string, step: ValueStep): ValueUpdate {
  const before = state.copyOf(key)
  const after = step(state.copyOf(key))
  state.set(key, after)
  return { before, after }
}

function again (save: Save, stored: StoredSession, key: string, step: ValueStep, pending: string | null | undefined, round: number): Awaitable<ValueUpdate> {
  if (round === MAX_ROUNDS) throw new ConflictError()
  return andThen(readAgain(save, stored), (isThere) => isThere ? attempt(save, key, step, pending, round + 1) : ended(save))
}

function ended ({ state, log }: Save): never {
  logLine(log, 'debug', { sessionId: state.stored?.id }, 'the session ended elsewhere; the changes of this request are dropped')
  state.retract()
  state.end()
  throw new SessionEndedError()
}
