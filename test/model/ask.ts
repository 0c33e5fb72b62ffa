// Questions about acts and sessions that several rules ask.
import type { Act, Line, Track } from './track.js'
import type { Visit } from './history.js'
import type { Clocks } from './lifetimes.js'

/** Says that a promise was not kept: which one, and what happened instead. */
export interface Fault {
  readonly kind: string
  readonly text: string
}

/** Whether it may have had an effect. */
export const mayCount = (act: Act): boolean => act.fate !== 'dropped' || act.hi > -Infinity

/** Whether it writes this key, or every key. */
export function touches (act: Act, key: string): boolean {
  const { op } = act.deed
  switch (op.does) {
    case 'set': case 'remove': case 'pop': return op.key === key
    case 'update': return key === 'n'
    case 'take': return key === 'coupon'
    case 'clear': return true
    default: return act.ends
  }
}

/** Whether something ends the session, or may have, up to then. */
export function mayBeEnded (line: Line, until: number): boolean {
  return line.acts.some((act) => act.at <= until && mayCount(act) && (act.ends || act.deed.op.does === 'clear'))
}

/** When the session had ended for certain: the answer that said so. */
export function endedAt (line: Line, clocks: Clocks): number {
  return Math.min(Infinity, ...line.acts.filter((act) => act.ends && act.fate === 'confirmed' && !mayEndNothing(act, clocks)).map((act) => act.confirmedAt))
}

/** What has expired does not end; and a login or a clear() ends what it was loaded from, not what another request stepped up since. */
export function mayEndNothing (act: Act, clocks: Clocks): boolean {
  const { line, sentAt, confirmedAt, visit, deed } = act
  if (clocks.mayHaveExpired(line, sentAt, confirmedAt)) return true
  return deed.op.does !== 'destroy' && mayHaveSteppedUp(line, visit, sentAt, confirmedAt)
}

/** Whether another request may have stepped up between these events: what was loaded before changes nothing since. */
export function mayHaveSteppedUp (line: Line, visit: Visit, from: number, to: number): boolean {
  return line.acts.some((act) => act.deed.op.does === 'reauthenticated' && act.visit !== visit &&
    mayCount(act) && act.at <= to && (act.fate !== 'confirmed' || act.confirmedAt >= from))
}

/** When every token issued before `since` had died, by a step-up. */
export function deadTokenSince (line: Line, token: string): number {
  const issued = line.tokens.find(({ value }) => value === token)?.at ?? Infinity
  const steps = line.acts.filter(({ deed, fate, at }) => deed.op.does === 'reauthenticated' && fate === 'confirmed' && at > issued)
  return Math.min(Infinity, ...steps.map((act) => act.confirmedAt))
}

/** Changes of the token that were at least called. */
export function tokenChanges (line: Line): Act[] {
  return line.acts.filter(({ deed }) => deed.op.does === 'rotate' || deed.op.does === 'reauthenticated')
}

/** A deed of login: whoever does it begins anew, whatever came before. */
export function logsIn (track: Track): boolean {
  return track.visit.ops.some(({ does }) => does === 'regenerate')
}

export function logsOut (track: Track): boolean {
  return track.visit.ops.some(({ does }) => does === 'destroy' || does === 'clear')
}

export function isStoreFailure (code: string): boolean {
  return code === 'FST_KEEP_STORE' || code === 'FST_KEEP_STORE_TIMEOUT' || code === 'FST_KEEP_CONFLICT'
}
