// What has to be done before the handler: a session that is found alive stays
// alive for at least half its idle timeout, and the first use of a new token
// begins the end of the old one. Failing at it is no reason to fail the request.
import { andThen, recover } from '../awaitable.js'
import { applyRenewal, changedRecord } from '../record/apply-changes.js'
import { earlierAfterFirstUse } from '../record/standing.js'
import { lifetimeOf, renewalOf } from '../session/deadlines.js'
import type { StoredSession } from '../session/layers.js'
import { draftOf } from '../session/new-record.js'
import type { SessionState } from '../session/session-state.js'
import type { Awaitable, SessionChanges, SessionRenewal } from '../../types/store.js'
import type { SessionLog, StoreContext } from './store-context.js'

export function prepareSession (context: StoreContext, state: SessionState, log: SessionLog): Awaitable<void> {
  const stored = state.stored as StoredSession
  const renewal = earlyRenewal(state, stored)
  const isFirstUse = stored.isCurrent && !stored.record.shown
  if (renewal === null && !isFirstUse) return
  return recover(() => isFirstUse ? noteFirstUse(context, state, stored, renewal) : renew(context, state, stored, renewal as SessionRenewal), (error) => {
    log.warn({ sessionId: stored.id, err: error }, 'the session could not be renewed')
    if (renewal !== null) state.unrenewedAt = state.usedAt
  })
}

/** The renewal where less than half of the idle timeout is left. */
function earlyRenewal (state: SessionState, { record }: StoredSession): SessionRenewal | null {
  const draft = draftOf(state)
  if (record.expiresAt - state.usedAt >= lifetimeOf(draft).idle / 2) return null
  const renewal = renewalOf(draft, state.now())
  return renewal.renewTo > record.expiresAt ? renewal : null
}

function renew ({ store }: StoreContext, state: SessionState, stored: StoredSession, renewal: SessionRenewal): Awaitable<void> {
  return andThen(store.touch(stored.id, renewal), (result) => {
    if (result === 'missing') return state.end()
    const record = result === 'done' ? applyRenewal(stored.record, renewal) : null
    if (record !== null) state.confirm({ ...stored, record })
  })
}

function noteFirstUse ({ store }: StoreContext, state: SessionState, stored: StoredSession, renewal: SessionRenewal | null): Awaitable<void> {
  const changes: SessionChanges = {
    clear: false,
    set: {},
    remove: [],
    ifVerifier: stored.record.verifier,
    earlier: earlierAfterFirstUse(stored.record, state.now()),
    shown: true,
    ...(renewal !== null && { renewal })
  }
  return andThen(store.update(stored.id, changes), (result) => {
    if (result === 'missing') return state.end()
    if (result === 'done') state.confirm({ ...stored, record: changedRecord(stored.record, changes) })
  })
}
