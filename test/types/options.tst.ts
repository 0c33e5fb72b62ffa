// What the README's tables of options promise: each takes what is listed, and nothing else.
import Fastify, { type FastifyRequest } from 'fastify'
import { expect, test } from 'tstyche'
import session, { MemoryStore, requireSession, returnPath, type Duration, type GuardOptions, type Session, type SessionCookieOptions, type SessionOptions } from '../../index.js'

test('every option of the table', () => {
  expect<Required<SessionOptions>>().type.toBeAssignableFrom({
    store: new MemoryStore(),
    idleTimeout: '1h' as const,
    absoluteTimeout: 86_400_000,
    cookie: {},
    secret: 'a secret of thirty-two bytes or more',
    property: 'session',
    saveOn: 'always' as const,
    onStoreError: 'fail' as const,
    onAmbiguousCookie: 'first' as const,
    storeTimeout: '2s' as const,
    maxSize: 1024 * 1024,
    ownerKey: 'userId',
    maxPerOwner: 5,
    onLimit: 'refuse' as const,
    describe: ({ headers }: FastifyRequest) => ({ agent: headers['user-agent'] ?? '' }),
    crossSite: 'allow' as const,
    trustedOrigins: ['https://app.example.com'] as const,
    validate: (session: Session, request: FastifyRequest) => session.get('agent') === request.headers['user-agent'] || 'rotate' as const,
    clearSiteData: ['cache', 'storage'] as const,
    encryption: [{ id: '2026', key: 'in hex or base64' }, { id: '2025', key: Buffer.alloc(32) }, 'plain'] as const,
    clock: Date
  })
  expect<SessionOptions>().type.toBeAssignableFrom({})
})

test('every option of the cookie', () => {
  expect<Required<SessionCookieOptions>>().type.toBeAssignableFrom({
    name: '__Host-sid',
    path: '/',
    domain: 'example.com',
    secure: 'auto' as const,
    sameSite: 'lax' as const,
    httpOnly: true,
    partitioned: false,
    priority: 'high' as const
  })
})

test('names that do not exist are refused, those of other packages too', () => {
  const app = Fastify()
  expect(app.register(session, { idleTimeOut: '30m' })).type.toRaiseError("'idleTimeOut' does not exist")
  expect(app.register(session, { cookieName: 'id' })).type.toRaiseError("'cookieName' does not exist")
  expect(app.register(session, { saveUninitialized: false })).type.toRaiseError("'saveUninitialized' does not exist")
  expect(app.register(session, { rolling: false })).type.toRaiseError("'rolling' does not exist")
  expect(app.register(session, { cookie: { maxAge: 5 } })).type.toRaiseError("'maxAge' does not exist")
})

test('values that cannot work are refused', () => {
  expect<SessionOptions>().type.not.toBeAssignableFrom({ idleTimeout: true })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ saveOn: 'never' })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ encryption: 'a key' })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ encryption: ['a key'] })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ encryption: [{ id: '2026' }] })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ encryption: [{ id: 2026, key: 'in hex' }] })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ onStoreError: 'ignore' })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ secret: 42 })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ store: {} })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ property: Symbol('session') })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ maxSize: '1mb' })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ clock: Date.now })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ cookie: { sameSite: 'Lax' } })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ cookie: { sameSite: true } })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ cookie: { secure: 'always' } })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ cookie: { priority: 'highest' } })
})

test('what other sites may do, and what a logout clears, are words that exist', () => {
  expect<SessionOptions>().type.not.toBeAssignableFrom({ crossSite: true })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ crossSite: 'Allow' })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ trustedOrigins: 'https://app.example.com' })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ trustedOrigins: [/example/] })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ clearSiteData: true })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ clearSiteData: ['*' as const] })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ clearSiteData: ['Cache' as const] })
})

test('validate answers true, false or rotate, now or later', () => {
  const app = Fastify()
  app.register(session, { validate: (session, request) => { expect(session).type.toBe<Session>(); expect(request).type.toBe<FastifyRequest>(); return true } })
  app.register(session, { validate: async (session) => session.has('user') || 'rotate' })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ validate: () => 'regenerate' as const })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ validate: () => {} })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ validate: async () => 'yes' })
  expect<SessionOptions>().type.not.toBeAssignableFrom({ validate: true })
})

test('a duration has a unit that is read, or is a number of milliseconds', () => {
  expect<Duration>().type.toBeAssignableFrom<'30m' | '1.5h' | '90 s' | '7 days' | '2weeks' | '500ms' | 60_000>()
  for (const unit of ['s', 'm', 'h'] as const) expect<Duration>().type.toBeAssignableFrom(`${Number('5')}${unit}` as const)
  expect<Duration>().type.not.toBeAssignableFrom<'soon'>()
  expect<Duration>().type.not.toBeAssignableFrom<'30'>()
  expect<Duration>().type.not.toBeAssignableFrom<'30 fortnights'>()
  expect<Duration>().type.not.toBeAssignableFrom<'m'>()
  expect<Duration>().type.not.toBeAssignableFrom<''>()
  expect<Duration>().type.not.toBeAssignableFrom<string>()
  expect<SessionOptions>().type.not.toBeAssignableFrom({ idleTimeout: 'soon' as const })
  expect<GuardOptions>().type.not.toBeAssignableFrom({ fresh: 'soon' as const })
})

test('a secret may be a list that cannot be changed', () => {
  expect<SessionOptions>().type.toBeAssignableFrom({ secret: ['newest', 'older'] as const })
})

test('a route says whether it has a session', () => {
  const app = Fastify()
  expect(app.get('/', { config: { session: false } }, async () => '')).type.not.toRaiseError()
  expect(app.get('/', { config: { session: 'no' } }, async () => '')).type.toRaiseError()
  expect(app.get('/', { config: { crossSite: 'allow' } }, async () => '')).type.not.toRaiseError()
  expect(app.get('/', { config: { crossSite: 'deny' } }, async () => '')).type.not.toRaiseError()
  expect(app.get('/', { config: { crossSite: true } }, async () => '')).type.toRaiseError()
})

test('every option of a guard, and mistakes with them', () => {
  expect<Required<GuardOptions>>().type.toBeAssignableFrom({ redirectTo: '/login', fresh: '5m' as const, statusCode: 403, property: 'adminSession', except: ['/health'] as const, noStore: true })
  expect(requireSession('user', { redirectto: '/login' })).type.toRaiseError("'redirectto' does not exist")
  expect(requireSession).type.not.toBeCallableWith('user', { fresh: true })
  expect(requireSession).type.not.toBeCallableWith('user', { statusCode: '403' })
  expect(requireSession).type.not.toBeCallableWith('user', '/login')
  expect(requireSession).type.not.toBeCallableWith('user', { except: '/health' })
  expect(requireSession).type.not.toBeCallableWith('user', { noStore: 'yes' })
})

test('the function of a guard answers true or false, now or later', () => {
  expect(requireSession).type.toBeCallableWith((session: { has (key: string): boolean }) => session.has('user'))
  expect(requireSession).type.toBeCallableWith(async () => true)
  expect(requireSession).type.not.toBeCallableWith(() => 'yes')
  expect(requireSession).type.not.toBeCallableWith(async () => 'yes')
  expect(requireSession).type.not.toBeCallableWith(() => {})
})

test('the way back takes what a request claims, and is a string', () => {
  expect(returnPath({} as unknown, '/account')).type.toBe<string>()
  expect(returnPath(undefined)).type.toBe<string>()
  expect(returnPath).type.not.toBeCallableWith('/', null)
})
