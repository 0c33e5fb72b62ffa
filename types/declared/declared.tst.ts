// The types of an app that declared its data: everything infers from the one interface.
import Fastify from 'fastify'
import { expect, test } from 'tstyche'
import session, { requireSession, type Session, type SessionKey, type Sessions, type SessionValue } from '../../index.js'

interface User { id: number, name: string }

declare module '../session-data.js' {
  interface SessionData {
    userId: number
    user: User
    cart: string[]
    flash?: string
    data: 'the name of a member'
  }
}

declare module 'fastify' {
  interface FastifyRequest { adminSession: Session }
  interface FastifyInstance { adminSessions: Sessions }
}

declare const it: Session

test('keys are the declared ones', () => {
  expect<SessionKey>().type.toBe<'userId' | 'user' | 'cart' | 'flash' | 'data'>()
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
  expect(it.update('userId', (id) => { expect(id).type.toBe<number | undefined>(); return (id ?? 0) + 1 })).type.toBe<number | undefined>()
  expect(it.update('userId', () => 'x')).type.toRaiseError()
  expect(it.update('userId', async () => 1)).type.toRaiseError()
  expect(it.update('userId', () => undefined)).type.not.toRaiseError()
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
})

test('requests, and sessions made for tests, know the declared data', () => {
  const app = Fastify()
  app.get('/', async ({ session, adminSession }) => {
    expect(session.userId).type.toBe<number | undefined>()
    expect(adminSession.getOrThrow('cart')).type.toBe<string[]>()
    return ''
  })
  expect(app.register(session, { property: 'adminSession' })).type.not.toRaiseError()
  expect(app.sessions.issue).type.toBeCallableWith({ userId: 42 })
  expect(app.sessions.issue).type.not.toBeCallableWith({ userId: '42' })
  expect(app.adminSessions.issue).type.not.toBeCallableWith({ userid: 42 })
})
