// From tokens to a session, on a store whose answers the test decides.
import t from 'tap'
import { createToken, renewToken } from '../../lib/record/token.js'
import { loadSession } from '../../lib/store/load-session.js'
import { HOUR, MINUTE } from '../fixtures/clock.js'
import { saveKit } from '../fixtures/save-kit.js'
import type { SessionState } from '../../lib/session/session-state.js'

type Kit = ReturnType<typeof saveKit>

const loaded = ({ context, save, token }: Kit, ...others: string[]) => loadSession(context, [token.value, ...others].map((each) => ({ token: each })), save.log) as SessionState

t.test('what cannot be opened is absent, and nothing is written', async (t) => {
  const kit = saveKit()
  const { clock } = kit
  const now = clock.now()
  const absent = [null, undefined, 'text', {}, { endedAt: now - MINUTE }, kit.record({ expiresAt: now }), kit.record({ absoluteExpiresAt: now }), kit.record({ verifier: 'x' })]
  for (const answer of absent) {
    kit.answers.read = [answer]
    t.match(loaded(kit), { status: 'open', stored: null, openedIds: [] })
  }
  t.same([...new Set(kit.names())], ['read'])
})

t.test('a record that was begun under another key is told of once, and not when it has expired', async (t) => {
  const kit = saveKit()
  const now = kit.clock.now()
  const verifier = `2026$${'v'.repeat(43)}`
  for (const parts of [{ expiresAt: now }, { absoluteExpiresAt: now }, {}, {}]) {
    kit.answers.read = [kit.record({ verifier, ...parts })]
    t.match(loaded(kit), { status: 'open', stored: null, openedIds: [] })
    if (Object.keys(parts).length > 0) t.same(kit.lines, [])
  }
  t.match(kit.lines, [/begun under a key that is not in `encryption`/])
  t.equal(kit.lines.length, 1)
  t.same([...new Set(kit.names())], ['read'])
  t.equal(kit.context.events.counts.rejected, 4)
})

t.test('a late request has an ended session, and can still end it', async (t) => {
  const kit = saveKit()
  const now = kit.clock.now()
  const closed = { verifier: kit.token.verifier, until: now, opens: false }
  for (const answer of [{ endedAt: now - MINUTE + 1 }, kit.record({ verifier: 'x', earlier: [closed] })]) {
    kit.answers.read = [answer]
    t.match(loaded(kit), { status: 'ended', stored: null, endedId: kit.token.id, openedIds: [kit.token.id] })
  }
  kit.answers.read = [kit.record({ verifier: 'x', earlier: [{ ...closed, until: now - MINUTE }] })]
  t.match(loaded(kit), { status: 'open', stored: null, openedIds: [kit.token.id] }, 'outdated: only a logout reaches it')
})

t.test('of several the current one is used, and of two sessions the first', async (t) => {
  const kit = saveKit()
  const newer = renewToken('', kit.token.id)
  const earlier = [{ verifier: kit.token.verifier, until: kit.clock.now() + 1, opens: true }]
  kit.answers.read = [kit.record({ verifier: newer.verifier, earlier }), kit.record({ verifier: newer.verifier, earlier })]
  t.match(loaded(kit, newer.value).stored, { cookieToken: newer.value, isCurrent: true })
  const other = createToken('')
  kit.answers.read = [kit.record(), kit.record({ verifier: other.verifier })]
  t.match(loaded(kit, other.value), { stored: { id: kit.token.id }, openedIds: [kit.token.id, other.id] })
  Object.assign(kit.context, { onAmbiguousCookie: 'refuse' })
  kit.answers.read = [kit.record(), kit.record({ verifier: other.verifier })]
  t.match(loaded(kit, other.value), { stored: null, status: 'open', openedIds: [kit.token.id, other.id] })
})

t.test('the first use of a token and an early renewal are one step', async (t) => {
  const kit = saveKit()
  const now = kit.clock.now()
  const earlier = [{ verifier: 'old', until: now + HOUR, opens: true }]
  kit.answers.read = [kit.record({ shown: false, earlier, expiresAt: now + 29 * MINUTE })]
  const state = loaded(kit)
  t.match(kit.asked[1], ['update', kit.token.id, { ifVerifier: kit.token.verifier, shown: true, earlier: [{ until: now + MINUTE }], renewal: { renewTo: now + HOUR } }])
  t.match(state.stored?.record, { shown: true, version: 1, expiresAt: now + HOUR })
})

t.test('what has to be done before the handler may fail, conflict or come too late', async (t) => {
  for (const [parts, name] of [[{ shown: false }, 'update'], [{ expiresAt: 29 * MINUTE }, 'touch']] as const) {
    for (const [answer, status] of [['missing', 'ended'], ['conflict', 'open'], ['stale', 'open'], [() => { throw new Error('down') }, 'open']] as const) {
      const kit = saveKit({ [name]: [answer] })
      const record = kit.record(parts)
      kit.answers.read = [{ ...record, expiresAt: 'expiresAt' in parts ? kit.clock.now() + parts.expiresAt : record.expiresAt }]
      const state = loaded(kit)
      t.equal(state.status, status)
      t.equal(state.stored === null, status === 'ended')
      t.equal(kit.lines.length, typeof answer === 'function' ? 1 : 0)
    }
  }
})
