// The types of an app that declared its data: everything infers from the one interface.
import { expect, test } from 'tstyche'
import { requireSession, type Session, type SessionKey } from '../../index.js'

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

declare const it: Session

test('keys are the declared ones', () => {
  expect<SessionKey>().type.toBe<'userId' | 'user' | 'cart' | 'flash' | 'data'>()
  expect(it.get).type.not.toBeCallableWith('userid')
  expect(it.has).type.not.toBeCallableWith('userid')
  expect(it.remove).type.not.toBeCallableWith('userid')
  expect(it.pop).type.not.toBeCallableWith('userid')
  expect(it.userid).type.toRaiseError()
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
})

test('update works on the type of its key', () => {
  expect(it.update('userId', (id) => { expect(id).type.toBe<number | undefined>(); return (id ?? 0) + 1 })).type.toBe<number | undefined>()
  expect(it.update('userId', () => 'x')).type.toRaiseError()
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
  expect(requireSession).type.toBeCallableWith((session: Session) => session.get('user')?.name === 'x')
  expect(it.regenerate).type.toBeCallableWith(['userId'])
  expect(it.regenerate).type.not.toBeCallableWith(['userid'])
})
