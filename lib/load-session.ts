// First half of a request: from the cookie header to the session. The only
// reader of the store for a request.
import { andThen } from './awaitable.js'
import { chooseSession } from './choose-session.js'
import { logLine } from './log-line.js'
import type { SessionContext, SessionLog } from './session-context.js'
import { mayCarryToken, readTokens, type CookieToken, type ParsedCookies } from './session-cookie.js'
import { sessionIdOf } from './session-id.js'
import { isExpired, isRecord } from './session-record.js'
import { SessionState, type FoundSession, type StoredSession } from './session-state.js'
import type { Awaitable } from '../types/store.js'

/**
 * The session that the header's cookies open, or an empty one; `cookies` is the
 * header parsed, where it has been already. Throws a `StoreError` when the store fails.
 */
export function loadSession (context: SessionContext, header: string | undefined, cookies: ParsedCookies | null, log: SessionLog): Awaitable<SessionState> {
  const tokens = mayCarryToken(context, header) ? readTokens(context, header, cookies) : []
  return andThen(findAll(context, tokens, [], log), (found) => {
    const chosen = chooseSession(context, found)
    const state = new SessionState(context.settings, chosen)
    state.found = found
    state.cookieDue = chosen?.renew ?? false
    return state
  })
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

/** What the store holds for a token, or `null`. Expired and broken records are removed on the way. */
function findStored (context: SessionContext, token: string, log: SessionLog): Awaitable<StoredSession | null> {
  const id = sessionIdOf(token, context.settings.namespace)
  return andThen(context.store.read(id), (record: unknown) => {
    if (record === null || record === undefined) {
      context.events.emit('rejected', id, { reason: 'unknown' })
      return null
    }
    if (!isRecord(record)) {
      logLine(log, 'warn', { sessionId: id }, 'removed a session record that cannot be understood')
      context.events.emit('rejected', id, { reason: 'broken' })
      return andThen(context.store.destroy(id), () => null)
    }
    if (isExpired(record, context.settings.clock.now())) {
      context.events.emit('expired', id)
      return andThen(context.store.destroy(id), () => null)
    }
    context.events.emit('loaded', id)
    return { token, id, record }
  })
}

/** Tries one token after the other: a logout ends every session that the cookies open. */
function findAll (context: SessionContext, tokens: readonly CookieToken[], found: readonly FoundSession[], log: SessionLog): Awaitable<readonly FoundSession[]> {
  const [candidate, ...rest] = tokens
  if (candidate === undefined) return found
  return andThen(findStored(context, candidate.token, log), (stored) => {
    const all = stored === null ? found : [...found, { ...stored, renew: candidate.renew }]
    return findAll(context, rest, all, log)
  })
}
