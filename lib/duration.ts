// Durations as users write them, in milliseconds.
import { parse } from '@lukeed/ms'

/** Browsers keep no cookie longer than 400 days (RFC 6265bis 5.5), so no session needs more. */
export const MAX_DURATION = 400 * 24 * 60 * 60 * 1000

/** What to write instead of a duration that cannot be read. */
export const DURATION_FIX = "give a whole number of milliseconds above 0 or a string such as '30m', at most 400 days"

/** The duration in milliseconds, or `null` when it is none: not whole, not above 0, or above 400 days. */
export function toMilliseconds (duration: unknown): number | null {
  const value = typeof duration === 'string' ? parse(duration) : duration
  if (typeof value !== 'number' || !Number.isInteger(value)) return null
  return value > 0 && value <= MAX_DURATION ? value : null
}

const MIN_DEADLINE = 1000

/** The same for how long a session lives: `null` under a second, too. Who writes 60 has the seconds of another library in mind. */
export function toDeadline (duration: unknown): number | null {
  const milliseconds = toMilliseconds(duration)
  return milliseconds !== null && milliseconds >= MIN_DEADLINE ? milliseconds : null
}

/** What to write instead of what `toDeadline` answers `null` to. */
export function deadlineFix (duration: unknown): string {
  if (toMilliseconds(duration) === null) return DURATION_FIX
  return typeof duration === 'number' ? `milliseconds; did you mean '${duration}s'?` : "less than a second; give at least '1s'"
}
