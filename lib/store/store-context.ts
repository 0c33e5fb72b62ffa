// What loading and saving work with, made once for each registration.
import type { FastifyBaseLogger } from 'fastify'
import type { SessionEvents } from '../events.js'
import type { SessionSettings } from '../session/session-state.js'
import type { SessionStore } from '../../types/store.js'

export interface StoreContext {
  readonly settings: SessionSettings
  /** The store, with its failures typed and its time bounded. */
  readonly store: SessionStore
  readonly events: SessionEvents
}

/** Where lines about one session go: the request's log, or the app's. */
export type SessionLog = Pick<FastifyBaseLogger, 'debug' | 'warn' | 'error'>
