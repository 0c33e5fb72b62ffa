// A save, step by step, on a store whose answers the test decides.
import t from 'tap'
import { renewToken } from '../../lib/record/token.js'
import { saveSession } from '../../lib/store/save-session.js'
import { HOUR, MINUTE } from '../fixtures/clock.js'
import { saveKit } from '../fixtures/save-kit.js'

const saved = (kit: ReturnType<typeof saveKit>) => saveSession(kit.context, kit.state, kit.save.log)

t.test('what is changed while a save is under way stays pending, and what it stored is not stored twice', async (t) => {
  const kit = saveKit({ update: [Promise.resolve('done')] })
  kit.open().set('b', 1)
  const first = saved(kit)
  kit.state.set('c', 2)
  const second = saved(kit)
  t.same([await first, await second], ['none', 'none'])
  t.match(kit.asked, [['update', kit.token.id, { set: { b: '1' } }], ['update', kit.token.id, { set: { c: '2' } }]])
  t.match(kit.state.stored?.record, { values: { a: '1', b: '1', c: '2' }, version: 2 })
  t.same([kit.state.draft, kit.state.sent, kit.state.saving], [null, null, null])
})

t.test('a save that fails confirms nothing: what it had sent is pending beneath what came since', async (t) => {
  for (const failing of [() => { throw new Error('down') }, () => Promise.reject(new Error('down'))]) {
    const kit = saveKit({ update: [failing] })
    kit.open().set('b', 1)
    const result = Promise.resolve().then(() => saved(kit))
    await t.rejects(result, { message: 'down' })
    kit.state.set('c', 2)
    t.equal(await saved(kit), 'none')
    t.match(kit.asked[1], ['update', kit.token.id, { set: { b: '1', c: '2' } }])
  }
})

t.test('after a conflict what others stored is read, and only what still differs is sent', async (t) => {
  const kit = saveKit({ update: ['conflict'] })
  kit.answers.read = [kit.record({ values: { b: '1', x: '9' }, version: 1 })]
  kit.open().set('b', 1)
  t.equal(saved(kit), 'none')
  t.same(kit.names(), ['update', 'read'])
  t.equal(kit.state.get('x'), 9)
})

t.test('a rotation that was overtaken sends what was set, and no cookie', async (t) => {
  const kit = saveKit({ update: ['conflict'] })
  const newer = renewToken('', kit.token.id)
  kit.answers.read = [kit.record({ verifier: newer.verifier, version: 1 })]
  const state = kit.open()
  state.rotate()
  state.set('b', 1)
  t.equal(saved(kit), 'none')
  t.match(kit.asked[0]?.[2], { ifVerifier: kit.token.verifier, verifier: String, shown: false, set: { b: '1' } })
  t.same(Object.keys(kit.asked[2]?.[2] as object).sort(), ['clear', 'ifGeneration', 'maxSize', 'remove', 'set'])
  t.equal(state.stored?.isCurrent, false)
})

t.test('a step-up that was overtaken throws, whatever overtook it', async (t) => {
  const cases = [{ update: ['missing'] }, { update: ['conflict'], read: [null] }, { update: ['conflict'], read: [{ endedAt: 1 }] }]
  for (const answers of cases) {
    const kit = saveKit(answers)
    kit.open().reauthenticate()
    t.throws(() => saved(kit), { code: 'FST_KEEP_SESSION_ENDED' })
    t.equal(kit.state.status, 'ended')
  }
  const kit = saveKit({ update: ['conflict'] })
  kit.answers.read = [kit.record({ generation: 1 })]
  kit.open().reauthenticate()
  t.throws(() => saved(kit), { code: 'FST_KEEP_SESSION_ENDED' })
})

t.test('a step-up counts the generation and both deadlines, and closes every earlier token', async (t) => {
  const kit = saveKit()
  const earlier = [{ verifier: 'old', until: kit.clock.now() + HOUR, opens: true }]
  const state = kit.open({ generation: 4, earlier })
  kit.clock.advance(MINUTE)
  state.reauthenticate()
  t.equal(saved(kit), 'send')
  const now = kit.clock.now()
  t.match(kit.asked[0]?.[2], { ifGeneration: 4, ifVerifier: kit.token.verifier, generation: 5, shown: true, createdAt: now, expiresAt: now + HOUR, absoluteExpiresAt: now + 24 * HOUR })
  t.same((kit.asked[0]?.[2] as { earlier: unknown }).earlier, [{ verifier: kit.token.verifier, until: now, opens: false }, { verifier: 'old', until: now, opens: false }])
  t.match(state.stored, { id: kit.token.id, isCurrent: true, record: { generation: 5 } })
  t.not(state.stored?.cookieToken, kit.token.value)
})

t.test('a renewal that fails is logged, and no error', async (t) => {
  for (const failing of [() => { throw new Error('down') }, () => Promise.reject(new Error('down'))]) {
    const kit = saveKit({ touch: [failing] })
    kit.open({ expiresAt: kit.clock.now() + HOUR / 2 })
    t.equal(await saved(kit), 'none')
    t.same(kit.lines, ['the session could not be renewed'])
    t.equal(kit.state.sent, null)
  }
})

t.test('a renewal that has become stale changes nothing, and one without a record is the end', async (t) => {
  const stale = saveKit({ touch: ['stale'] })
  stale.open({ expiresAt: stale.clock.now() + HOUR / 2 })
  t.equal(saved(stale), 'none')
  t.equal(stale.state.status, 'open')
  const missing = saveKit({ touch: ['missing'] })
  missing.open({ expiresAt: missing.clock.now() + HOUR / 2 })
  t.equal(saved(missing), 'ended')
  t.equal(missing.state.status, 'ended')
})

t.test('a renewal moves the date of a cookie that has one, where it is the current one', async (t) => {
  for (const [persistent, isCurrent, cookie] of [[true, true, 'renew'], [false, true, 'none'], [true, false, 'none']] as const) {
    for (const isChanged of [false, true]) {
      const kit = saveKit()
      const state = kit.open({ lifetime: { idle: HOUR, absolute: 24 * HOUR, persistent }, expiresAt: kit.clock.now() + HOUR / 2 })
      state.confirm({ ...state.stored as NonNullable<typeof state.stored>, isCurrent })
      if (isChanged) state.set('b', 1)
      t.equal(saved(kit), cookie)
      t.equal(state.stored?.record.expiresAt, kit.clock.now() + HOUR)
    }
  }
})

t.test('a logout ends every session that was opened, and says what it ended', async (t) => {
  for (const [answers, cookie] of [[['done', 'missing'], 'clear'], [['missing', 'done'], 'clear'], [['missing', 'missing'], 'none']] as const) {
    const kit = saveKit({ destroy: [...answers] })
    const state = kit.open()
    state.openedIds = ['another', kit.token.id]
    state.destroy()
    t.equal(saved(kit), cookie)
    t.same(kit.asked, [['destroy', 'another', { reason: 'logout' }], ['destroy', kit.token.id, { reason: 'logout' }]], 'once each, with no condition')
    t.same([state.stored, state.openedIds, state.sent], [null, [], null])
  }
})

t.test('a lifetime that was given after a logout waits for the session that begins next', async (t) => {
  const own = { idle: MINUTE, absolute: HOUR, persistent: false }
  const kit = saveKit()
  const state = kit.open()
  state.destroy()
  state.setLifetime(own)
  t.equal(saved(kit), 'clear')
  state.set('a', 1)
  t.equal(saved(kit), 'send')
  t.match(state.stored?.record, { lifetime: own, expiresAt: kit.clock.now() + MINUTE })
  state.destroy()
  state.setLifetime(own)
  const again = saved(kit)
  state.destroy()
  t.equal(again, 'clear')
  state.set('a', 1)
  saved(kit)
  t.equal(state.stored?.record.lifetime, null, 'another logout drops it')

  const slow = saveKit({ destroy: [Promise.resolve('done')] })
  const held = slow.open()
  held.destroy()
  held.setLifetime(own)
  const leaving = saved(slow)
  held.setLifetime({ idle: HOUR })
  await leaving
  t.equal(held.ownLifetime?.idle, HOUR, 'what was given since is newer')
})

t.test('a logout that fails in the middle is tried again as a whole', async (t) => {
  const kit = saveKit({ destroy: ['done', () => { throw new Error('down') }] })
  const state = kit.open()
  state.openedIds = [kit.token.id, 'another']
  state.destroy()
  t.throws(() => saved(kit), { message: 'down' })
  t.equal(state.draft?.identity, 'destroyed')
  t.equal(saved(kit), 'clear')
  t.equal(kit.asked.length, 4)
})

t.test('an emptied session ends at its generation only', async (t) => {
  const kit = saveKit({ destroy: ['conflict'] })
  kit.open({ generation: 2 }).clear()
  t.equal(saved(kit), 'ended')
  t.same(kit.asked, [['destroy', kit.token.id, { ifGeneration: 2, reason: 'logout' }]])
  t.equal(kit.state.status, 'ended')
})

t.test('an id that is taken is never used, and a store that takes them all is an error', async (t) => {
  const kit = saveKit({ create: [false] })
  kit.state.set('a', 1)
  t.equal(saved(kit), 'send')
  t.not(kit.asked[0]?.[1], kit.asked[1]?.[1])
  t.equal(kit.state.stored?.id, kit.asked[1]?.[1])
  const full = saveKit({ create: [false, false, false] })
  full.state.set('a', 1)
  t.throws(() => saved(full), { code: 'FST_KEEP_STORE' })
  t.equal(full.asked.length, 3)
})

t.test('a conflict without end is an error, and the changes stay pending', async (t) => {
  const kit = saveKit()
  kit.open().set('b', 1)
  kit.answers.update = Array.from({ length: 1001 }, () => 'conflict')
  kit.answers.read = Array.from({ length: 1001 }, () => kit.record())
  t.throws(() => saved(kit), { code: 'FST_KEEP_CONFLICT' })
  t.same([...kit.state.draft?.written ?? []], [['b', '1']])
})

t.test('after a logout the id is that of the session that begins next, also where the session had ended before', async (t) => {
  const kit = saveKit({ destroy: ['missing'] })
  const { state } = kit
  state.noteEnded(kit.token.id)
  state.openedIds = [kit.token.id]
  t.equal(state.id, kit.token.id)
  state.destroy()
  const { id } = state
  t.not(id, kit.token.id)
  t.equal(await saved(kit), 'none')
  t.equal(state.id, id, 'saving the logout leaves it alone')
  state.set('a', 1)
  t.equal(await saved(kit), 'send')
  t.equal(state.stored?.id, id)
})

t.test('a session that ends while another begins in its place does not lend its id', async (t) => {
  const kit = saveKit()
  const { state } = kit
  kit.open()
  state.destroy()
  const { id } = state
  state.end()
  t.equal(await saved(kit), 'clear')
  t.equal(state.id, id)
})

t.test('an object that was changed while a conflict was read again keeps its change', async (t) => {
  for (const unstorable of [false, true]) {
    const kit = saveKit({ update: [Promise.resolve('conflict')] })
    kit.answers.read = [kit.record({ values: { cart: '["x"]' }, version: 1 })]
    const state = kit.open({ values: { cart: '["a"]' } })
    const cart = state.get('cart') as unknown[]
    state.set('b', 1)
    const saving = saved(kit)
    cart.push(unstorable ? () => {} : 'b')
    await saving
    t.equal(state.get('cart'), cart)
    if (unstorable) t.throws(() => state.collect(), { code: 'FST_KEEP_UNSTORABLE_VALUE' })
  }
})
