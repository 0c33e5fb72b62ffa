// A session that is stored for the first time.
import { andThen } from '../awaitable.js'
import { StoreError } from '../errors.js'
import type { Layer } from '../session/layer.js'
import type { StoredSession } from '../session/layers.js'
import { newRecord } from '../session/new-record.js'
import { refuseTooLarge } from '../session/size-limit.js'
import type { Awaitable } from '../../types/store.js'
import { listCreated } from './list-session.js'
import type { CookieAction, Save } from './save.js'

// Two equal random ids mean a store that refuses everything.
const MAX_NEW_IDS = 3

/** Stores what is pending as a new session. */
export function beginSession (save: Save): Awaitable<CookieAction> {
  const { context, state } = save
  return andThen(createRecord(save, state.sending(), 1), (stored) => andThen(listCreated(save, stored), () => {
    state.confirm(stored)
    state.settings.signals.bind(state)
    context.events.emit('created', stored.id)
    return 'send'
  }))
}

/** Stores the layer, over what is kept of the stored session, under a new id. */
export function createRecord (save: Save, layer: Layer, attempt: number): Awaitable<StoredSession> {
  const { context, state } = save
  const token = state.newToken(layer)
  const record = newRecord(state, layer, token)
  refuseTooLarge(record.values, state.settings.maxSize, state.stored?.record.values)
  return andThen(context.store.create(token.id, record), (isCreated) => {
    if (isCreated) return { id: token.id, cookieToken: token.value, isCurrent: true, record }
    if (attempt === MAX_NEW_IDS) throw new StoreError({ cause: new Error('store.create() says that every new id is taken') })
    layer.token = null
    return createRecord(save, layer, attempt + 1)
  })
}

/** Stores what is pending as a new session, also when it holds nothing. */
export async function issueSession (save: Save): Promise<StoredSession> {
  await beginSession(save)
  return save.state.stored as StoredSession
}
