// Ends sessions that are listed: the record first, then its place in the list. In the other
// order a process that dies in between would leave a session that nobody sees.
import { setImmediate as betweenOtherWork } from 'node:timers/promises'
import { andThen, recover } from '../awaitable.js'
import { logLine } from '../log-line.js'
import type { Awaitable, DestroyResult, EndCondition, EndReason } from '../../types/store.js'
import type { SessionLog, StoreContext } from './store-context.js'

const AT_ONCE = 50

/** One session that is to end, and whose it is as far as is known. */
export interface Ending {
  readonly id: string
  readonly owner: string | null
  readonly reason: EndReason
  readonly condition?: EndCondition
}

/** Ends one session. */
export function endOne (context: StoreContext, { id, owner, reason, condition }: Ending, log: SessionLog): Awaitable<DestroyResult> {
  return andThen(context.store.destroy(id, { ...condition, reason }), (result) => {
    if (result === 'done') context.events.emit('destroyed', id, { reason })
    return result === 'conflict' || owner === null ? result : andThen(unlist(context, owner, [id], log), () => result)
  })
}

/** Ends all of them, some at a time, and answers with how many it ended. */
export async function endMany (context: StoreContext, owner: string, ids: readonly string[], reason: EndReason): Promise<number> {
  let ended = 0
  for (let first = 0; first < ids.length; first += AT_ONCE) {
    if (first > 0) await betweenOtherWork()
    const some = ids.slice(first, first + AT_ONCE)
    await Promise.all(some.map(async (id) => {
      if (await context.store.destroy(id, { reason }) !== 'done') return
      ended++
      context.events.emit('destroyed', id, { reason })
    }))
    await context.owners?.remove(owner, some)
  }
  return ended
}

/** What is listed and has ended does no harm, so failing at this is no reason to fail a logout. */
export function unlist ({ owners }: StoreContext, owner: string, ids: readonly string[], log: SessionLog): Awaitable<void> {
  return recover(() => owners?.remove(owner, ids), (error) => {
    logLine(log, 'warn', { sessionId: ids[0], err: error }, 'a session that has ended is still listed; it counts until it would have expired')
  })
}
