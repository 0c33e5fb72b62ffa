// The types of an app that declared nothing: any string is a key, values are unknown.
import Fastify, { type FastifyPluginAsync } from 'fastify'
import { expect, test } from 'tstyche'
import session, {
  fastifyKeep, requireSession,
  type DenialReason, type EndReason, type ForeignReason, type IssuedSession, type RejectionReason, type Session, type SessionEvent, type SessionGuard, type SessionKey, type SessionMessage, type SessionOptions, type SessionPolicy, type Sessions, type SessionStats
} from '../../index.js'

declare const it: Session

test('any string is a key, and values are unknown', () => {
  expect<SessionKey>().type.toBe<string>()
  expect(it.get('anything')).type.toBe<unknown>()
  expect(it['anything']).type.toBe<unknown>()
  expect(it.getOrThrow('anything')).type.toBe<unknown>()
  expect(it.set).type.toBeCallableWith('anything', new Map())
  expect(it.set).type.not.toBeCallableWith(1, 'x')
  expect(it.setMany).type.toBeCallableWith({ a: 1, b: 'x' })
  expect(it.data()).type.toBe<{ [key: string]: unknown }>()
  expect(it.pop('flash')).type.toBe<unknown>()
  expect(it.regenerate).type.toBeCallableWith(['anything'])
  expect(it.take('coupon')).type.toBe<Promise<unknown>>()
  expect(it.isEnded).type.toBe<boolean>()
  expect(it.reauthenticated()).type.toBe<void>()
})

test('the index reads, writes, and is as open as any map', () => {
  expect(it['anything'] = [new Date()]).type.not.toRaiseError()
  expect('anything' in it).type.toBe<boolean>()
  expect(delete it['anything']).type.not.toRaiseError()
  expect({ ...it }['anything']).type.toBe<unknown>()
})

test('update hands on what is stored, and promises what becomes of it', () => {
  expect(it.update('count', (count) => { expect(count).type.toBe<unknown>(); return Number(count ?? 0) + 1 })).type.toBe<Promise<number>>()
})

test('members keep their types', () => {
  expect(it.has('a')).type.toBe<boolean>()
  expect(it.remove('a')).type.toBe<boolean>()
  expect(it.clear()).type.toBe<void>()
  expect(it.regenerate()).type.toBe<void>()
  expect(it.rotate()).type.toBe<void>()
  expect(it.destroy()).type.toBe<void>()
  expect(it.touch()).type.toBe<void>()
  expect(it.save()).type.toBe<Promise<boolean>>()
  expect(it.reload()).type.toBe<Promise<void>>()
  expect(it.sessionId).type.toBe<string>()
  expect(it.createdAt).type.toBe<number>()
  expect(it.expiresAt).type.toBe<number>()
  expect(it.isNew).type.toBe<boolean>()
  expect(it.isModified).type.toBe<boolean>()
})

test('members take what the README says, and nothing else', () => {
  expect(it.lifetime).type.toBeCallableWith({ idle: '30d', absolute: 1000, persistent: true })
  expect(it.lifetime).type.toBeCallableWith({ persistent: true })
  expect(it.lifetime).type.not.toBeCallableWith({ idle: true })
  expect(it.lifetime).type.not.toBeCallableWith({ maxAge: 1000 })
  expect(it.options).type.toBeCallableWith({ sameSite: 'strict' })
  expect(it.options).type.not.toBeCallableWith({ sameSite: 'Strict' })
  expect(it.options).type.not.toBeCallableWith({ maxAge: 1000 })
  expect(it.regenerate).type.not.toBeCallableWith('anything')
  expect(it.save).type.not.toBeCallableWith(() => {})
  expect(it.destroy).type.not.toBeCallableWith(() => {})
})

test('members are not overwritten', () => {
  expect(it.save = 'x').type.toRaiseError()
  expect(it['data'] = 1).type.toRaiseError()
  expect(it.sessionId = 'x').type.toRaiseError('read-only')
  expect(it.createdAt = 0).type.toRaiseError('read-only')
})

test('the plugin is what Fastify registers', () => {
  expect(session).type.toBe<typeof fastifyKeep>()
  expect(session).type.toBeAssignableTo<FastifyPluginAsync<SessionOptions>>()
  const app = Fastify()
  expect(app.register(session)).type.not.toRaiseError()
  expect(app.register(session, { idleTimeout: '30m', cookie: { name: 'id' } })).type.not.toRaiseError()
})

test('requests and apps are decorated', () => {
  const app = Fastify()
  app.get('/', { config: { session: false } }, (request) => {
    expect(request.session).type.toBe<Session>()
    return ''
  })
  expect(app.sessions).type.toBe<Sessions>()
  expect(app.sessions.load('sid=x')).type.toBe<Promise<Session>>()
  expect(app.sessions.load(undefined)).type.toBe<Promise<Session>>()
  expect(app.sessions.load).type.not.toBeCallableWith(42)
  expect(app.sessions.issue()).type.toBe<Promise<IssuedSession>>()
  expect(app.sessions.issue({ a: 1 })).type.toBe<Promise<IssuedSession>>()
  expect<IssuedSession>().type.toBe<{ readonly sessionId: string, readonly cookies: Record<string, string>, readonly headers: { cookie: string } }>()
  expect(app.sessions.stats()).type.toBe<SessionStats>()
  expect<SessionStats['size']>().type.toBe<number | null>()
  expect<SessionStats['storeErrors']>().type.toBe<number>()
  expect(app.sessions.policy()).type.toBe<SessionPolicy>()
  expect<SessionPolicy['owners']>().type.toBe<{ readonly key: string, readonly limit: number | null, readonly onLimit: 'end-oldest' | 'refuse', readonly isDescribed: boolean } | null>()
})

test('a guard fits servers on HTTP/2 and https', () => {
  const guard = requireSession('user')
  const app = Fastify({ http2: true })
  expect(app.get('/', { onRequest: [guard], preValidation: guard, preHandler: guard }, (request) => request.session.get('user'))).type.not.toRaiseError()
  expect(Fastify({ https: {} }).get('/', { preHandler: guard }, async () => '')).type.not.toRaiseError()
  expect(Fastify({ http2: true, https: {} }).get('/', { preHandler: [guard] }, async () => '')).type.not.toRaiseError()
})

test('a guard fits every hook it is made for', () => {
  const app = Fastify()
  const guard = requireSession('user')
  expect(guard).type.toBe<SessionGuard>()
  app.addHook('onRequest', guard)
  app.addHook('preValidation', guard)
  app.get<{ Params: { id: string } }>('/:id', { onRequest: guard, preHandler: [guard] }, (request) => request.params.id)
  expect(requireSession).type.toBeCallableWith(['user', 'role'], { statusCode: 403, redirectTo: '/login', fresh: '5m', property: 'adminSession' })
  expect(requireSession).type.toBeCallableWith((session: Session) => session.has('user'))
  expect(requireSession).type.toBeCallableWith(async (session: Session) => session.has('user'))
  expect(requireSession).type.not.toBeCallableWith()
  expect(requireSession).type.not.toBeCallableWith(1)
})

test('a subscriber is told what happened to whom', () => {
  expect<SessionMessage['sessionId']>().type.toBe<string | null>()
  expect<SessionMessage['previousId']>().type.toBe<string | null | undefined>()
  expect<SessionMessage['reason']>().type.toBe<EndReason | RejectionReason | DenialReason | undefined>()
  expect<DenialReason>().type.toBe<'no-session' | 'missing-key' | 'stale-login' | 'predicate' | 'failed' | 'validate-failed' | 'limit' | ForeignReason>()
  expect<ForeignReason>().type.toBe<'cross-site' | 'same-site' | 'foreign-origin'>()
  expect<EndReason>().type.toBe<'logout' | 'revoked' | 'limit' | 'replaced' | 'invalid' | 'expired' | 'evicted'>()
  expect<SessionMessage['error']>().type.toBe<Error | undefined>()
  expect<SessionEvent>().type.toBe<'created' | 'loaded' | 'saved' | 'regenerated' | 'rotated' | 'reauthenticated' | 'destroyed' | 'expired' | 'evicted' | 'rejected' | 'denied' | 'conflict' | 'store-error'>()
})
