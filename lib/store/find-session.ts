// What the store holds for one token. Looking never removes anything.
import { andThen } from '../awaitable.js'
import { isEnded, isExpired, isRecord } from '../record/record.js'
import { LATE_FOR, standingOf, type TokenStanding } from '../record/standing.js'
import { tokenOf } from '../record/token.js'
import type { Awaitable, SessionRecord } from '../../types/store.js'
import { reportCorrupt } from './corrupt-records.js'
import type { SessionLog, StoreContext } from './store-context.js'

/** A session that a token belongs to. */
export interface FoundSession {
  readonly id: string
  readonly cookieToken: string
  readonly standing: Exclude<TokenStanding, 'unknown'>
  /** `null` when it has ended. */
  readonly record: SessionRecord | null
}

/** The session, or `null` when the token belongs to none. */
export function findSession (context: StoreContext, cookieToken: string, arrivedAt: number, log: SessionLog): Awaitable<FoundSession | null> {
  const { id, verifier } = tokenOf(context.settings.namespace, cookieToken)
  return andThen(context.store.read(id), (answer: unknown) => {
    if (isEnded(answer)) return arrivedAt < answer.endedAt + LATE_FOR ? late() : rejected('unknown')
    if (answer === null || answer === undefined) return rejected('unknown')
    if (!isRecord(answer)) {
      reportCorrupt(context, id, 'record', log)
      return null
    }
    if (isExpired(answer, arrivedAt)) return rejected('unknown')
    const standing = standingOf(answer, verifier, arrivedAt)
    if (standing === 'unknown') return rejected('unknown')
    if (standing === 'late' || standing === 'outdated') context.events.emit('rejected', id, { reason: 'late' })
    else context.events.emit('loaded', id)
    return { id, cookieToken, standing, record: answer }
  })

  function late (): FoundSession {
    context.events.emit('rejected', id, { reason: 'late' })
    return { id, cookieToken, standing: 'late', record: null }
  }

  function rejected (reason: 'unknown'): null {
    context.events.emit('rejected', id, { reason })
    return null
  }
}
