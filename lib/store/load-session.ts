// First half of a request: from the cookies' tokens to the session. Looking never
// removes anything.
import { andThen } from '../awaitable.js'
import { isEnded, isExpired, isRecord } from '../record/record.js'
import { LATE_FOR, standingOf } from '../record/standing.js'
import { tokenOf } from '../record/token.js'
import { SessionState } from '../session/session-state.js'
import type { Awaitable } from '../../types/store.js'
import { chooseSession, isOpen, type FoundSession, type OpenSession } from './choose-session.js'
import { reportCorrupt } from './corrupt-records.js'
import { prepareSession } from './prepare-session.js'
import { inTurn } from './save-step.js'
import type { SessionLog, StoreContext } from './store-context.js'

/** What a cookie held. */
export interface PresentedToken {
  readonly token: string
}

/** The session that the tokens open, or an empty one. Throws a `StoreError` when the store fails. */
export function loadSession (context: StoreContext, tokens: readonly PresentedToken[], log: SessionLog): Awaitable<SessionState> {
  const arrivedAt = context.settings.clock.now()
  const first = tokens[0]
  if (first === undefined) return new SessionState(context.settings, arrivedAt)
  if (tokens.length > 1) return andThen(findAll(context, tokens, arrivedAt, log), (found) => useFound(context, found, chooseSession(context, found), arrivedAt, log))
  return andThen(findSession(context, first, arrivedAt, log), (found) => useFound(context, found === null ? [] : [found], found !== null && isOpen(found) ? found : null, arrivedAt, log))
}

/** What stands in for a session that could not be read: it finds nothing, and throws when written to. */
export function unavailableSession ({ settings }: StoreContext): SessionState {
  return new SessionState(settings, settings.clock.now(), 'unavailable')
}

/** Drops what is pending and reads the session again, after a save that is under way. Where that fails it is pending again. */
export async function reloadSession (context: StoreContext, state: SessionState, tokens: readonly PresentedToken[], log: SessionLog): Promise<void> {
  await inTurn(state, () => {
    const { stored } = state
    state.setAside()
    return andThen(loadSession(context, stored === null ? tokens : [{ token: stored.cookieToken }], log), (found) => { state.restart(found) })
  })
}

/** What the token belongs to; `null` when that is nothing. */
function findSession (context: StoreContext, { token: cookieToken }: PresentedToken, arrivedAt: number, log: SessionLog): Awaitable<FoundSession | null> {
  const { id, verifier } = tokenOf(context.settings.namespace, cookieToken)
  return andThen(context.store.read(id), (answer: unknown) => {
    if (isRecord(answer)) {
      // by the clock of the arrival or by that of the answer: it may have been set back in between
      const at = Math.min(arrivedAt, context.settings.clock.now())
      const standing = isExpired(answer, at) ? 'unknown' : standingOf(answer, verifier, at)
      if (standing === 'current' || standing === 'earlier') context.events.emit('loaded', id)
      else context.events.emit('rejected', id, { reason: standing === 'unknown' ? 'unknown' : 'late' })
      return standing === 'unknown' ? null : { id, cookieToken, standing, record: answer }
    }
    const isLate = isEnded(answer) && arrivedAt < answer.endedAt + LATE_FOR
    if (answer === null || answer === undefined || isEnded(answer)) context.events.emit('rejected', id, { reason: isLate ? 'late' : 'unknown' })
    else reportCorrupt(context, id, 'record', log)
    return isLate ? { id, cookieToken, standing: 'late', record: null } : null
  })
}

/** A logout ends every session that the cookies belong to, so each is looked for. */
function findAll (context: StoreContext, [token, ...rest]: readonly PresentedToken[], arrivedAt: number, log: SessionLog): Awaitable<readonly FoundSession[]> {
  if (token === undefined) return []
  return andThen(findSession(context, token, arrivedAt, log), (found) =>
    andThen(findAll(context, rest, arrivedAt, log), (others) => found === null ? others : [found, ...others]))
}

function useFound (context: StoreContext, found: readonly FoundSession[], chosen: OpenSession | null, arrivedAt: number, log: SessionLog): Awaitable<SessionState> {
  const state = new SessionState(context.settings, arrivedAt)
  state.openedIds = found.map(({ id }) => id)
  if (chosen === null) {
    const late = found.find(({ standing }) => standing === 'late')
    if (late !== undefined) state.noteEnded(late.id)
    return state
  }
  const { id, cookieToken, standing, record } = chosen
  state.confirm({ id, cookieToken, isCurrent: standing === 'current', record })
  const prepared = prepareSession(context, state, log)
  return prepared === undefined ? state : prepared.then(() => state)
}
