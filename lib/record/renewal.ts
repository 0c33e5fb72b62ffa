// What a renewal makes of a deadline: the one definition that the session and
// every store in this process share.
import type { SessionLifetime, SessionRecord, SessionRenewal } from '../../types/store.js'

/** The deadline after the renewal; `null` when the record has another lifetime by now. */
export function renewedExpiresAt (record: SessionRecord, renewal: SessionRenewal): number | null {
  const { renewTo, atMost, tolerance, ifOwner = record.owner } = renewal
  if (record.absoluteExpiresAt !== renewal.ifAbsoluteExpiresAt || !isSameLifetime(record.lifetime, renewal.ifLifetime) || record.owner !== ifOwner) return null
  return record.expiresAt > atMost + tolerance ? atMost : Math.max(record.expiresAt, renewTo)
}

export function isSameLifetime (one: SessionLifetime | null, other: SessionLifetime | null): boolean {
  if (one === null || other === null) return one === other
  return one.idle === other.idle && one.absolute === other.absolute && one.persistent === other.persistent
}
