// The ways in which a session ends.
import { andThen } from '../awaitable.js'
import { SessionEndedError } from '../errors.js'
import { isAnythingSet } from '../session/new-record.js'
import { isRecord } from '../record/record.js'
import { logLine } from '../log-line.js'
import type { StoredSession } from '../session/layers.js'
import type { Awaitable, DestroyResult } from '../../types/store.js'
import { beginSession } from './begin-session.js'
import { endOne } from './end-listed.js'
import type { CookieAction, Save, SaveResult } from './save.js'
import type { SessionLog, StoreContext } from './store-context.js'

/** Ends the session because it was emptied, unless its user has stepped up since this request loaded it. */
export function endSession (save: Save): Awaitable<SaveResult> {
  const { context, state, log } = save
  const { id, record } = state.stored as StoredSession
  state.sending()
  return andThen(endOne(context, { id, owner: record.owner, reason: 'logout', condition: { ifGeneration: record.generation } }, log), (result) => {
    if (result !== 'done') return endedElsewhere(save)
    state.confirm(null)
    return 'clear'
  })
}

/** Ends the session because it does not fit the request that brought it, unless its user has stepped up since. */
export function endInvalid (context: StoreContext, { id, record }: StoredSession, log: SessionLog): Awaitable<DestroyResult> {
  return endOne(context, { id, owner: record.owner, reason: 'invalid', condition: { ifGeneration: record.generation } }, log)
}

/** Ends every session that the request came with, whatever happened to it since. What was set afterwards begins a new one. */
export function logOut (save: Save): Awaitable<CookieAction> {
  const { state } = save
  const ids = new Set(state.openedIds)
  if (state.stored !== null) ids.add(state.stored.id)
  const layer = state.sending()
  return andThen(endAll(save, [...ids], 0), (ended) => {
    state.openedIds = []
    state.stored = null
    if (isAnythingSet(layer)) return andThen(beginSession(save), (): CookieAction => ended > 0 ? 'replace' : 'send')
    state.confirm(null)
    // what was asked for the next session waits for it: the id that the app may have seen, and its lifetime
    if (layer.token !== null) state.drafting().token ??= layer.token
    if (layer.lifetime && state.draft?.lifetime === undefined) state.drafting().lifetime = layer.lifetime
    // a response that ended nothing might wipe the cookie of a login
    return ended > 0 ? 'clear' : 'none'
  })
}

/** Answers with how many it ended. */
function endAll (save: Save, [id, ...rest]: readonly string[], ended: number): Awaitable<number> {
  if (id === undefined) return ended
  const { context, log } = save
  return andThen(currentOwner(save, id), (owner) => andThen(endOne(context, { id, owner, reason: 'logout' }, log), (result) => {
    return endAll(save, rest, result === 'done' ? ended + 1 : ended)
  }))
}

/** Of a session that the request came with and does not use, only the id is known. */
function currentOwner ({ context: { store, owners }, state: { stored } }: Save, id: string): Awaitable<string | null> {
  if (id === stored?.id) return stored.record.owner
  return owners === null ? null : andThen(store.read(id), (found: unknown) => isRecord(found) ? found.owner : null)
}

/**
 * The session has ended, and with it what was pending. The browser's cookie is left alone: another response may have
 * set a newer one. Throws when the app said that the user proved who they are, for then something must follow.
 */
export function endedElsewhere ({ state, log }: Omit<Save, 'context'>): 'ended' {
  logLine(log, 'debug', { sessionId: state.stored?.id }, 'the session ended elsewhere; the changes of this request are dropped')
  const identity = state.sent?.identity
  state.retract()
  state.end()
  if (identity === 'reauthenticated') throw new SessionEndedError()
  return 'ended'
}

/** What was set after the session had ended is dropped like what was pending then. */
export function dropAfterEnd ({ state, log }: Save): SaveResult {
  if (state.status !== 'ended') return 'none'
  if (state.draft !== null) {
    logLine(log, 'debug', { sessionId: state.endedId }, 'the session had ended before; the changes since are dropped')
    state.dropChanges()
  }
  return 'ended'
}
