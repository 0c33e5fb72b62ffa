// First half of a request: from the cookies' tokens to the session. Looking never
// removes anything.
import { andThen } from '../awaitable.js'
import { missingKeyOf } from '../record/encryption.js'
import { isEnded, isExpired, isRecord } from '../record/record.js'
import { LATE_FOR, standingOf } from '../record/standing.js'
import { tokenOf, type Token } from '../record/token.js'
import { SessionState } from '../session/session-state.js'
import type { Awaitable, SessionRecord } from '../../types/store.js'
import { chooseSession, type FoundSession } from './choose-session.js'
import { reportCorrupt } from './corrupt-records.js'
import { prepareSession } from './prepare-session.js'
import { inTurn } from './save-step.js'
import type { SessionLog, StoreContext } from './store-context.js'

/** What a cookie held. */
export interface PresentedToken {
  readonly token: string
}

/** The session that the tokens open, ready to be used, or an empty one. Throws a `StoreError` when the store fails. */
export function loadSession (context: StoreContext, tokens: readonly PresentedToken[], log: SessionLog): Awaitable<SessionState> {
  return andThen(findSession(context, tokens, log), (state) => readySession(context, state, log))
}

/** The session that the tokens open, or an empty one, as it is: nothing is stored, not even that it was used. */
export function findSession (context: StoreContext, tokens: readonly PresentedToken[], log: SessionLog): Awaitable<SessionState> {
  const state = new SessionState(context.settings, context.settings.clock.now())
  if (tokens.length !== 1) return andThen(findAll(context, tokens, state.usedAt, log), (found) => openFound(state, found, chooseSession(context, found)))
  const { namespace, encryption } = context.settings
  const token = tokenOf(namespace, (tokens[0] as PresentedToken).token, encryption)
  return andThen(context.store.read(token.id), (answer) => {
    const found = judge(context, token, answer, state.usedAt, log)
    return found === null ? state : openFound(state, [found], found)
  })
}

/** A session that was found, with what its use asks of the store done. */
export function readySession (context: StoreContext, state: SessionState, log: SessionLog): Awaitable<SessionState> {
  if (state.stored === null || !(state.isFirstUse || state.isHalfUsed)) return state
  return andThen(prepareSession(context, state, log), () => state)
}

/** What stands in for a session that the request must not have: nothing is read, and nothing stored. */
export function closedSession ({ settings }: StoreContext, { usedAt, stored, openedIds }: SessionState): SessionState {
  const state = new SessionState(settings, usedAt)
  state.noteEnded(stored?.id ?? openedIds[0] as string)
  return state
}

/** What stands in for a session that could not be read: it finds nothing, and throws when written to. */
export function unavailableSession ({ settings }: StoreContext): SessionState {
  return new SessionState(settings, settings.clock.now(), 'unavailable')
}

/**
 * Drops what is pending and reads the session again, after a save that is under way; `load` where there was none yet. Where that fails it is pending again.
 */
export async function reloadSession (context: StoreContext, state: SessionState, log: SessionLog, load: () => Awaitable<SessionState>): Promise<void> {
  await inTurn(state, () => {
    const { stored } = state
    state.setAside()
    return andThen(stored === null ? load() : loadSession(context, [{ token: stored.cookieToken }], log), (found) => { state.restart(found) })
  })
}

/** A logout ends every session that the cookies belong to, so each is looked for. */
function findAll (context: StoreContext, [first, ...rest]: readonly PresentedToken[], arrivedAt: number, log: SessionLog): Awaitable<readonly FoundSession[]> {
  if (first === undefined) return []
  const { namespace, encryption } = context.settings
  const token = tokenOf(namespace, first.token, encryption)
  return andThen(context.store.read(token.id), (answer) => {
    const found = judge(context, token, answer, arrivedAt, log)
    return andThen(findAll(context, rest, arrivedAt, log), (others) => found === null ? others : [found, ...others])
  })
}

/** What the token belongs to, by the store's answer; `null` when that is nothing. */
function judge (context: StoreContext, token: Token, answer: unknown, arrivedAt: number, log: SessionLog): FoundSession | null {
  const { id, value: cookieToken } = token
  if (isRecord(answer)) {
    // by the clock of the arrival or by that of the answer: it may have been set back in between
    const at = Math.min(arrivedAt, context.settings.clock.now())
    const standing = isExpired(answer, at) ? 'unknown' : standingOf(answer, token, at)
    const isOpened = standing === 'current' || standing === 'earlier'
    if (isOpened) context.events.emit('loaded', id)
    else if (standing === 'unknown') reportUnknown(context, id, isExpired(answer, at) ? null : answer, log)
    else context.events.emit('rejected', id, { reason: 'late' })
    return standing === 'unknown' ? null : { id, cookieToken, standing, record: isOpened ? answer : null }
  }
  const isLate = isEnded(answer) && arrivedAt < answer.endedAt + LATE_FOR
  if (answer === null || answer === undefined || isEnded(answer)) context.events.emit('rejected', id, { reason: isLate ? 'late' : 'unknown' })
  else reportCorrupt(context, id, 'record', log)
  return isLate ? { id, cookieToken, standing: 'late', record: null } : null
}

/** Nothing says whose token it is, where the key is missing that made the record's verifier. */
function reportUnknown (context: StoreContext, id: string, record: SessionRecord | null, log: SessionLog): void {
  const missing = record === null ? null : missingKeyOf(record.verifier, context.settings.encryption)
  if (missing === null) context.events.emit('rejected', id, { reason: 'unknown' })
  else reportCorrupt(context, id, 'sealed record', log, missing)
}

/** The state of the chosen session, or of none; it knows of every other one, too. */
function openFound (state: SessionState, found: readonly FoundSession[], chosen: FoundSession | null): SessionState {
  state.openedIds = found.map(({ id }) => id)
  if (chosen === null || chosen.record === null) {
    const late = found.find(({ standing }) => standing === 'late')
    if (late !== undefined) state.noteEnded(late.id)
    return state
  }
  const { id, cookieToken, standing, record } = chosen
  state.confirm({ id, cookieToken, isCurrent: standing === 'current', record })
  return state
}
