// Changes of a session that is listed: the list knows of a later deadline, and of a new
// owner, before the record does. It may hold a session too many, never one too few.
import { andThen } from '../awaitable.js'
import { renewalOf } from '../session/deadlines.js'
import type { StoredSession } from '../session/layers.js'
import { draftOf } from '../session/new-record.js'
import { isRecord } from '../record/record.js'
import type { Awaitable, SessionChanges, UpdateResult } from '../../types/store.js'
import { unlist } from './end-listed.js'
import { enlist, refuseLogin } from './list-session.js'
import type { Save } from './save.js'
import type { StoreContext } from './store-context.js'

// A request that found the session before it had an owner may renew it once more.
const STILL_RENEWED = 60_000

/** Takes the step after the list knows the deadline. What was not listed is listed after it. */
export function withDeadline<R extends string> (context: StoreContext, { id, record: { owner } }: StoredSession, expiresAt: number | undefined, step: () => Awaitable<R>): Awaitable<R> {
  const { owners } = context
  if (owners === null || owner === null || expiresAt === undefined) return step()
  return andThen(owners.renew(owner, id, expiresAt), (isListed) => andThen(step(), (result) => {
    return isListed || result !== 'done' ? result : andThen(owners.add(owner, id, { expiresAt }), () => result)
  }))
}

/** `store.update`, with what the lists have to know. Throws a `SessionLimitError` where the new owner has too many sessions. */
export function updateListed (save: Save, stored: StoredSession, changes: SessionChanges): Awaitable<UpdateResult> {
  const { context } = save
  const update = () => context.store.update(stored.id, changes)
  if (context.owners === null || changes.owner === undefined) return withDeadline(context, stored, changes.expiresAt ?? changes.renewal?.renewTo, update)
  const { owner } = changes
  if (owner === null) return andThen(update(), (result) => leaveOwner(save, stored, result))
  return andThen(enlist(save, owner, stored.id, { expiresAt: latestDeadline(save, stored, changes) }), (enlisted) => {
    if (enlisted !== 'done') return refuseLogin(save)
    return andThen(update(), (result) => {
      if (result === 'missing') return andThen(unlist(context, owner, [stored.id], save.log), () => result)
      return leaveOwner(save, stored, result)
    })
  })
}

function latestDeadline ({ state }: Save, stored: StoredSession, { expiresAt }: SessionChanges): number {
  const { atMost } = renewalOf(draftOf(state), state.now())
  return Math.max(expiresAt ?? 0, stored.record.expiresAt, atMost) + STILL_RENEWED
}

/** Drops the session from the list of the owner it had, unless another request has given it back by then. */
function leaveOwner ({ context, log }: Save, { id, record: { owner, expiresAt } }: StoredSession, result: UpdateResult): Awaitable<UpdateResult> {
  if (owner === null || result !== 'done') return result
  return andThen(unlist(context, owner, [id], log), () => andThen(context.store.read(id), (found: unknown) => {
    const isBack = isRecord(found) && found.owner === owner
    return isBack ? andThen(context.owners?.add(owner, id, { expiresAt: Math.max(expiresAt, found.expiresAt) }), () => result) : result
  }))
}
