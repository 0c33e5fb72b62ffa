// `update` and `take` beside what the same request has pending, without HTTP.
import t from 'tap'
import { takeAtOnce, updateAtOnce } from '../../lib/http/at-once.js'
import { saveSession } from '../../lib/store/save-session.js'
import { saveKit } from '../fixtures/save-kit.js'

const count = (value: unknown) => (value as number | undefined ?? 0) + 1

/** A host that saves as a request does, and says what the save answered. */
function hostOf (kit: ReturnType<typeof saveKit>, isAlive = true) {
  return { save: async () => { await saveSession(kit.context, kit.state, kit.save.log); return isAlive } }
}

/** A login whose first step the store has not answered yet. */
function underWay (answer: unknown) {
  const kit = saveKit({ create: [Promise.resolve(answer)] })
  kit.open()
  kit.state.regenerate('all')
  const saving = Promise.resolve(saveSession(kit.context, kit.state, kit.save.log))
  // as a request does for as long as a save is under way
  kit.state.saving = saving.finally(() => { kit.state.saving = null })
  return { kit, saving }
}

t.test('both wait for a save that replaces the session, and act on the new one', async (t) => {
  for (const step of ['update', 'take'] as const) {
    const { kit, saving } = underWay(true)
    const old = kit.token.id
    kit.answers.read = [null]
    const done = step === 'update' ? updateAtOnce(hostOf(kit), kit.save, 'a', count) : takeAtOnce(hostOf(kit), kit.save, 'a')
    t.equal(await saving, 'send')
    t.equal(await done, step === 'update' ? 2 : 1)
    t.same(kit.names(), ['create', 'destroy', 'update'])
    t.not(kit.asked[2]?.[1], old)
    t.equal(kit.asked[2]?.[1], kit.state.stored?.id)
  }
})

t.test('a pending login is saved before they act', async (t) => {
  for (const step of ['update', 'take'] as const) {
    const kit = saveKit()
    kit.open().regenerate('all')
    const done = step === 'update' ? updateAtOnce(hostOf(kit), kit.save, 'a', count) : takeAtOnce(hostOf(kit), kit.save, 'a')
    t.equal(await done, step === 'update' ? 2 : 1)
    t.same(kit.names(), ['create', 'destroy', 'update'])
  }
})

t.test('what a pending login hides is changed with it, unless the session ended', async (t) => {
  const pending = (isAlive = true) => {
    const kit = saveKit()
    kit.open().regenerate(new Set(['none']))
    kit.state.set('a', 5)
    return { kit, host: hostOf(kit, isAlive) }
  }
  const one = pending()
  t.equal(await updateAtOnce(one.host, one.kit.save, 'a', count), 6)
  t.same(one.kit.state.stored?.record.values, { a: '6' })
  const two = pending()
  t.equal(await takeAtOnce(two.host, two.kit.save, 'a'), 5)
  t.same(two.kit.state.stored?.record.values, {})
  const three = pending(false)
  await t.rejects(updateAtOnce(three.host, three.kit.save, 'a', count), { code: 'FST_KEEP_SESSION_ENDED' })
  const four = pending(false)
  t.equal(await takeAtOnce(four.host, four.kit.save, 'a'), undefined)
  const five = pending()
  five.kit.state.remove('a')
  t.equal(await takeAtOnce(five.host, five.kit.save, 'a'), undefined)
  t.same(five.kit.names(), [], 'there was nothing to take')
})
