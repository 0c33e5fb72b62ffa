// Everything one registration works with, made once at the start.
import type { FastifyInstance } from 'fastify'
import type { CookieAttributes } from '../cookie-attributes.js'
import { SessionEvents } from '../events.js'
import type { SessionConfig } from '../options.js'
import { Encryption } from '../record/encryption.js'
import { boundedCall } from '../store/bounded-call.js'
import { boundOwners, boundStore } from '../store/bounded-store.js'
import { EndSignals } from '../store/end-signals.js'
import { tracedCall } from '../store/traced-call.js'
import type { SessionOwners } from '../../types/owners.js'
import type { StoreContext } from '../store/store-context.js'
import { namespaceOf } from './namespace.js'

/** The attributes of one Set-Cookie line. */
export interface CookieLineOptions extends Omit<CookieAttributes, 'secure'> {
  readonly secure: boolean
  readonly maxAge: number | undefined
  readonly expires: Date | undefined
}

export interface Registration extends StoreContext {
  readonly config: SessionConfig
  readonly signals: EndSignals
  /** What the cookie begins with in a header. */
  readonly cookiePrefix: string
  /** @fastify/cookie's functions, as this app has them. */
  readonly parseCookie: (header: string) => Record<string, string | undefined>
  readonly serializeCookie: (name: string, value: string, options: CookieLineOptions) => string
}

export function createRegistration (app: FastifyInstance, config: SessionConfig): Registration {
  const { property, lifetime, maxSize, clock, store, storeTimeout, onAmbiguousCookie, cookieName, owner } = config
  const namespace = namespaceOf(config)
  const encryption = config.encryption === null ? null : new Encryption(config.encryption, namespace)
  const events = new SessionEvents()
  const call = tracedCall(events, property, boundedCall(storeTimeout, (error) => events.emit('store-error', null, { error })))
  const bounded = boundStore(store, call)
  const signals = new EndSignals(bounded, store, clock, app.log)
  events.onEnd = (id, reason) => { signals.ended(id, reason) }
  return {
    config,
    signals,
    settings: { namespace, lifetime, maxSize, clock, owner, encryption, signals },
    store: bounded,
    owners: owner === null ? null : boundOwners(store.owners as SessionOwners, call),
    events,
    onAmbiguousCookie,
    cookiePrefix: `${cookieName}=`,
    parseCookie: app.parseCookie,
    serializeCookie: app.serializeCookie as Registration['serializeCookie']
  }
}
