// What has to be done before the handler: a session that is found alive stays
// alive for at least half its idle timeout, and the first use of a new token
// begins the end of the old one. Failing at it is no reason to fail the request.
import { andThen, recover } from '../awaitable.js'
import { logLine } from '../log-line.js'
import { applyRenewal, changedRecord } from '../record/apply-changes.js'
import { earlierAfterFirstUse } from '../record/standing.js'
import { renewalOf } from '../session/deadlines.js'
import type { StoredSession } from '../session/layers.js'
import { draftOf } from '../session/new-record.js'
import type { SessionState } from '../session/session-state.js'
import type { Awaitable, SessionChanges, SessionRenewal } from '../../types/store.js'
import type { SessionLog, StoreContext } from './store-context.js'
import { withDeadline } from './update-listed.js'

export function prepareSession (context: StoreContext, state: SessionState, log: SessionLog): Awaitable<void> {
  const stored = state.stored as StoredSession
  const { isFirstUse, isHalfUsed } = state
  const renewal = isHalfUsed ? renewalOf(draftOf(state), state.now()) : null
  const step = () => isFirstUse ? noteFirstUse(context, state, stored, renewal) : renew(context, state, stored, renewal as SessionRenewal)
  return recover(step, (error) => {
    logLine(log, 'warn', { sessionId: stored.id, err: error }, 'the session could not be renewed')
    if (renewal !== null) state.unrenewedAt = state.usedAt
  })
}

function renew (context: StoreContext, state: SessionState, stored: StoredSession, renewal: SessionRenewal): Awaitable<void> {
  return andThen(withDeadline(context, stored, renewal.renewTo, () => context.store.touch(stored.id, renewal)), (result) => {
    if (result === 'missing') return state.end()
    const record = result === 'done' ? applyRenewal(stored.record, renewal) : null
    if (record !== null) state.confirm({ ...stored, record })
  })
}

function noteFirstUse (context: StoreContext, state: SessionState, stored: StoredSession, renewal: SessionRenewal | null): Awaitable<void> {
  const changes: SessionChanges = {
    clear: false,
    set: {},
    remove: [],
    ifVerifier: stored.record.verifier,
    earlier: earlierAfterFirstUse(stored.record, state.now()),
    shown: true,
    ...(renewal !== null && { renewal })
  }
  return andThen(withDeadline(context, stored, renewal?.renewTo, () => context.store.update(stored.id, changes)), (result) => {
    if (result === 'missing') return state.end()
    if (result === 'done') state.confirm({ ...stored, record: changedRecord(stored.record, changes) })
  })
}
