// Everything one registration works with, made once at the start.
import type { FastifyInstance } from 'fastify'
import { SessionEvents } from '../events.js'
import type { SessionConfig } from '../options.js'
import { boundStore } from '../store/bounded-store.js'
import type { StoreContext } from '../store/store-context.js'
import { namespaceOf } from './namespace.js'

export interface Registration extends StoreContext {
  readonly config: SessionConfig
  /** What the cookie begins with in a header. */
  readonly cookiePrefix: string
  /** @fastify/cookie's functions, as this app has them. */
  readonly parseCookie: FastifyInstance['parseCookie']
  readonly serializeCookie: FastifyInstance['serializeCookie']
}

export function createRegistration (app: FastifyInstance, config: SessionConfig): Registration {
  const { lifetime, maxSize, clock, store, storeTimeout, onAmbiguousCookie, cookieName } = config
  const events = new SessionEvents()
  return {
    config,
    settings: { namespace: namespaceOf(config), lifetime, maxSize, clock },
    store: boundStore(store, storeTimeout, (error) => events.emit('store-error', null, { error })),
    events,
    onAmbiguousCookie,
    cookiePrefix: `${cookieName}=`,
    parseCookie: app.parseCookie,
    serializeCookie: app.serializeCookie
  }
}
