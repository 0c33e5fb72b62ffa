// The types of an app that declared nothing: any string is a key, values are unknown.
import Fastify, { type FastifyPluginAsync } from 'fastify'
import { expect, test } from 'tstyche'
import session, {
  fastifyKeep, MemoryStore, requireSession, returnPath,
  type IssuedSession, type Session, type SessionGuard, type SessionKey, type SessionOptions, type SessionRecord, type Sessions, type SessionStats, type SessionStore
} from '../index.js'

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
})

test('members keep their types', () => {
  expect(it.has('a')).type.toBe<boolean>()
  expect(it.remove('a')).type.toBe<boolean>()
  expect(it.save()).type.toBe<Promise<boolean>>()
  expect(it.reload()).type.toBe<Promise<void>>()
  expect(it.sessionId).type.toBe<string>()
  expect(it.createdAt).type.toBe<number>()
  expect(it.isNew).type.toBe<boolean>()
  expect(it.lifetime).type.toBeCallableWith({ idle: '30d', absolute: 1000, persistent: true })
  expect(it.lifetime).type.not.toBeCallableWith({ idle: true })
  expect(it.options).type.toBeCallableWith({ sameSite: 'strict' })
  expect(it.options).type.not.toBeCallableWith({ sameSite: 'Strict' })
})

test('the plugin registers with options that are checked', () => {
  expect(session).type.toBe<typeof fastifyKeep>()
  expect(session).type.toBeAssignableTo<FastifyPluginAsync<SessionOptions>>()
  const app = Fastify()
  expect(app.register(session)).type.not.toRaiseError()
  expect(app.register(session, { idleTimeout: '30m', cookie: { name: 'id' }, store: new MemoryStore() })).type.not.toRaiseError()
  expect(app.register(session, { idleTimeOut: '30m' })).type.toRaiseError()
  expect(app.register(session, { cookie: { maxAge: 5 } })).type.toRaiseError()
  expect(app.register(session, { secret: ['a', 'b'] as const })).type.not.toRaiseError()
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
  expect(app.sessions.issue({ a: 1 })).type.toBe<Promise<IssuedSession>>()
  expect(app.sessions.stats()).type.toBe<SessionStats>()
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

test('stores answer at once or later', () => {
  expect<MemoryStore>().type.toBeAssignableTo<SessionStore>()
  expect<{ read (id: string): Promise<SessionRecord | null> }>().type.not.toBeAssignableTo<SessionStore>()
  expect(new MemoryStore({ maxSessions: 10 }).size).type.toBe<number>()
  expect(returnPath).type.toBeCallableWith(undefined, '/')
})
