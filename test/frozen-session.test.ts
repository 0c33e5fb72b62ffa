// What all sessions share cannot be changed through one of them.
import t from 'tap'
import { HOST, IndexAccess, type Entries } from '../lib/session/index-access.js'
import { buildApp } from './fixtures/app.js'

t.test('nothing that a session hands out lets one session change another', async (t) => {
  const app = await buildApp(t)
  const session = await app.sessions.load(undefined)
  const open = session as unknown as Record<string, Record<string, unknown>>
  const { get } = session
  for (const key of ['__proto__', 'constructor', 'get', 'destroy']) {
    for (const name of ['get', 'adopt', 'call', 'evil', 'sessionId']) {
      t.throws(() => { (open[key] as Record<string, unknown>)[name] = () => 'evil' }, TypeError, `${key}.${name}`)
      t.equal(Reflect.set(open[key] as object, name, 1), false)
    }
  }
  const base = Object.getPrototypeOf(Object.getPrototypeOf(session)) as object
  t.equal(Reflect.set(base, 'evil', 1), false)
  t.equal(Reflect.set(base.constructor, 'evil', 1), false)
  const other = await app.sessions.load(undefined)
  t.equal(other.get, get)
  t.equal('evil' in other, false)
  other['user'] = 1
  t.same([other['user'], 'user' in other, 'get' in other, Object.keys(other)], [1, true, true, ['user']])
})

t.test('a class can still be made of it', (t) => {
  const entries = new Map<string, unknown>([['a', 1]])
  const state: Entries = { get: (key) => entries.get(key), set: (key, value) => { entries.set(key, value) }, has: (key) => entries.has(key), remove: (key) => entries.delete(key), keys: () => entries.keys() }
  class Own extends IndexAccess {
    get first (): unknown { return this[HOST].state.get('a') }
  }
  const own = new Own({ state })
  t.equal(own.first, 1)
  t.equal((own as unknown as Record<string, unknown>)['a'], 1)
  t.end()
})
