// One step at the store for one session. Only one is under way at a time, and
// one that fails leaves what it had sent pending.
import { isPromise } from '../awaitable.js'
import { beginsAnew } from '../session/layer.js'
import type { SessionState } from '../session/session-state.js'
import type { Awaitable } from '../../types/store.js'

/** Takes the step when those before it are done. */
export function inTurn<T> (state: SessionState, step: () => Awaitable<T>): Awaitable<T> {
  return state.saving === null ? take(state, step) : state.saving.then(() => inTurn(state, step))
}

function take<T> (state: SessionState, step: () => Awaitable<T>): Awaitable<T> {
  let answer: Awaitable<T>
  try {
    answer = step()
  } catch (error) {
    fail(state)
    throw error
  }
  if (!isPromise(answer)) return answer
  const settled = answer.then((value) => {
    state.saving = null
    return value
  }, (error: unknown) => {
    state.saving = null
    fail(state)
    throw error
  })
  state.saving = settled.catch(() => {})
  return settled
}

/** What was sent is pending again. A session that was to begin may have begun, so the next attempt takes another id. */
function fail (state: SessionState): void {
  const { sent, stored } = state
  if (sent !== null && (stored === null || beginsAnew(sent))) sent.token = null
  state.retract()
}
