/**
 * The plugin: options in, decorators and hooks on. And everything that is public.
 *
 * @packageDocumentation
 * @mergeModuleWith <project>
 */
import cookie from '@fastify/cookie'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { DuplicateSessionError } from './lib/errors.js'
import { requireSession } from './lib/guard.js'
import { moveSessions } from './lib/move-sessions.js'
import { openStore } from './lib/open-store.js'
import { resolveOptions, type SessionConfig } from './lib/options.js'
import { RequestSession } from './lib/request-session.js'
import { returnPath } from './lib/return-path.js'
import type { Session } from './lib/session.js'
import { createContext } from './lib/session-context.js'
import { Sessions } from './lib/sessions.js'
import { MemoryStore } from './lib/stores/memory/memory-store.js'
import type { SessionOptions } from './types/options.js'

const keep: FastifyPluginAsync<SessionOptions> = async (app, options) => {
  const config = resolveOptions(options)
  claimNames(app, config)
  if (!app.hasDecorator('serializeCookie')) await app.register(cookie)

  const { property, store } = config
  await openStore(config, app.log)
  const context = createContext(app, config)
  const opened = Symbol(property)

  app.decorateRequest(property, null)
  app.decorateRequest(opened, null)
  app.decorate(`${property}s`, new Sessions(context, app.log))

  app.addHook('onRequest', (request, reply, done) => {
    const requestSession = new RequestSession(context, request, reply)
    const own = request as unknown as OwnProperties
    own[opened] = requestSession
    own[property] = requestSession.session
    requestSession.open(done)
  })

  app.addHook('onSend', (request, _reply, _payload, done) => {
    const requestSession = (request as unknown as OwnProperties)[opened] as RequestSession | null
    if (requestSession === null) return done()
    requestSession.close(done)
  })

  app.addHook('onClose', async () => { await store.close?.() })
}

/** A request, seen as the place of the properties that one registration adds. */
type OwnProperties = Record<string | symbol, unknown>

const cookieNames = Symbol('fastify-keep.cookieNames')

/** Two sessions in one app need two properties and two cookies. */
function claimNames (app: FastifyInstance & { [cookieNames]?: Set<string> }, { property, cookieName }: SessionConfig): void {
  if (app.hasRequestDecorator(property) || app.hasDecorator(`${property}s`)) {
    throw new DuplicateSessionError(`request.${property}`, "give this one a property of its own, such as property: 'adminSession'")
  }
  if (app[cookieNames] === undefined) app.decorate(cookieNames, new Set<string>())
  const names = app[cookieNames] as Set<string>
  if (names.has(cookieName)) {
    throw new DuplicateSessionError(`the cookie '${cookieName}'`, "give this one a cookie of its own, such as cookie: { name: 'admin' }")
  }
  names.add(cookieName)
}

/**
 * The plugin: `await app.register(session, options)`. Adds `request.session` and `app.sessions`, where no
 * `property` says otherwise. A bad option stops the start with an `InvalidOptionError`.
 */
const plugin = fp(keep, { fastify: '5.x', name: 'fastify-keep' })

// what `require('fastify-keep')` answers: the plugin itself, with the named exports on it
const cjs = Object.assign(plugin, { default: plugin, fastifyKeep: plugin, MemoryStore, moveSessions, requireSession, returnPath })

export default plugin
export { plugin as fastifyKeep, MemoryStore, moveSessions, requireSession, returnPath }
/** @hidden */
export { cjs as 'module.exports' }

export type { RejectionReason, SessionEvent, SessionMessage } from './lib/events.js'
export type { GuardOptions, SessionGuard, SessionPredicate } from './lib/guard.js'
export type { MoveOptions, SessionMove } from './lib/move-sessions.js'
export type { Session, SessionMap } from './lib/session.js'
export type { IssuedSession, Sessions, SessionStats } from './lib/sessions.js'
export type { MemoryStoreOptions } from './lib/stores/memory/memory-options.js'
export type { Clock, Duration, SessionCookieAttributes, SessionCookieOptions, SessionOptions } from './types/options.js'
export type { IndexedValues, SessionData, SessionKey, SessionValue, SessionValues } from './types/session-data.js'
export type { Awaitable, SessionChanges, SessionLifetime, SessionRecord, SessionStore, UpdateResult } from './types/store.js'

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
  }
}
