// Records as they come from and go to a store.
import { absoluteExpiresAt, expiresAtWhenUsed } from './deadlines.js'
import { LONGEST_DURATION } from './duration.js'
import { UNKNOWN } from './own-lifetime.js'
import type { SessionState } from './session-state.js'
import type { SessionLifetime, SessionRecord } from '../types/store.js'

// The last millisecond that a Date can hold (ECMA-262, "Time Values and Time Range")
const MAX_DATE = 8.64e15

/** The record of a session that is stored for the first time, or under a new id. */
export function newRecord (state: SessionState, values: SessionRecord['values']): SessionRecord {
  return {
    values,
    createdAt: state.createdAt,
    expiresAt: expiresAtWhenUsed(state),
    absoluteExpiresAt: absoluteExpiresAt(state),
    version: 0,
    owner: state.status === 'rotated' ? state.stored?.record.owner ?? null : null,
    lifetime: state.ownLifetime
  }
}

/** Whether a store's answer has the shape of a record; whatever does not is no session. */
export function isRecord (answer: unknown): answer is SessionRecord {
  if (typeof answer !== 'object' || answer === null) return false
  const { values, createdAt, expiresAt, absoluteExpiresAt, version, lifetime } = answer as Partial<SessionRecord>
  return isDate(createdAt) && isDate(expiresAt) && isDate(absoluteExpiresAt) && isWhole(version, Number.MAX_SAFE_INTEGER) &&
    hasStrings(values) && isLifetime(lifetime, createdAt as number)
}

/** Whether the record has outlived either deadline, whatever the store says. */
export function isExpired ({ expiresAt, absoluteExpiresAt }: SessionRecord, now: number): boolean {
  return now >= expiresAt || now >= absoluteExpiresAt
}

function isLifetime (lifetime: unknown, createdAt: number): boolean {
  if (lifetime === null || lifetime === undefined) return true
  if (typeof lifetime !== 'object') return false
  const { idle, absolute, persistent, from } = lifetime as Partial<SessionLifetime>
  // before there was `from`, `absolute` held the deadline of a session whose beginning is unknown
  const mostAbsolute = createdAt === UNKNOWN && from === undefined ? MAX_DATE : LONGEST_DURATION
  return isWhole(idle, LONGEST_DURATION) && idle !== 0 && isWhole(absolute, mostAbsolute) && absolute !== 0 &&
    typeof persistent === 'boolean' && (from === undefined || isDate(from))
}

function isDate (value: unknown): boolean {
  return isWhole(value, MAX_DATE)
}

function isWhole (value: unknown, most: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most
}

function hasStrings (values: unknown): boolean {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return false
  for (const key in values) if (typeof (values as Record<string, unknown>)[key] !== 'string') return false
  return true
}
