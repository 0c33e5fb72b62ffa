// What a save does with the lists of owners, step by step, on a store whose answers the test decides.
import t from 'tap'
import { SessionLimitError } from '../../lib/errors.js'
import { ownerOf } from '../../lib/record/owner.js'
import { saveSession } from '../../lib/store/save-session.js'
import { revokeEvery } from '../../lib/store/owned-sessions.js'
import { HOUR, MINUTE } from '../fixtures/clock.js'
import { saveKit } from '../fixtures/save-kit.js'

const settings = { key: 'user', limit: null, onLimit: 'end-oldest' } as const
const ada = ownerOf('', '"ada"')
const bob = ownerOf('', '"bob"')
const added = (result: 'done' | 'refused' | 'ended', marked: string[] = []) => ({ result, marked })

type Kit = ReturnType<typeof saveKit>
const saved = ({ context, state, save }: Kit) => saveSession(context, state, save.log)
const own = { values: { user: '"ada"', a: '1' }, owner: ada }

t.test('a login is listed before anybody has its cookie', async (t) => {
  const kit = saveKit({}, settings)
  kit.state.set('user', 'ada')
  t.equal(saved(kit), 'send')
  t.match(kit.asked, [['create'], ['add', ada, String, { expiresAt: kit.clock.now() + HOUR }]])
})

t.test('a new owner is listed before the record is theirs, with the latest deadline it may have', async (t) => {
  const kit = saveKit({}, settings)
  kit.open(own).set('user', 'bob')
  kit.state.reauthenticate()
  saved(kit)
  t.same(kit.names(), ['add', 'update', 'remove', 'read'])
  t.match(kit.asked, [['add', bob, kit.token.id, { expiresAt: kit.clock.now() + HOUR + MINUTE }], ['update', kit.token.id, { owner: bob }], ['remove', ada, [kit.token.id]]])
})

t.test('of a session that has ended, the new owner\'s list hears again', async (t) => {
  const kit = saveKit({ update: ['missing'] }, settings)
  kit.open(own).set('user', 'bob')
  t.equal(saved(kit), 'ended')
  t.same(kit.names(), ['add', 'update', 'remove'])
  t.same(kit.asked[2], ['remove', bob, [kit.token.id]])
})

t.test('a new owner with too many sessions refuses the change, and all of it', async (t) => {
  const kit = saveKit({ add: [added('refused'), added('refused')], list: [['x'], ['x']], read: [{}, {}] }, { ...settings, limit: 1, onLimit: 'refuse' })
  kit.open(own).set('user', 'bob')
  kit.state.set('b', 2)
  await t.rejects(async () => saved(kit), SessionLimitError)
  t.equal(kit.state.draft, null)
  t.equal(kit.names().includes('update'), false)
})

t.test('nobody is turned away for sessions that are absent or have ended', async (t) => {
  const answers = { add: [added('refused'), added('done')], list: [['absent', 'ended', 'there']], read: [null, { endedAt: 1 }, {}] }
  const kit = saveKit(answers, { ...settings, limit: 3, onLimit: 'refuse' })
  kit.state.set('user', 'ada')
  t.equal(await saved(kit), 'send')
  t.same(kit.names(), ['create', 'add', 'list', 'read', 'read', 'read', 'remove', 'add'])
  t.same(kit.asked[6], ['remove', ada, ['absent', 'ended']])
})

t.test('whose session another request has given back by then, it is listed again, until the later deadline', async (t) => {
  const kit = saveKit({}, settings)
  kit.answers.read = [kit.record({ ...own, expiresAt: kit.clock.now() + 5 * HOUR })]
  kit.open(own).set('user', null)
  saved(kit)
  t.same(kit.names(), ['update', 'remove', 'read', 'add'])
  t.same(kit.asked[3], ['add', ada, kit.token.id, { expiresAt: kit.clock.now() + 5 * HOUR }])
})

t.test('a session that its list had lost is listed again when it is renewed', async (t) => {
  const kit = saveKit({ renew: [false] }, settings)
  const state = kit.open(own)
  kit.clock.advance(30 * MINUTE)
  state.usedAt = kit.clock.now()
  t.equal(saved(kit), 'none')
  t.same(kit.names(), ['renew', 'touch', 'add'])
  t.same(kit.asked[2], ['add', ada, kit.token.id, { expiresAt: kit.clock.now() + HOUR }])
})

t.test('the successor of a session that is being ended is dropped, and the login refused', async (t) => {
  const kit = saveKit({ add: [added('ended')] }, settings)
  kit.open(own).regenerate('all')
  t.throws(() => saved(kit), { code: 'FST_KEEP_SESSION_ENDED' })
  t.same(kit.names(), ['create', 'add', 'destroy', 'remove'])
  t.match(kit.asked[1]?.[3], { replaces: kit.token.id, isSuccessor: true })
  t.equal(kit.state.status, 'ended')
})

t.test('the successor whose owner this request has set is a login of its own, and takes the place of the old one', async (t) => {
  const kit = saveKit({}, settings)
  const state = kit.open(own)
  state.regenerate('all')
  state.set('user', 'ada')
  t.equal(saved(kit), 'send')
  t.match(kit.asked[1]?.[3], { replaces: kit.token.id, isSuccessor: false })
  t.same(kit.names(), ['create', 'add', 'destroy', 'remove'])
})

t.test('the successor of nothing is listed as a login', async (t) => {
  const kit = saveKit({}, settings)
  kit.state.set('user', 'ada')
  kit.state.regenerate('all')
  t.equal(saved(kit), 'send')
  t.notOk(Object.hasOwn(kit.asked[1]?.[3] as object, 'replaces'))
})

t.test('where the old session has ended, its owner\'s successor ends with it', async (t) => {
  const kit = saveKit({ destroy: ['missing'] }, settings)
  kit.open(own).regenerate('all')
  t.throws(() => saved(kit), { code: 'FST_KEEP_SESSION_ENDED' })
  t.same(kit.names(), ['create', 'add', 'destroy', 'destroy', 'remove'])
})

t.test('where another request has changed whose it is, the successor is made anew for them', async (t) => {
  const kit = saveKit({ destroy: ['conflict'] }, settings)
  kit.answers.read = [kit.record({ values: { user: '"bob"', a: '1' }, owner: bob, version: 1 })]
  kit.open(own).regenerate('all')
  t.equal(saved(kit), 'send')
  t.same(kit.names(), ['create', 'add', 'destroy', 'read', 'destroy', 'remove', 'create', 'add', 'destroy', 'remove'])
  t.same([kit.asked[1]?.[1], kit.asked[7]?.[1]], [ada, bob])
  t.equal(kit.state.stored?.record.owner, bob)
})

t.test('where that one is being ended, the login is refused', async (t) => {
  const kit = saveKit({ destroy: ['conflict'], add: [added('done'), added('ended')] }, settings)
  kit.answers.read = [kit.record({ values: { user: '"bob"', a: '1' }, owner: bob, version: 1 })]
  kit.open(own).regenerate('all')
  t.throws(() => saved(kit), { code: 'FST_KEEP_SESSION_ENDED' })
})

t.test('a login over an ended session is refused where the record made for it is lost and its owner is being ended', async (t) => {
  const kit = saveKit({ destroy: ['missing'], update: ['missing'], add: [added('done'), added('ended')] }, settings)
  const state = kit.open(own)
  state.regenerate('all')
  state.set('user', 'ada')
  t.throws(() => saved(kit), { code: 'FST_KEEP_SESSION_ENDED' })
})

t.test('everything is ended, also what this process cannot understand, and what has ended is no more counted', async (t) => {
  const kit = saveKit({ read: [{ newer: true }, null, { endedAt: 1 }], destroy: ['done'] }, settings)
  async function * ids () { yield ['corrupt', 'absent', 'ended'] }
  t.equal(await revokeEvery(kit.context, ids, kit.save.log), 1)
  t.same(kit.names().slice(0, 4), ['read', 'read', 'read', 'destroy'])
  t.same(kit.asked[3]?.[1], 'corrupt')
})
