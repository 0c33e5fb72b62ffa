// Puts a session into the list of its owner. The record is there before: what is listed and
// has no record would be dropped. And it is listed before anybody gets its cookie.
import { andThen } from '../awaitable.js'
import { SessionLimitError } from '../errors.js'
import { isEnded } from '../record/record.js'
import type { StoredSession } from '../session/layers.js'
import type { OwnerAddition, OwnerEntry } from '../../types/owners.js'
import type { Awaitable } from '../../types/store.js'
import { endMany, unlist } from './end-listed.js'
import type { Save } from './save.js'

/** What the new session comes after. */
export type Succession = Pick<OwnerEntry, 'replaces' | 'isSuccessor'>

/**
 * Lists a session that was just created. `false`: it succeeds one that is being ended, and is dropped again. Throws a
 * `SessionLimitError` where the owner has too many; then the visitor is left as before.
 */
export function listCreated (save: Save, created: StoredSession, succession: Succession = {}): Awaitable<boolean> {
  const { id, record: { owner, expiresAt } } = created
  if (save.context.owners === null || owner === null) return true
  return andThen(enlist(save, owner, id, { expiresAt, ...succession }), (result) => {
    if (result === 'done') return true
    return andThen(dropCreated(save, created), () => result === 'refused' ? refuseLogin(save) : false)
  })
}

/** Lists the session, and ends those that are too many. */
export function enlist (save: Save, owner: string, id: string, entry: Pick<OwnerEntry, 'expiresAt'> & Succession): Awaitable<OwnerAddition['result']> {
  const { limit, onLimit } = save.context.settings.owner ?? { limit: null }
  return add(save, owner, id, { ...entry, ...(limit !== null && { limit, onLimit }) })
}

function add (save: Save, owner: string, id: string, entry: OwnerEntry): Awaitable<OwnerAddition['result']> {
  const { context } = save
  return andThen(context.owners?.add(owner, id, entry), (addition) => {
    const { result, marked } = addition as OwnerAddition
    if (result === 'refused') return dropAbsent(save, owner, () => add(save, owner, id, entry))
    return marked.length === 0 ? result : endMany(context, owner, marked, 'limit').then(() => result)
  })
}

/** Nobody is turned away for sessions that are not there any more. Tries again where some were listed. */
async function dropAbsent (save: Save, owner: string, again: () => Awaitable<OwnerAddition['result']>): Promise<OwnerAddition['result']> {
  const { store, owners } = save.context
  const ids = await owners?.list(owner) ?? []
  const found: unknown[] = await Promise.all(ids.map((id) => store.read(id)))
  const absent = ids.filter((_, index) => found[index] === null || isEnded(found[index]))
  if (absent.length === 0) return 'refused'
  await owners?.remove(owner, absent)
  return again()
}

/** Nobody has its cookie. */
export function dropCreated ({ context, log }: Save, { id, record: { owner } }: StoredSession): Awaitable<unknown> {
  return andThen(context.store.destroy(id), () => owner === null ? undefined : unlist(context, owner, [id], log))
}

/** The login has no effect at all. */
export function refuseLogin ({ context, state }: Save): never {
  context.events.emit('denied', state.stored?.id ?? null, { reason: 'limit' })
  state.retract()
  state.dropChanges()
  throw new SessionLimitError()
}
