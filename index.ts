/**
 * The plugin: options in, decorators and hooks on. And everything that is public.
 *
 * @packageDocumentation
 * @mergeModuleWith <project>
 */
import type { FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { claimNames } from './lib/http/claim-names.js'
import { checkCrossSite } from './lib/http/cross-site-route.js'
import { finishHook, holdReply } from './lib/http/finish-hook.js'
import { requireSession } from './lib/http/guard.js'
import { moveSessions } from './lib/http/move-sessions.js'
import { openStore } from './lib/store/open-store.js'
import { checkRoute } from './lib/http/opted-out.js'
import { resolveOptions } from './lib/options.js'
import { applyChanges, applyRenewal } from './lib/record/apply-changes.js'
import { registerCookie } from './lib/http/register-cookie.js'
import { createRegistration } from './lib/http/registration.js'
import { RequestSession } from './lib/http/request-session.js'
import { returnPath } from './lib/http/return-path.js'
import type { Session } from './lib/session/session.js'
import { Sessions } from './lib/http/sessions.js'
import { MemoryStore } from './lib/stores/memory/memory-store.js'
import { warnPerProcess } from './lib/warnings.js'
import type { SessionOptions } from './types/options.js'

const keep: FastifyPluginAsync<SessionOptions> = async (app, options) => {
  const config = resolveOptions(options)
  claimNames(app, config)
  await registerCookie(app)

  const { property, store } = config
  await openStore(config, app.log)
  warnPerProcess(store)
  const registration = createRegistration(app, config)
  const ours = Symbol(property)

  app.decorateRequest(property, null)
  app.decorateRequest(ours, null)
  app.decorate(`${property}s`, new Sessions(registration, app.log))

  app.addHook('onRoute', checkRoute)
  app.addHook('onRoute', checkCrossSite)

  app.addHook('onRequest', (request, reply, done) => {
    const requestSession = new RequestSession(registration, request, reply)
    const own = request as unknown as OwnProperties
    own[ours] = requestSession
    own[property] = requestSession.session
    finishHook(() => requestSession.load(), reply, done)
  })

  app.addHook('onSend', (request, reply, payload, done) => {
    const requestSession = (request as unknown as OwnProperties)[ours] as RequestSession | null
    if (requestSession === null) return done()
    finishHook(() => requestSession.finish(payload), reply, done, holdReply)
  })

  app.addHook('onClose', async () => {
    registration.signals.close()
    await store.close?.()
  })
}

/** A request, seen as the place of the properties that one registration adds. */
type OwnProperties = Record<string | symbol, unknown>

/**
 * The plugin: `await app.register(session, options)`. Adds `request.session` and `app.sessions`, where no
 * `property` says otherwise. A bad option stops the start with an `InvalidOptionError`.
 */
const plugin = fp(keep, { fastify: '5.x', name: 'fastify-keep' })

// what `require('fastify-keep')` answers: the plugin itself, with the named exports on it
const cjs = Object.assign(plugin, { default: plugin, fastifyKeep: plugin, applyChanges, applyRenewal, MemoryStore, moveSessions, requireSession, returnPath })

export default plugin
export { plugin as fastifyKeep, applyChanges, applyRenewal, MemoryStore, moveSessions, requireSession, returnPath }
/** @hidden */
export { cjs as 'module.exports' }

export type { DenialReason, ForeignReason, RejectionReason, SessionEvent, SessionMessage } from './lib/events.js'
export type { GuardedReply, GuardedRequest, SessionGuard } from './lib/http/guard.js'
export type { GuardOptions, SessionPredicate } from './lib/http/guard-options.js'
export type { MoveOptions, SessionMove } from './lib/http/move-sessions.js'
export type { Session, SessionMap } from './lib/session/session.js'
export type { ListedSession, SessionHandle, SessionOwner } from './lib/http/listed-session.js'
export type { IssueOptions } from './lib/http/issue-options.js'
export type { SessionPolicy } from './lib/http/session-policy.js'
export type { IssuedSession, Sessions, SessionStats } from './lib/http/sessions.js'
export type { MemoryStoreOptions } from './lib/stores/memory/memory-options.js'
export type { Clock, Duration, EncryptionKey, SessionCookieAttributes, SessionCookieOptions, SessionDescription, SessionOptions } from './types/options.js'
export type { IndexedValues, KeepList, PluginData, SessionData, SessionKey, SessionValue, SessionValues } from './types/session-data.js'
export type { OwnerAddition, OwnerEntry, SessionOwners } from './types/owners.js'
export type { StoreCallMessage, StoreCallOutcome, StoreFunctionName } from './types/store-call.js'
export type { Awaitable, DestroyResult, EarlierVerifier, EndCondition, EndedSession, EndListener, EndReason, SessionChanges, SessionLifetime, SessionRecord, SessionRenewal, SessionStore, TouchResult, UpdateResult } from './types/store.js'
export type { LifetimeChange } from './lib/session/arguments.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** This browser's session. Never null on a route that did not opt out. */
    session: Session
  }
  interface FastifyInstance {
    /** Sessions outside a request. */
    sessions: Sessions
  }
  interface FastifyContextConfig {
    /** `false`: the route has no session, and its requests never reach the store. */
    session?: boolean
    /** `'allow'`: requests with a session may come from any site, as a payment page's or an identity provider's do. `'deny'`: only from this app and `trustedOrigins`. */
    crossSite?: 'allow' | 'deny'
  }
}
