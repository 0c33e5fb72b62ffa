// What one request remembers of its session, without a store.
import t from 'tap'
import { saveKit } from '../fixtures/save-kit.js'

t.test('a step-up needs a session, or something that begins one', async (t) => {
  const { state } = saveKit()
  t.throws(() => state.reauthenticate(), { code: 'FST_KEEP_SESSION_ENDED' })
  state.set('a', undefined)
  t.throws(() => state.reauthenticate(), { code: 'FST_KEEP_SESSION_ENDED' }, 'nothing is nothing')
  state.set('a', 1)
  state.reauthenticate()
  t.equal(state.draft?.identity, 'reauthenticated')
  const ended = saveKit()
  ended.open()
  ended.state.end()
  ended.state.set('a', 1)
  t.throws(() => ended.state.reauthenticate(), { code: 'FST_KEEP_SESSION_ENDED' })
})

t.test('the end drops what is pending, but for a session that begins anew', async (t) => {
  const { state, open, token } = saveKit()
  open().set('b', 1)
  state.end()
  t.match(state, { status: 'ended', draft: null, stored: null, endedId: token.id, id: token.id })
  state.regenerate('all')
  t.equal(state.status, 'open')
  t.not(state.id, token.id)
  state.set('c', 1)
  state.end()
  t.same([state.status, [...state.draft?.written ?? []]], ['open', [['c', '1']]])
})

t.test('after a reload a logout still ends every session that the request came with', async (t) => {
  const { state, open } = saveKit()
  const other = saveKit()
  open()
  state.openedIds = ['one', 'two']
  state.set('b', 1)
  other.open()
  state.setAside()
  state.restart(other.state)
  t.same([state.openedIds, state.stored, state.draft], [['one', 'two', other.token.id], other.state.stored, null])
})

t.test('dropped changes leave a logout, and nothing that was set after it', async (t) => {
  const { state, open } = saveKit()
  open().set('b', 1)
  state.dropChanges()
  t.equal(state.draft, null)
  state.destroy()
  state.set('c', 1)
  state.dropChanges()
  t.match(state.draft, { identity: 'destroyed', scope: new Set() })
  t.equal(state.draft?.written.size, 0)
})

t.test('a session that could not be read finds nothing, and throws when written to', async (t) => {
  const { state } = saveKit()
  state.status = 'unavailable'
  t.same([state.get('a'), state.has('a'), state.keys()], [undefined, false, []])
  for (const write of [() => state.set('a', 1), () => state.clear(), () => state.destroy(), () => state.rotate(), () => state.reauthenticate(), () => state.touch()]) {
    t.throws(write, { code: 'FST_KEEP_STORE' })
  }
})

t.test('what lies over what: draft, sent, stored', async (t) => {
  const { state, open } = saveKit()
  open({ values: { a: '1', b: '1', c: '1' } })
  state.set('b', 2)
  state.set('c', 2)
  state.sending()
  state.set('c', 3)
  state.remove('a')
  t.same([state.get('a'), state.get('b'), state.get('c'), state.keys()], [undefined, 2, 3, ['b', 'c']])
  state.retract()
  t.same([...state.draft?.written ?? []], [['b', '2'], ['c', '3'], ['a', null]])
  t.equal(state.sent, null)
  state.retract()
  t.same([state.get('b'), state.get('c')], [2, 3])
})

t.test('what is changed inside an object while a save is under way is found by the next', async (t) => {
  const { state, open } = saveKit()
  open({ values: { cart: '["a"]' } })
  const cart = state.get('cart') as string[]
  cart.push('b')
  state.collect()
  state.sending()
  cart.push('c')
  state.collect()
  t.same([...state.draft?.written ?? []], [['cart', '["a","b","c"]']])
  t.equal(state.get('cart'), cart)
})
