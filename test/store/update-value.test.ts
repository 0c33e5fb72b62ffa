// `update` and `take` at the store, without HTTP.
import t from 'tap'
import { saveSession } from '../../lib/store/save-session.js'
import { updateValue } from '../../lib/store/update-value.js'
import { saveKit } from '../fixtures/save-kit.js'

const increment = (n: unknown) => ((n as number | undefined) ?? 0) + 1

t.test('the value is compared with what was read, and nothing else is sent', async (t) => {
  const kit = saveKit()
  kit.open({ generation: 3 }).set('b', 1)
  t.same(updateValue(kit.save, 'a', increment), { before: 1, after: 2 })
  t.same(kit.asked, [['update', kit.token.id, { clear: false, set: { a: '2' }, remove: [], ifGeneration: 3, maxSize: 1000, ifValue: { key: 'a', encoded: '1' } }]])
  t.match(kit.state.stored?.record, { values: { a: '2' }, version: 1 })
  t.same([...kit.state.draft?.written ?? []], [['b', '1']], 'what else is pending stays so')
})

t.test('a pending value is what it starts from, and is stored with it', async (t) => {
  const kit = saveKit()
  kit.open().set('a', 10)
  t.same(updateValue(kit.save, 'a', increment), { before: 10, after: 11 })
  t.equal((kit.asked[0]?.[2] as { ifValue?: unknown }).ifValue, undefined)
  t.equal(kit.state.draft?.written.size, 0)
})

t.test('what is set while it is under way stays pending', async (t) => {
  const kit = saveKit({ update: [Promise.resolve('done')] })
  kit.open()
  const updated = updateValue(kit.save, 'a', increment)
  kit.state.set('a', 50)
  t.same(await updated, { before: 1, after: 2 })
  t.same([kit.state.get('a'), kit.state.stored?.record.values], [50, { a: '2' }])
})

t.test('after a conflict it runs again, on what is stored then', async (t) => {
  const kit = saveKit({ update: ['conflict'] })
  kit.answers.read = [kit.record({ values: { a: '41' }, version: 1 })]
  kit.open()
  t.same(updateValue(kit.save, 'a', increment), { before: 41, after: 42 })
  t.equal(kit.state.stored?.record.version, 2)
})

t.test('an absent key that stays absent is looked for once more, and costs no write', async (t) => {
  const kit = saveKit()
  kit.answers.read = [kit.record()]
  kit.open()
  t.same(updateValue(kit.save, 'x', () => undefined), { before: undefined, after: undefined })
  t.same(kit.names(), ['read'])
})

t.test('a stored value that cannot be decoded is absent, and can be replaced', async (t) => {
  const kit = saveKit()
  kit.open({ values: { a: '{corrupt' } })
  const corrupt: string[] = []
  kit.state.listener = { changing () {}, describe: () => null, foundCorrupt: (id) => { corrupt.push(id) } }
  t.same(updateValue(kit.save, 'a', increment), { before: undefined, after: 1 })
  t.match(kit.asked[0]?.[2], { set: { a: '1' }, ifValue: { key: 'a', encoded: '{corrupt' } })
  t.ok(corrupt.includes(kit.token.id))
})

t.test('where the session has ended it throws, and so does everything after it', async (t) => {
  for (const end of [{ update: ['missing'] }, { update: ['conflict'], read: [null] }, { update: ['conflict'], read: [{ endedAt: 1 }] }]) {
    const kit = saveKit(end)
    kit.open()
    t.throws(() => updateValue(kit.save, 'a', increment), { code: 'FST_KEEP_SESSION_ENDED' })
    t.equal(kit.state.status, 'ended')
    const { length } = kit.asked
    t.throws(() => updateValue(kit.save, 'a', increment), { code: 'FST_KEEP_SESSION_ENDED' })
    t.equal(kit.asked.length, length, 'without asking the store')
  }
})

t.test('a step-up of another request ends it for this one', async (t) => {
  const kit = saveKit({ update: ['conflict'] })
  kit.answers.read = [kit.record({ generation: 1 })]
  kit.open()
  t.throws(() => updateValue(kit.save, 'a', increment), { code: 'FST_KEEP_SESSION_ENDED' })
})

t.test('what is too large for the store is refused, and a conflict without end too', async (t) => {
  const large = saveKit({ update: ['too-large'] })
  large.open()
  t.throws(() => updateValue(large.save, 'a', () => 'x'.repeat(2000)), { code: 'FST_KEEP_TOO_LARGE' })
  const kit = saveKit()
  kit.open()
  kit.answers.update = Array.from({ length: 1001 }, () => 'conflict')
  kit.answers.read = Array.from({ length: 1001 }, () => kit.record())
  t.throws(() => updateValue(kit.save, 'a', increment), { code: 'FST_KEEP_CONFLICT' })
})

t.test('a session that is not stored yet takes it as a set', async (t) => {
  const kit = saveKit()
  t.same(updateValue(kit.save, 'a', increment), { before: undefined, after: 1 })
  t.same(updateValue(kit.save, 'a', increment), { before: 1, after: 2 })
  t.same([kit.asked, kit.state.get('a')], [[], 2])
})

t.test('what is called after it takes nothing away from it, also where it waits for its turn', async (t) => {
  for (const after of ['clear', 'destroy', 'regenerate'] as const) {
    for (const pending of [undefined, 7]) {
      let answer = (_result: 'done') => {}
      const kit = saveKit({ update: [new Promise((resolve) => { answer = resolve })] })
      const state = kit.open({ values: { n: '5' } })
      state.set('b', 1)
      const saving = saveSession(kit.context, state, kit.save.log)
      if (pending !== undefined) state.set('n', pending)
      const updated = updateValue(kit.save, 'n', increment)
      if (after === 'regenerate') state.regenerate(new Set())
      else state[after]()
      answer('done')
      await saving
      const before = pending ?? 5
      t.same(await updated, { before, after: before + 1 }, `${after}, with ${pending}`)
      t.equal(state.get('n'), undefined)
    }
  }
})

t.test('where it is under way and the session ends, what was pending comes along with a login that was called since', async (t) => {
  let answer = (_result: 'missing') => {}
  const kit = saveKit({ update: [new Promise((resolve) => { answer = resolve })] })
  const state = kit.open()
  state.set('a', 7)
  const updated = updateValue(kit.save, 'a', increment) as Promise<unknown>
  state.regenerate(new Set(['a']))
  answer('missing')
  await t.rejects(updated, { code: 'FST_KEEP_SESSION_ENDED' })
  t.same([state.status, state.get('a')], ['open', 7])
})
