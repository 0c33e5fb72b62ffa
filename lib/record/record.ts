// What a store may answer with: a record, the mark of an ended session, or
// something that is neither and therefore no session.
import { MAX_DURATION } from '../duration.js'
import { isStackOverflow } from '../stack-overflow.js'
import type { EarlierVerifier, EndedSession, SessionLifetime, SessionRecord } from '../../types/store.js'

/** The last millisecond that a Date can hold (ECMA-262, "Time Values and Time Range"). */
export const MAX_DATE = 8.64e15

/** How long the mark of an ended session is kept. */
export const ENDED_FOR = 60_000

/** Whether a store's answer has the shape of a record. */
export function isRecord (answer: unknown): answer is SessionRecord {
  try {
    return typeof answer === 'object' && answer !== null && hasFields(answer)
  } catch (error) {
    return isNeither(error)
  }
}

/** Whether a store's answer says that the session has ended. */
export function isEnded (answer: unknown): answer is EndedSession {
  try {
    return typeof answer === 'object' && answer !== null && isWhole((answer as Partial<EndedSession>).endedAt, MAX_DATE)
  } catch (error) {
    return isNeither(error)
  }
}

/** What cannot even be looked at, such as a getter that throws, is neither. A full stack says nothing about it. */
function isNeither (error: unknown): false {
  if (isStackOverflow(error)) throw error
  return false
}

function hasFields ({ values, createdAt, expiresAt, absoluteExpiresAt, version, owner, about, lifetime, verifier, earlier, generation, shown }: Partial<SessionRecord>): boolean {
  return isWhole(createdAt, MAX_DATE) && isWhole(expiresAt, MAX_DATE) && isWhole(absoluteExpiresAt, MAX_DATE) &&
    isWhole(version, Number.MAX_SAFE_INTEGER) && isWhole(generation, Number.MAX_SAFE_INTEGER) &&
    (owner === null || typeof owner === 'string') && (about === null || typeof about === 'string') && typeof verifier === 'string' && typeof shown === 'boolean' && Array.isArray(earlier) && earlier.every(isEarlier) &&
    (lifetime === null || isLifetime(lifetime)) && hasStrings(values)
}

/** Whether the record has reached either deadline, whatever the store says. */
export function isExpired ({ expiresAt, absoluteExpiresAt }: SessionRecord, now: number): boolean {
  return now >= expiresAt || now >= absoluteExpiresAt
}

function isLifetime (lifetime: unknown): boolean {
  if (typeof lifetime !== 'object' || lifetime === null) return false
  const { idle, absolute, persistent } = lifetime as Partial<SessionLifetime>
  return isWhole(idle, MAX_DURATION) && idle !== 0 && isWhole(absolute, MAX_DURATION) && absolute !== 0 && typeof persistent === 'boolean'
}

function isEarlier (each: unknown): boolean {
  const { verifier, until, opens } = (each ?? {}) as Partial<EarlierVerifier>
  return typeof verifier === 'string' && isWhole(until, MAX_DATE) && typeof opens === 'boolean'
}

function isWhole (value: unknown, max: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max
}

function hasStrings (values: unknown): boolean {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return false
  for (const key in values) if (typeof (values as Record<string, unknown>)[key] !== 'string') return false
  return true
}
