// A login, step by step, on a store whose answers the test decides.
import t from 'tap'
import { saveSession } from '../../lib/store/save-session.js'
import { HOUR } from '../fixtures/clock.js'
import { saveKit } from '../fixtures/save-kit.js'

t.test('the new record comes first, then the old one ends if it still is what it was', async (t) => {
  const kit = saveKit()
  kit.open({ generation: 2, version: 5 }).regenerate(new Set(['a']))
  t.equal(saveSession(kit.context, kit.state, kit.save.log), 'send')
  t.match(kit.asked, [['create', String, { values: { a: '1' }, generation: 1, version: 0 }], ['destroy', kit.token.id, { ifGeneration: 2, ifVersion: 5 }]])
  t.not(kit.state.stored?.id, kit.token.id)
  t.same(kit.state.openedIds, [])
})

t.test('where nothing stored is kept, the version does not matter', async (t) => {
  const kit = saveKit()
  const state = kit.open()
  state.regenerate(new Set(['a']))
  state.set('a', 2)
  saveSession(kit.context, state, kit.save.log)
  t.same(kit.asked[1], ['destroy', kit.token.id, { reason: 'replaced', ifGeneration: 0 }])
})

t.test('after a conflict the new session is written again, with the lifetime that another request has given', async (t) => {
  const kit = saveKit({ destroy: ['conflict'] })
  const lifetime = { idle: 10 * HOUR, absolute: 20 * HOUR, persistent: true }
  kit.answers.read = [kit.record({ values: { a: '2' }, version: 1, lifetime })]
  kit.open().regenerate('all')
  t.equal(saveSession(kit.context, kit.state, kit.save.log), 'send')
  t.same(kit.names(), ['create', 'destroy', 'read', 'update', 'destroy'])
  const now = kit.clock.now()
  t.match(kit.asked[3], ['update', String, { clear: true, set: { a: '2' }, lifetime, createdAt: now, expiresAt: now + 10 * HOUR, absoluteExpiresAt: now + 20 * HOUR }])
  t.same(kit.asked[4]?.[2], { reason: 'replaced', ifGeneration: 0, ifVersion: 1 })
  t.match(kit.state.stored?.record, { values: { a: '2' }, version: 1, lifetime, expiresAt: now + 10 * HOUR })
})

t.test('where the old session has ended, only what this request set begins', async (t) => {
  const kit = saveKit({ destroy: ['missing'] })
  const state = kit.open()
  state.regenerate('all')
  state.set('b', 2)
  t.equal(saveSession(kit.context, state, kit.save.log), 'send')
  t.same(kit.names(), ['create', 'destroy', 'update'])
  t.match(kit.asked[2], ['update', String, { clear: true, set: { b: '2' } }])
  t.same(state.stored?.record.values, { b: '2' })
})

t.test('where it has ended and nothing was set, nothing is left', async (t) => {
  const kit = saveKit({ destroy: ['missing'] })
  kit.open().regenerate('all')
  t.equal(saveSession(kit.context, kit.state, kit.save.log), 'ended')
  t.same(kit.names(), ['create', 'destroy', 'destroy'])
  t.equal(kit.asked[2]?.[1], kit.asked[0]?.[1], 'the new one is ended')
})

t.test('where its user has stepped up since, the old session is no longer this request\'s', async (t) => {
  const kit = saveKit({ destroy: ['conflict'] })
  kit.answers.read = [kit.record({ generation: 1 })]
  const state = kit.open()
  state.regenerate('all')
  state.set('b', 2)
  t.equal(saveSession(kit.context, state, kit.save.log), 'send')
  t.same(kit.names(), ['create', 'destroy', 'read', 'update'])
  t.same(state.stored?.record.values, { b: '2' })
})

t.test('a new record that is lost in between is made again', async (t) => {
  const kit = saveKit({ destroy: ['conflict'], update: ['missing'] })
  kit.answers.read = [kit.record({ version: 1 })]
  kit.open().regenerate('all')
  t.equal(saveSession(kit.context, kit.state, kit.save.log), 'send')
  t.same(kit.names(), ['create', 'destroy', 'read', 'update', 'create', 'destroy'])
})

t.test('a conflict that never ends is an error in the end, and the login stays pending', async (t) => {
  const kit = saveKit()
  kit.open()
  kit.answers.destroy = Array.from({ length: 1001 }, () => 'conflict')
  kit.answers.read = Array.from({ length: 1001 }, () => kit.record())
  kit.state.regenerate('all')
  t.throws(() => saveSession(kit.context, kit.state, kit.save.log), { code: 'FST_KEEP_CONFLICT' })
  t.equal(kit.state.draft?.identity, 'regenerated')
})
