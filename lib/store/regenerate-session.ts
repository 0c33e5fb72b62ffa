// A login: a new session in the place of the old one. The new record comes first,
// under an id whose cookie nobody has yet; then one conditional step ends the old
// one. A process that dies in between leaves a record that nobody can open.
import { andThen } from '../awaitable.js'
import { ConflictError, SessionEndedError } from '../errors.js'
import type { SessionMessage } from '../events.js'
import type { Layer } from '../session/layer.js'
import type { StoredSession } from '../session/layers.js'
import { isAnythingSet, keepsStored, newRecord } from '../session/new-record.js'
import { refuseTooLarge } from '../session/size-limit.js'
import type { Awaitable } from '../../types/store.js'
import { createRecord } from './begin-session.js'
import { unlist } from './end-listed.js'
import { endedElsewhere } from './end-session.js'
import { dropCreated, listCreated } from './list-session.js'
import { readAgain } from './read-again.js'
import type { CookieAction, Save, SaveResult } from './save.js'

const MAX_ROUNDS = 1000

export function regenerateSession (save: Save): Awaitable<SaveResult> {
  const layer = save.state.sending()
  return andThen(createSuccessor(save, layer), (created) => created === null ? refuseSuccessor(save) : endOld(save, layer, created, 0))
}

/** Nobody has its cookie until the old one has ended, but its owner's list has it. `null`: the old one is being ended. */
function createSuccessor (save: Save, layer: Layer): Awaitable<StoredSession | null> {
  const { stored } = save.state
  return andThen(createRecord(save, layer, 1), (created) => {
    const succession = stored === null ? {} : { replaces: stored.id, isSuccessor: inheritsOwner(save, layer, created) }
    return andThen(listCreated(save, created, succession), (isListed) => isListed ? created : null)
  })
}

/** Whether it is the owner's because the old one was: then it ends with that. An owner that this request has set has just logged in. */
function inheritsOwner ({ state: { settings } }: Save, { written }: Layer, { record }: StoredSession): boolean {
  return settings.owner !== null && record.owner !== null && !written.has(settings.owner.key)
}

/** The session has ended, and what was to go on of it has not. */
function refuseSuccessor ({ state }: Save): never {
  state.retract()
  state.draft = null
  state.end()
  throw new SessionEndedError()
}

/** Ends the old session if it still is what the new one was made from. */
function endOld (save: Save, layer: Layer, created: StoredSession, round: number): Awaitable<SaveResult> {
  const { context, state } = save
  const old = state.stored as StoredSession
  const condition = {
    reason: 'replaced' as const,
    ifGeneration: old.record.generation,
    // kept values must not be those from before another request's change
    ...(keepsStored(layer, old) && { ifVersion: old.record.version })
  }
  return andThen(context.store.destroy(old.id, condition), (result) => {
    if (result === 'done') return confirmReplacement(save, created, old)
    if (result === 'conflict') context.events.emit('conflict', old.id)
    if (round === MAX_ROUNDS) throw new ConflictError()
    return andThen(result === 'conflict' && readAgain(save, old), (isThere) => {
      if (isThere) return andThen(rewrite(save, layer, created), (rewritten) => rewritten === null ? refuseSuccessor(save) : endOld(save, layer, rewritten, round + 1))
      return beginWithoutOld(save, layer, created, old)
    })
  })
}

/** The old session has ended: its values stay behind, and what this request has set begins the new one. */
function beginWithoutOld (save: Save, layer: Layer, created: StoredSession, old: StoredSession): Awaitable<SaveResult> {
  const { state } = save
  if (inheritsOwner(save, layer, created)) return andThen(dropCreated(save, created), () => refuseSuccessor(save))
  if (!isAnythingSet(layer)) return andThen(dropCreated(save, created), () => endedElsewhere(save))
  const hadKept = keepsStored(layer, old)
  // "remember me" survives
  layer.lifetime ??= old.record.lifetime
  state.stored = null
  return andThen(hadKept ? rewrite(save, layer, created) : created, (begun) => {
    if (begun === null) return refuseSuccessor(save)
    // the old one was not counted, and lives if its user has stepped up
    return andThen(listCreated(save, begun), () => confirmLogin(save, begun, { previousId: old.id }))
  })
}

/** Writes the new session once more, over what is kept now. */
function rewrite (save: Save, layer: Layer, created: StoredSession): Awaitable<StoredSession | null> {
  const { context, state } = save
  const record = newRecord(state, layer, state.newToken(layer))
  refuseTooLarge(record.values, state.settings.maxSize, state.stored?.record.values)
  const { version, owner } = created.record
  // another request has changed whose session it is
  if (record.owner !== owner) {
    layer.token = null
    return andThen(dropCreated(save, created), () => createSuccessor(save, layer))
  }
  const { values, createdAt, expiresAt, absoluteExpiresAt, lifetime } = record
  return andThen(context.store.update(created.id, { clear: true, set: values, remove: [], createdAt, expiresAt, absoluteExpiresAt, lifetime }), (result) => {
    if (result === 'done') return { ...created, record: { ...record, version: version + 1 } }
    layer.token = null
    return createSuccessor(save, layer)
  })
}

/** This login has ended the old session. One that ended before is not listed, and one whose user has stepped up lives. */
function confirmReplacement (save: Save, created: StoredSession, { id: previousId, record: { owner } }: StoredSession): Awaitable<CookieAction> {
  const action = confirmLogin(save, created, { previousId, reason: 'replaced' })
  return owner === null ? action : andThen(unlist(save.context, owner, [previousId], save.log), () => action)
}

function confirmLogin ({ context, state }: Save, created: StoredSession, told: Pick<SessionMessage, 'previousId' | 'reason'>): CookieAction {
  state.confirm(created)
  state.settings.signals.bind(state)
  state.openedIds = state.openedIds.filter((id) => id !== told.previousId)
  context.events.emit('regenerated', created.id, told)
  return 'send'
}
