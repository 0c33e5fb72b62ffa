// Everything one registration works with, made once at the start.
import type { FastifyInstance } from 'fastify'
import { boundStore } from '../store/bounded-store.js'
import { SessionEvents } from '../events.js'
import { namespaceOf } from '../namespace.js'
import type { LineLog } from '../log-line.js'
import type { SessionConfig } from '../options.js'
import type { SessionSettings } from '../session/session-state.js'
import type { SessionStore } from '../../types/store.js'

export interface SessionContext {
  readonly config: SessionConfig
  readonly settings: SessionSettings
  /** The store, with its failures typed and its time bounded. */
  readonly store: SessionStore
  readonly events: SessionEvents
  /** What the cookie begins with in a header. */
  readonly cookiePrefix: string
  /** @fastify/cookie's functions, as this app has them. */
  readonly parseCookie: FastifyInstance['parseCookie']
  readonly serializeCookie: FastifyInstance['serializeCookie']
}

/** Where lines about one session go: the request's log, or the app's. */
export type SessionLog = LineLog

export function createContext (app: FastifyInstance, config: SessionConfig): SessionContext {
  const events = new SessionEvents()
  return {
    config,
    settings: {
      namespace: namespaceOf(config),
      lifetime: config.lifetime,
      maxSize: config.maxSize,
      clock: config.clock
    },
    store: boundStore(config.store, config.storeTimeout, (error) => events.emit('store-error', null, { error })),
    events,
    cookiePrefix: `${config.cookieName}=`,
    parseCookie: app.parseCookie,
    serializeCookie: app.serializeCookie
  }
}
