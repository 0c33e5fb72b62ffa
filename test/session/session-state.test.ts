// What one request remembers of its session, without a store.
import t from 'tap'
import { planSave } from '../../lib/session/save-plan.js'
import type { SessionState } from '../../lib/session/session-state.js'
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

t.test('a reload drops also what could not have been stored', async (t) => {
  const { state, open, record } = saveKit()
  open({ values: { a: '{"b":1}' } })
  const held = state.get('a') as { b: unknown }
  held.b = () => {}
  const other = saveKit()
  other.state.confirm({ id: 'x', cookieToken: 'x', isCurrent: true, record: record({ values: { a: '{"b":2}' } }) })
  state.setAside()
  state.restart(other.state)
  t.same(state.get('a'), { b: 2 })
  held.b = 3
  state.collect()
  t.equal(state.draft, null, 'the object from before counts no more')
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

t.test('an object that the app holds no longer counts once its key is dropped, in whatever way', async (t) => {
  const drops: Array<[name: string, drop: (state: SessionState) => void]> = [
    ['clear', (state) => state.clear()],
    ['destroy', (state) => state.destroy()],
    ['regenerate', (state) => state.regenerate(new Set(['other']))],
    ['restart', (state) => state.restart(saveKit().state)],
    ['dropChanges', (state) => state.dropChanges()],
    ['end', (state) => state.end()]
  ]
  for (const [name, drop] of drops) {
    const state = saveKit().open({ values: { cart: '["apple"]' } })
    const cart = state.get('cart') as string[]
    drop(state)
    cart.push('pear')
    state.collect()
    t.equal(state.draft?.written.has('cart') ?? false, false, name)
  }
})

t.test('what a request changed without holding an object is dropped as well', async (t) => {
  const state = saveKit().open()
  state.set('b', 1)
  state.dropChanges()
  t.equal(state.draft, null)
  state.destroy()
  state.set('b', 1)
  state.dropChanges()
  t.match(state.draft, { identity: 'destroyed', written: new Map() }, 'but a logout stays')
})

t.test('the time of the beginning and the lifetime are those of the newest layer that knows', async (t) => {
  const kit = saveKit()
  const state = kit.open({ lifetime: { idle: 1, absolute: 2, persistent: true } })
  const stored = kit.clock.now()
  t.same([state.createdAt, state.ownLifetime], [stored, { idle: 1, absolute: 2, persistent: true }])
  kit.clock.advance(5)
  state.regenerate('all')
  state.setLifetime({ idle: 3, absolute: 4 })
  state.sending()
  t.same([state.createdAt, state.ownLifetime], [stored + 5, { idle: 3, absolute: 4, persistent: true }], 'what is on its way')
  kit.clock.advance(5)
  state.destroy()
  t.same([state.createdAt, state.ownLifetime], [stored + 10, null], 'what came since')
})

t.test('a corrupt value is told once, and nobody has to listen', async (t) => {
  const told: string[] = []
  for (const listener of [null, { changing () {}, describe: () => null, foundCorrupt: (id: string) => { told.push(id) } }]) {
    const { state, open, token } = saveKit()
    open({ values: { a: '{', b: '[' } })
    state.listener = listener
    t.same([state.get('a'), state.get('b')], [undefined, undefined])
    t.same(told, listener === null ? [] : [token.id])
  }
})

t.test('a rotation that was given a token keeps it, and so does a step-up', async (t) => {
  const state = saveKit().open()
  state.rotate()
  const plan = planSave(state)
  t.same(planSave(state), plan, 'the same token each time')
})

t.test('a fifth rotation within its time does nothing', async (t) => {
  const { state, open, clock } = saveKit()
  open({ earlier: Array.from({ length: 4 }, (_, index) => ({ verifier: `v${index}`, until: clock.now() + 1, opens: true })) })
  state.rotate()
  t.match(planSave(state), { step: 'nothing' })
  state.set('b', 1)
  t.match(planSave(state), { step: 'update', token: null, changes: { set: { b: '1' } } }, 'and what was set is stored all the same')
})

t.test('a full call stack says nothing about a value: reading it throws', async (t) => {
  const state = saveKit().open({ values: { a: '[1]' } })
  const { parse } = JSON
  t.teardown(() => { JSON.parse = parse })
  JSON.parse = () => { throw new RangeError('Maximum call stack size exceeded') }
  t.throws(() => state.get('a'), RangeError)
  JSON.parse = parse
  t.same(state.get('a'), [1])
})

t.test('the id of a session that begins is the same while it is on its way', async (t) => {
  const { state } = saveKit()
  state.set('a', 1)
  const { id } = state
  state.sending()
  t.equal(state.id, id)
  const fresh = saveKit().state
  fresh.set('a', 1)
  fresh.sending()
  t.equal(fresh.id, fresh.id)
  t.equal(fresh.createdAt, fresh.usedAt, 'it begins when it was first used')
})
