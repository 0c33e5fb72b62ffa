// What one session may hold.
import { SessionTooLargeError } from '../errors.js'
import { sizeOf } from '../record/apply-changes.js'
import type { SessionRecord } from '../../types/store.js'

/** Throws when these values take more bytes than the limit, and more than those before: what is too large may shrink. */
export function refuseTooLarge (values: SessionRecord['values'], limit: number, before: SessionRecord['values'] = {}): void {
  const size = sizeOf(values)
  if (size > limit && size > sizeOf(before)) throw sessionTooLarge(values, limit)
}

/** The error that names the largest keys. */
export function sessionTooLarge (values: SessionRecord['values'], limit: number): Error {
  const sizes = Object.entries(values).map(([key, value]) => ({ key, bytes: Buffer.byteLength(key) + Buffer.byteLength(value) }))
  const largest = sizes.sort((a, b) => b.bytes - a.bytes).slice(0, 3).map(({ key, bytes }) => `'${key.slice(0, 80)}' (${bytes})`)
  return new SessionTooLargeError(sizeOf(values), limit, largest.join(', '))
}
