// The types of an app that declared its data: everything infers from the one interface.
import Fastify from 'fastify'
import { expect, test } from 'tstyche'
import session, { requireSession, type Session, type PluginData, type SessionKey, type SessionMap, type SessionPredicate, type Sessions, type SessionValue } from '../../../index.js'

interface User { id: number, name: string }

declare module '../../../types/session-data.js' {
  interface SessionData {
    userId: number
    user: User
    cart: string[]
    flash?: string
    data: 'the name of a member'
  }
}

declare module 'fastify' {
  interface FastifyRequest { adminSession: Session<AdminData> }
  interface FastifyInstance { adminSessions: Sessions<AdminData> }
}

interface AdminData { adminId: number, roles: string[] }

declare const it: Session

test('keys are the declared ones, and those of plugins', () => {
  expect<SessionKey>().type.toBe<'userId' | 'user' | 'cart' | 'flash' | 'data' | keyof PluginData>()
  expect(it.get).type.not.toBeCallableWith('userid')
  expect(it.has).type.not.toBeCallableWith('userid')
  expect(it.remove).type.not.toBeCallableWith('userid')
  expect(it.pop).type.not.toBeCallableWith('userid')
  expect(it.getOrThrow).type.not.toBeCallableWith('userid')
  expect(it.update).type.not.toBeCallableWith('userid', () => 1)
  expect(it.userid).type.toRaiseError("Did you mean 'userId'?")
  expect(it['userid']).type.toRaiseError()
  expect(it.userid = 42).type.toRaiseError()
})

test('values have their types, and may be absent', () => {
  expect(it.get('userId')).type.toBe<number | undefined>()
  expect(it.getOrThrow('userId')).type.toBe<number>()
  expect(it.getOrThrow('flash')).type.toBe<string>()
  expect(it.get('cart')).type.toBe<string[] | undefined>()
  expect(it.pop('flash')).type.toBe<string | undefined>()
  expect(it.userId).type.toBe<number | undefined>()
  expect(it['user']).type.toBe<User | undefined>()
  expect(it.data().user).type.toBe<User | undefined>()
  expect(it.data().userid).type.toRaiseError()
  expect<SessionValue<'cart'>>().type.toBe<string[]>()
})

test('wrong values are refused', () => {
  expect(it.set).type.toBeCallableWith('userId', 42)
  expect(it.set).type.toBeCallableWith('userId', undefined)
  expect(it.set).type.not.toBeCallableWith('userId', '42')
  expect(it.setMany).type.toBeCallableWith({ userId: 1, cart: [] })
  expect(it.setMany).type.not.toBeCallableWith({ userId: '1' })
  expect(it.setMany).type.not.toBeCallableWith({ userid: 1 })
  expect(it.userId = '42').type.toRaiseError()
  expect(it.userId = 42).type.not.toRaiseError()
  expect(it.userId = undefined).type.not.toRaiseError()
  expect(delete it.userId).type.not.toRaiseError()
})

test('update works on the type of its key', () => {
  expect(it.update('userId', (id) => { expect(id).type.toBe<number | undefined>(); return (id ?? 0) + 1 })).type.toBe<Promise<number>>()
  expect(it.update('userId', () => 'x')).type.toRaiseError()
  expect(it.update('userId', async () => 1)).type.toRaiseError()
  expect(it.update('userId', () => undefined)).type.toBe<Promise<undefined>>()
  expect(it.take('userId')).type.toBe<Promise<number | undefined>>()
  expect(it.take).type.not.toBeCallableWith('userid')
})

test('a key that is the name of a member is reached through get and set, and the member stays', () => {
  expect(it.data).type.toBe<Session['data']>()
  expect(it.get('data')).type.toBe<'the name of a member' | undefined>()
})

test('guards and the list of regenerate know the keys', () => {
  expect(requireSession).type.toBeCallableWith('userId')
  expect(requireSession).type.toBeCallableWith(['userId', 'cart'])
  expect(requireSession).type.not.toBeCallableWith('userid')
  expect(requireSession).type.not.toBeCallableWith(['userId', 'userid'])
  expect(requireSession((session) => session.get('user')?.name === 'x')).type.not.toRaiseError()
  expect(requireSession((session) => session.get('userid') === 'x')).type.toRaiseError()
  expect(it.regenerate).type.toBeCallableWith(['userId'])
  expect(it.regenerate).type.not.toBeCallableWith(['userid'])
  expect(it.regenerate).type.not.toBeCallableWith(['userId', 'userid'])
  expect(it.regenerate).type.not.toBeCallableWith('userId')
})

test('regenerate keeps everything, what is listed at run time, and lists that cannot be changed', () => {
  expect(it.regenerate()).type.toBe<void>()
  expect(it.regenerate).type.toBeCallableWith('all')
  expect(it.regenerate).type.toBeCallableWith(Object.keys(it))
  expect(it.regenerate).type.toBeCallableWith(Object.keys(it).filter((key) => key !== 'cart'))
  expect(it.regenerate).type.toBeCallableWith(['userId', 'cart'] as const)
  expect(it.regenerate).type.not.toBeCallableWith(['userid'] as const)
  expect(it.regenerate).type.toBeCallableWith([])
  expect(it.regenerate).type.toBeCallableWith([] as SessionKey[])
  expect(it.regenerate).type.not.toBeCallableWith([1])
})

// case: the snippets of docs/ecosystem.md, in an app that declared its data
test('the keys of plugins are known without being declared, and a declaration of the app has precedence', () => {
  expect(it.has('flash')).type.toBe<boolean>()
  expect(it.get('flash')).type.toBe<string | undefined>()
  expect(it.get('grant')).type.toBe<unknown>()
  expect(it.get('passport')).type.toBe<unknown>()
  expect(it.passport).type.toBe<unknown>()
  expect(it._csrf = 'a secret').type.not.toRaiseError()
  expect(it.set).type.toBeCallableWith('messages', ['no such user'])
  expect(it.set).type.not.toBeCallableWith('flash', 42)
  expect(it.setMany).type.toBeCallableWith({ userId: 1, returnTo: '/account' })
  expect(requireSession).type.toBeCallableWith('passport')
  expect(it.regenerate).type.toBeCallableWith(['_csrf'])
  expect(it.get).type.not.toBeCallableWith('pasport')
  expect(requireSession).type.not.toBeCallableWith('pasport')
})

test('a second session has its own data', () => {
  const admin = {} as Session<AdminData>
  expect(admin.get('adminId')).type.toBe<number | undefined>()
  expect(admin.roles).type.toBe<string[] | undefined>()
  expect(admin.getOrThrow('roles')).type.toBe<string[]>()
  expect(admin.update('adminId', (id) => (id ?? 0) + 1)).type.toBe<Promise<number>>()
  expect(admin.get).type.not.toBeCallableWith('userId')
  expect(admin.set).type.not.toBeCallableWith('adminId', '42')
  expect(admin.adminid).type.toRaiseError("Did you mean 'adminId'?")
  expect(admin.regenerate).type.toBeCallableWith(['adminId'])
  expect(admin.regenerate).type.not.toBeCallableWith(['userId'])
  expect(admin.regenerate).type.toBeCallableWith(Object.keys(admin))
  expect<SessionMap<AdminData>['data']>().type.toBe<Session<AdminData>['data']>()
  expect(requireSession<AdminData>).type.toBeCallableWith('adminId', { property: 'adminSession' })
  expect(requireSession<AdminData>).type.not.toBeCallableWith('userId', { property: 'adminSession' })
  expect(requireSession((session: Session<AdminData>) => session.roles?.includes('owner') === true, { property: 'adminSession' })).type.not.toRaiseError()
  expect<SessionPredicate<AdminData>>().type.toBeAssignableFrom((session: Session<AdminData>) => session.has('adminId'))
})

test('a second session without declared data takes any string', () => {
  const open = {} as Session<{}>
  expect(open.get('anything')).type.toBe<unknown>()
  expect(open.regenerate).type.toBeCallableWith(['anything'])
})

test('requests, and sessions made for tests, know the declared data', () => {
  const app = Fastify()
  app.get('/', async ({ session, adminSession }) => {
    expect(session.userId).type.toBe<number | undefined>()
    expect(adminSession.getOrThrow('roles')).type.toBe<string[]>()
    return ''
  })
  expect(app.register(session, { property: 'adminSession' })).type.not.toRaiseError()
  expect(app.sessions.issue).type.toBeCallableWith({ userId: 42 })
  expect(app.sessions.issue).type.not.toBeCallableWith({ userId: '42' })
  expect(app.adminSessions.issue).type.toBeCallableWith({ adminId: 42 })
  expect(app.adminSessions.issue).type.not.toBeCallableWith({ userId: 42 })
  expect(app.adminSessions.load(undefined)).type.toBe<Promise<Session<AdminData>>>()
})
