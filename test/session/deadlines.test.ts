// When a session expires, by what is stored and what a request has changed.
import t from 'tap'
import { absoluteExpiresAtOf, expiresAtOf } from '../../lib/session/deadlines.js'
import { draftOf } from '../../lib/session/new-record.js'
import { HOUR, MINUTE } from '../fixtures/clock.js'
import { DEFAULT_LIFETIME, saveKit } from '../fixtures/save-kit.js'

const absolute = (kit: ReturnType<typeof saveKit>) => absoluteExpiresAtOf(draftOf(kit.state), kit.clock.now())
const expires = (kit: ReturnType<typeof saveKit>) => expiresAtOf(draftOf(kit.state), kit.clock.now())

t.test('the absolute deadline is the stored one, until a lifetime is given or the session begins anew', async (t) => {
  const kit = saveKit()
  const state = kit.open()
  const begin = kit.clock.now()
  kit.clock.advance(MINUTE)
  t.equal(absolute(kit), begin + 24 * HOUR, 'untouched')
  state.set('b', 1)
  t.equal(absolute(kit), begin + 24 * HOUR, 'written to')
  state.setLifetime({ absolute: 48 * HOUR })
  t.equal(absolute(kit), begin + 48 * HOUR, 'another lifetime counts from the beginning')
  state.regenerate('all')
  t.equal(absolute(kit), begin + MINUTE + 48 * HOUR, 'a login from now')
})

t.test('a session without a record expires when its idle timeout has passed', async (t) => {
  const kit = saveKit()
  t.equal(absolute(kit), kit.clock.now() + DEFAULT_LIFETIME.absolute)
  t.equal(expires(kit), kit.clock.now() + DEFAULT_LIFETIME.idle)
})

t.test('what a request does moves the deadline, as far as a save would', async (t) => {
  const kit = saveKit()
  const state = kit.open()
  const begin = kit.clock.now()
  t.equal(expires(kit), begin + HOUR)
  state.usedAt = begin + MINUTE
  t.equal(expires(kit), begin + HOUR, 'too little for a renewal')
  state.usedAt = begin + 10 * MINUTE
  kit.clock.advance(10 * MINUTE)
  t.equal(expires(kit), begin + 10 * MINUTE + HOUR, 'a renewal is due')
  state.set('b', 1)
  t.equal(expires(kit), begin + 10 * MINUTE + HOUR, 'and comes with what is written')
  state.setLifetime({ idle: 2 * HOUR })
  t.equal(expires(kit), begin + 10 * MINUTE + 2 * HOUR)
  state.reauthenticate()
  t.equal(expires(kit), kit.clock.now() + 2 * HOUR)
})
