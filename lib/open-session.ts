// Opens the session of a request. Always calls back with one, so that
// `request.session` is there even for the handler of an error.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isPromise } from './awaitable.js'
import { loadSession, unavailableSession } from './load-session.js'
import { hasOptedOut, RequestSession } from './request-session.js'
import type { SessionContext } from './session-context.js'
import { mayCarryToken } from './session-cookie.js'
import type { SessionState } from './session-state.js'
import type { Awaitable } from '../types/store.js'

/** Told the session, and the error to answer with when the store failed and the options want that. In the same tick if the store answers at once. */
export type Opened = (session: RequestSession, error?: Error) => void

export function openSession (context: SessionContext, request: FastifyRequest, reply: FastifyReply, opened: Opened): void {
  const requestSession = new RequestSession(context, request, reply)
  const { cookie } = request.headers
  if (!mayCarryToken(context, cookie) || hasOptedOut(request)) return opened(requestSession)

  let loading: Awaitable<SessionState>
  try {
    loading = loadSession(context, cookie, request.log)
  } catch (error) {
    return failed(error as Error)
  }
  if (isPromise(loading)) loading.then(loaded, failed)
  else loaded(loading)

  function loaded (state: SessionState): void {
    requestSession.use(state)
    opened(requestSession)
  }

  function failed (error: Error): void {
    request.log.error({ err: error.cause ?? error }, 'the session could not be loaded')
    requestSession.use(unavailableSession(context))
    opened(requestSession, context.config.onStoreError === 'fail' ? error : undefined)
  }
}
