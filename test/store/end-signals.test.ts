// The checks of sessions that somebody listens to, without HTTP: for messages that are lost.
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { EndSignals } from '../../lib/store/end-signals.js'
import { createToken } from '../../lib/record/token.js'
import { SessionState } from '../../lib/session/session-state.js'
import type { SessionStore } from '../../types/store.js'
import { FakeClock, HOUR } from '../fixtures/clock.js'
import { goodRecord } from '../fixtures/good-record.js'
import { memoryStore } from '../fixtures/stores.js'
import { DEFAULT_LIFETIME } from '../fixtures/save-kit.js'

const CHECK_EVERY = 20

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')
const log = { debug () {}, warn () {}, error () {} }

function kit (read?: (good: SessionStore, id: string) => unknown) {
  const clock = new FakeClock()
  const store = memoryStore(clock)
  const reads: string[] = []
  const counted = { read: (id: string) => { reads.push(id); return read === undefined ? store.read(id) : read(store, id) } } as unknown as SessionStore
  const signals = new EndSignals(counted, {}, clock, log, CHECK_EVERY)
  t.teardown(() => signals.close())
  const settings = { namespace: '', lifetime: DEFAULT_LIFETIME, maxSize: 1000, clock, owner: null, encryption: null, signals }
  return {
    clock,
    store,
    reads,
    signals,
    /** The state of a request that found a session of its own. */
    found (expiresAt = clock.now() + HOUR) {
      const { id, value } = createToken('')
      const record = goodRecord({ expiresAt })
      store.create(id, record)
      const state = new SessionState(settings, clock.now())
      state.confirm({ id, cookieToken: value, isCurrent: true, record })
      return { id, state, signal: signals.of(state) }
    }
  }
}

/** A busy machine may be late: what never comes is a test that times out. */
async function until (isSo: () => boolean): Promise<void> {
  while (!isSo()) await delay(5)
}

t.test('what nobody told is found by the next check', async (t) => {
  const { store, found, reads } = kit()
  const { id, signal } = found()
  await until(() => reads.length >= 2)
  t.equal(signal.aborted, false)
  store.destroy(id)
  await until(() => signal.aborted)
  t.match(signal.reason, { reason: null })
  const count = reads.length
  await delay(3 * CHECK_EVERY)
  t.equal(reads.length, count, 'it is not read again')
})

t.test('expiry is found, too, and says so', async (t) => {
  const { clock, found } = kit()
  const { signal } = found()
  clock.advance(HOUR)
  await until(() => signal.aborted)
  t.match(signal.reason, { reason: 'expired' })
})

t.test('a store that fails, or holds what nobody understands, ends nothing', async (t) => {
  for (const read of [() => { throw new Error('no') }, async () => { throw new Error('no') }, () => ({ from: 'the future' })]) {
    const { found, reads } = kit(read)
    const { signal } = found()
    await until(() => reads.length >= 2)
    t.equal(signal.aborted, false, 'it is asked again')
  }
})

t.test('many sessions are read a few at a time', async (t) => {
  let [running, most] = [0, 0]
  const { found } = kit(async (store, id) => {
    most = Math.max(most, ++running)
    await delay(2)
    running--
    return store.read(id)
  })
  for (let index = 0; index < 500; index++) found()
  await delay(200)
  t.ok(most <= 20, `${most} at once`)
})

t.test('a closed one reads nothing any more, and one that is asked for afterwards never fires', async (t) => {
  const { signals, store, found, reads } = kit()
  const { id, signal } = found()
  signals.close()
  const count = reads.length
  const later = found()
  store.destroy(id)
  store.destroy(later.id)
  signals.ended(later.id, 'logout')
  await delay(3 * CHECK_EVERY)
  t.same([signal.aborted, later.signal.aborted, reads.length], [false, false, count])
})

t.test('an unavailable session that is read after all has the signal it was given', async (t) => {
  const { signals, found, clock } = kit()
  const { id, state } = found()
  const away = new SessionState(state.settings, clock.now(), 'unavailable')
  const given = signals.of(away)
  away.restart(state)
  t.equal(signals.of(away), given)
  signals.ended(id, 'revoked')
  await delay(1)
  t.match(given.reason, { reason: 'revoked' })
})

t.test('of a session that has ended there is only a signal that has fired', async (t) => {
  const { signals, found } = kit()
  const { state } = found()
  const never = new SessionState(state.settings, 0)
  never.noteEnded(state.stored?.id as string)
  t.match(signals.of(never), { aborted: true, reason: { reason: null } })
  t.equal(signals.of(never), signals.of(never))
})

t.test('who learns of the end by a step of their own has the signal they were given, fired', async (t) => {
  const { signals, found } = kit()
  const { state, signal } = found()
  state.end()
  t.equal(signals.of(state), signal)
  await delay(1)
  t.match(signal, { aborted: true, reason: { reason: null } })
})

t.test('who listened before there was a session gets a fired signal of their own when it ends before it is told of', async (t) => {
  const { signals, found } = kit()
  const { state } = found()
  const visitor = new SessionState(state.settings, 0)
  const open = signals.of(visitor)
  visitor.noteEnded(state.stored?.id as string)
  const ended = signals.of(visitor)
  t.same([open.aborted, ended.aborted], [false, true])
  t.not(ended, open)
})

t.test('a request is not held by the signal it took', async (t) => {
  const { found } = kit()
  const states = Array.from({ length: 100 }, () => new WeakRef(found().state))
  await delay(CHECK_EVERY)
  collectGarbage()
  await delay(CHECK_EVERY)
  t.ok(states.filter((state) => state.deref() !== undefined).length < 5)
})

t.test('many requests of one session may listen, and Node.js takes that for no leak', async (t) => {
  const warnings: Error[] = []
  const listen = (warning: Error) => { warnings.push(warning) }
  process.on('warning', listen)
  t.teardown(() => process.off('warning', listen))
  const { found } = kit()
  const { signal } = found()
  for (let index = 0; index < 20; index++) signal.addEventListener('abort', () => {})
  await delay(5)
  t.same(warnings, [])
})
