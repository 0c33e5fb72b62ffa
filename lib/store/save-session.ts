// Second half of a request: from what is pending to the store. Every change of a
// record that is there is conditional, so a slow request can neither bring back
// what another ended nor undo what it stored.
import { andThen, recover } from '../awaitable.js'
import { ConflictError } from '../errors.js'
import { applyRenewal, changedRecord } from '../record/apply-changes.js'
import { logLine } from '../log-line.js'
import type { Layer } from '../session/layer.js'
import type { StoredSession } from '../session/layers.js'
import { sealedChanges } from '../session/sealed.js'
import { movesCookie, planSave, type SavePlan } from '../session/save-plan.js'
import type { SessionState } from '../session/session-state.js'
import type { Awaitable, SessionChanges, SessionRenewal } from '../../types/store.js'
import { beginSession } from './begin-session.js'
import { dropAfterEnd, endedElsewhere, endSession, logOut } from './end-session.js'
import { readAgain } from './read-again.js'
import { regenerateSession } from './regenerate-session.js'
import type { Save, SaveResult } from './save.js'
import { inTurn } from './save-step.js'
import { aboutToSeal, keysToSeal, sealAnew } from './seal-anew.js'
import { refuseResult } from './too-large.js'
import type { SessionLog, StoreContext } from './store-context.js'
import { updateListed, withDeadline } from './update-listed.js'
import { warnOwnerPlanted } from '../warnings.js'

// Some request wins every round, so this many can change one session at once.
const MAX_ROUNDS = 1000

/**
 * Saves what is pending, after a save of the same session that is under way. `refuse` may throw for a plan that must not be followed.
 * Answers with what became of it; throws when the store fails, and then nothing was confirmed.
 */
export function saveSession (context: StoreContext, state: SessionState, log: SessionLog, refuse?: (plan: SavePlan) => void): Awaitable<SaveResult> {
  return inTurn(state, () => {
    state.collect()
    const plan = planSave(state)
    refuse?.(plan)
    return take({ context, state, log }, plan, 0)
  })
}

function take (save: Save, plan: SavePlan, round: number): Awaitable<SaveResult> {
  switch (plan.step) {
    case 'nothing': return dropAfterEnd(save)
    case 'create': return beginSession(save)
    case 'touch': return touch(save, plan)
    case 'update': return update(save, plan, round)
    case 'regenerate': return regenerateSession(save)
    case 'end': return endSession(save)
    case 'logout': return logOut(save)
  }
}

/** A renewal that fails is no reason to fail a response that is ready. */
function touch (save: Save, { renewal }: Extract<SavePlan, { step: 'touch' }>): Awaitable<SaveResult> {
  const { state, log } = save
  const stored = state.stored as StoredSession
  state.sending()
  return recover(() => movesCookie(state) ? renewWithCookie(save, stored, renewal) : renew(save, stored, renewal), (error) => {
    logLine(log, 'warn', { sessionId: stored.id, err: error }, 'the session could not be renewed')
    state.confirm(stored)
    return 'none'
  })
}

function renew ({ context, state, log }: Save, stored: StoredSession, renewal: SessionRenewal): Awaitable<SaveResult> {
  return andThen(withDeadline(context, stored, renewal.renewTo, () => context.store.touch(stored.id, renewal)), (result) => {
    if (result === 'missing') return endedElsewhere({ state, log })
    const record = result === 'done' ? applyRenewal(stored.record, renewal) : null
    state.confirm(record === null ? stored : { ...stored, record })
    return 'none'
  })
}

/** The cookie is sent once more only where it still is the current one, and has this lifetime. */
function renewWithCookie (save: Save, stored: StoredSession, renewal: SessionRenewal): Awaitable<SaveResult> {
  const { verifier, lifetime } = stored.record
  const changes: SessionChanges = { clear: false, set: {}, remove: [], ifVerifier: verifier, ifLifetime: lifetime, renewal }
  return andThen(updateListed(save, stored, changes), (result) => {
    if (result === 'missing') return endedElsewhere(save)
    if (result !== 'done') return renew(save, stored, renewal)
    save.state.confirm({ ...stored, record: changedRecord(stored.record, changes) })
    return 'renew'
  })
}

function update (save: Save, plan: Extract<SavePlan, { step: 'update' }>, round: number): Awaitable<SaveResult> {
  const { context, state } = save
  const { token } = plan
  const stored = state.stored as StoredSession
  const layer = state.sending()
  const { identity } = layer
  const older = round === 0 ? keysToSeal(save, stored, layer) : []
  if (older.length > 0) return andThen(sealAnew(save, stored, older), () => retry(save, stored, round))
  const changes = sealedChanges(state.settings, stored.id, withAbout(save, stored, layer, plan.changes))
  return andThen(updateListed(save, stored, changes), (result) => {
    switch (result) {
      case 'missing': return endedElsewhere(save)
      case 'too-large': return refuseResult(save, stored, changes)
      case 'conflict': return retry(save, stored, round)
    }
    const record = changedRecord(stored.record, changes)
    const cookieToken = token?.value ?? stored.cookieToken
    state.confirm({ id: stored.id, cookieToken, isCurrent: token !== null || stored.isCurrent, record })
    context.events.emit('saved', stored.id)
    if (token !== null) context.events.emit(identity === 'reauthenticated' ? 'reauthenticated' : 'rotated', stored.id)
    if (token !== null) return 'send'
    if (changes.lifetime !== undefined) return stored.isCurrent ? 'send' : 'none'
    return changes.renewal !== undefined && movesCookie(state) ? 'renew' : 'none'
  })
}

/** What the app says about a browser is asked at a login. Outside of one that makes the older cookies useless, somebody else may have planted the session. */
function withAbout ({ state }: Save, stored: StoredSession, layer: Layer, changes: SessionChanges): SessionChanges {
  const { settings, listener } = state
  if (settings.owner === null) return changes
  if (changes.owner === undefined) {
    const about = aboutToSeal(state.settings, stored, layer)
    return about === null ? changes : { ...changes, about }
  }
  const { written, identity } = layer
  const isLogin = changes.owner !== null && written.has(settings.owner.key)
  if (isLogin && identity !== 'reauthenticated') warnOwnerPlanted(settings.owner.key)
  return { ...changes, about: isLogin ? listener?.describe() ?? null : null }
}

/** Another request was faster: takes in what it stored, and decides anew about what was sent. What was changed since is left to the next save. */
function retry (save: Save, stored: StoredSession, round: number): Awaitable<SaveResult> {
  const { state } = save
  save.context.events.emit('conflict', stored.id)
  if (round === MAX_ROUNDS) throw new ConflictError()
  return andThen(readAgain(save, stored), (isThere) => {
    if (!isThere) return endedElsewhere(save)
    const plan = planSave(state, state.sent)
    if (plan.step !== 'nothing') return take(save, plan, round + 1)
    // the other request has stored the same
    state.confirm(state.stored)
    return 'none'
  })
}
