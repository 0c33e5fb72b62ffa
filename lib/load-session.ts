// First half of a request: from the cookie header to the session. The only
// reader of the store for a request.
import { andThen } from './awaitable.js'
import { reportCorrupt } from './corrupt-records.js'
import type { SessionContext, SessionLog } from './session-context.js'
import { mayCarryToken, readTokens, type CookieToken, type ParsedCookies } from './session-cookie.js'
import { sessionIdOf } from './session-id.js'
import { isExpired, isRecord } from './session-record.js'
import { SessionState, type StoredSession } from './session-state.js'
import type { Awaitable } from '../types/store.js'

/**
 * The session that the header's cookies open, or an empty one; `cookies` is the
 * header parsed, where it has been already. Throws a `StoreError` when the store fails.
 */
export function loadSession (context: SessionContext, header: string | undefined, cookies: ParsedCookies | null, log: SessionLog): Awaitable<SessionState> {
  const tokens = mayCarryToken(context, header) ? readTokens(context, header, cookies) : []
  return resolve(context, tokens, 0, log)
}

/** What stands in for a session that could not be read: it finds nothing, and throws when written to. */
export function unavailableSession (context: SessionContext): SessionState {
  const state = new SessionState(context.settings, null)
  state.status = 'unavailable'
  return state
}

/** Drops what is pending and reads the session again, after a save that is on its way. */
export async function reloadSession (context: SessionContext, state: SessionState, log: SessionLog): Promise<void> {
  await state.saving
  state.reloaded(state.stored === null ? null : await findStored(context, state.stored.token, log))
}

/**
 * What the store holds for a token, or `null`. What is expired or corrupt is absent and stays where it is:
 * another request may have renewed the one since, a newer process may understand the other.
 */
function findStored (context: SessionContext, token: string, log: SessionLog): Awaitable<StoredSession | null> {
  const id = sessionIdOf(token, context.settings.namespace)
  return andThen(context.store.read(id), (record: unknown) => {
    if (record === null || record === undefined) {
      context.events.emit('rejected', id, { reason: 'unknown' })
      return null
    }
    if (!isRecord(record)) {
      reportCorrupt(context, id, 'record', log)
      return null
    }
    if (isExpired(record, context.settings.clock.now())) {
      context.events.emit('expired', id)
      return null
    }
    context.events.emit('loaded', id)
    return { token, id, record }
  })
}

/** Tries one token after the other. */
function resolve (context: SessionContext, tokens: readonly CookieToken[], index: number, log: SessionLog): Awaitable<SessionState> {
  const candidate = tokens[index]
  if (candidate === undefined) return new SessionState(context.settings, null)
  return andThen(findStored(context, candidate.token, log), (stored) => {
    if (stored === null) return resolve(context, tokens, index + 1, log)
    const state = new SessionState(context.settings, stored)
    state.cookieDue = candidate.renew
    state.onCorrupt = () => reportCorrupt(context, stored.id, 'value', log)
    return state
  })
}
