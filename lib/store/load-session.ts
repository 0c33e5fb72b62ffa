// First half of a request: from the cookies' tokens to the session.
import { andThen } from '../awaitable.js'
import { SessionState } from '../session/session-state.js'
import type { Awaitable } from '../../types/store.js'
import { chooseSession } from './choose-session.js'
import { findSession, type FoundSession } from './find-session.js'
import { prepareSession } from './prepare-session.js'
import type { SessionLog, StoreContext } from './store-context.js'

/** The session that the tokens open, or an empty one. Throws a `StoreError` when the store fails. */
export function loadSession (context: StoreContext, tokens: readonly string[], log: SessionLog): Awaitable<SessionState> {
  const arrivedAt = context.settings.clock.now()
  return andThen(findAll(context, tokens, arrivedAt, log), (found) => {
    const state = new SessionState(context.settings, arrivedAt)
    state.openedIds = [...new Set(found.map(({ id }) => id))]
    const chosen = chooseSession(context, found)
    if (chosen !== null) {
      const { id, cookieToken, standing, record } = chosen
      state.confirm({ id, cookieToken, isCurrent: standing === 'current', record })
      return andThen(prepareSession(context, state, log), () => state)
    }
    const late = found.find(({ standing }) => standing === 'late')
    if (late !== undefined) {
      state.endedId = late.id
      state.status = 'ended'
    }
    return state
  })
}

/** What stands in for a session that could not be read: it finds nothing, and throws when written to. */
export function unavailableSession ({ settings }: StoreContext): SessionState {
  return new SessionState(settings, settings.clock.now(), 'unavailable')
}

/** Drops what is pending and reads the session again, after a save that is under way. */
export async function reloadSession (context: StoreContext, state: SessionState, tokens: readonly string[], log: SessionLog): Promise<void> {
  await state.saving
  const { stored } = state
  state.restart(await loadSession(context, stored === null ? tokens : [stored.cookieToken], log))
}

/** A logout ends every session that the cookies belong to, so each is looked for. */
function findAll (context: StoreContext, tokens: readonly string[], arrivedAt: number, log: SessionLog): Awaitable<readonly FoundSession[]> {
  const [token, ...rest] = tokens
  if (token === undefined) return []
  return andThen(findSession(context, token, arrivedAt, log), (found) =>
    andThen(findAll(context, rest, arrivedAt, log), (others) => found === null ? others : [found, ...others]))
}
