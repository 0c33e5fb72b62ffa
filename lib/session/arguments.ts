// What apps give to a session's methods, checked: misuse throws.
import { inspect } from 'node:util'
import type { Duration } from '../../types/options.js'
import type { SessionLifetime } from '../../types/store.js'
import { deadlineFix, toDeadline } from '../duration.js'
import { InvalidArgumentError } from '../errors.js'
import { unknownName } from '../unknown-names.js'
import type { Scope } from './layer.js'

/** What `session.lifetime()` takes; what is left out stays as it is. */
export interface LifetimeChange {
  /** How long the session lives unused. At most `absolute`. */
  idle?: Duration
  /** How long it lives, used or not. */
  absolute?: Duration
  /** Whether the cookie outlives the browser's own session. */
  persistent?: boolean
}

const lifetimeNames = ['idle', 'absolute', 'persistent'] as const satisfies ReadonlyArray<keyof LifetimeChange>

/** The change in milliseconds. Throws an `InvalidArgumentError` for what cannot work beside the lifetime that holds now. */
export function lifetimeChange (given: LifetimeChange, current: SessionLifetime): Partial<SessionLifetime> {
  if (typeof given !== 'object' || given === null) throw new InvalidArgumentError('session.lifetime()', inspect(given), "give an object such as { idle: '30d', absolute: '30d', persistent: true }")
  const unknown = unknownName(given, lifetimeNames, { maxAge: 'write idle and absolute' })
  if (unknown !== null) throw new InvalidArgumentError('session.lifetime()', unknown.name, unknown.fix)
  const { idle, absolute, persistent } = given
  if (persistent !== undefined && typeof persistent !== 'boolean') throw new InvalidArgumentError('session.lifetime()', `persistent ${inspect(persistent)}`, 'give true or false')
  const change = {
    ...(idle !== undefined && { idle: milliseconds('idle', idle) }),
    ...(absolute !== undefined && { absolute: milliseconds('absolute', absolute) }),
    ...(persistent !== undefined && { persistent })
  }
  const changed = { ...current, ...change }
  if (changed.idle > changed.absolute) {
    throw new InvalidArgumentError('session.lifetime()', `an idle timeout of ${changed.idle} ms beyond the absolute one of ${changed.absolute} ms`, 'the session would end before; give absolute, too')
  }
  return change
}

/** The keys that a login keeps. */
export function keysToKeep (keep: unknown): Scope {
  if (keep === 'all') return keep
  if (Array.isArray(keep) && keep.every((key) => typeof key === 'string')) return new Set(keep)
  throw new InvalidArgumentError('session.regenerate()', inspect(keep, { depth: 0 }), "give a list of keys to keep, 'all', or nothing")
}

export function refuseOtherKeys (call: string, key: unknown): void {
  if (typeof key !== 'string') throw new InvalidArgumentError(`session.${call}`, `a key of type ${typeof key}`, 'keys are strings')
}

export function refuseOtherThanFunction (call: string, given: unknown): void {
  if (typeof given !== 'function') throw new InvalidArgumentError(`session.${call}`, inspect(given, { depth: 0 }), 'give a function that makes the new value of the old one')
}

/** Code written for other session libraries would wait for its callback, which is never called. */
export function refuseCallback (call: string, given: unknown): void {
  if (typeof given === 'function') throw new InvalidArgumentError(`session.${call}`, 'a callback', 'there are none; changes are saved before the response leaves, and save() and reload() return promises')
}

function milliseconds (name: string, value: unknown): number {
  const result = toDeadline(value)
  if (result === null) throw new InvalidArgumentError('session.lifetime()', `${name} ${inspect(value)}`, deadlineFix(value))
  return result
}
