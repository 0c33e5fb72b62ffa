// What `new MemoryStore(options)` takes, checked.
import { inspect } from 'node:util'
import { getHeapStatistics } from 'node:v8'
import { DURATION_FIX, toMilliseconds } from '../../duration.js'
import { InvalidOptionError } from '../../errors.js'
import type { Clock, Duration } from '../../../types/options.js'

/** What `new MemoryStore(options)` takes; everything has a default. An unknown name is refused. */
export interface MemoryStoreOptions {
  /**
   * Sessions held at most. Beyond it visitors are evicted first, then users who have logged in (`regenerate()`);
   * of each those that expire soonest. Default 1,000,000.
   */
  maxSessions?: number
  /**
   * Memory used at most, in bytes as `bytes` counts it; what is beyond is evicted as above. Default a third of V8's
   * heap limit (`--max-old-space-size`): the app, requests under way, their bodies and the garbage between two
   * collections need room in the same heap, and V8 ends a process whose collector finds too little.
   */
  maxBytes?: number
  /** How often expired sessions are looked for. Default `'10s'`. */
  sweepInterval?: Duration
  /** Tells the time. Default `Date`; for tests. */
  clock?: Clock
}

/** The options, complete. */
export interface MemorySettings {
  readonly maxSessions: number
  readonly maxBytes: number
  readonly sweepInterval: number
  readonly clock: Clock
}

const LONGEST_TIMER = 0x7fffffff

const known = ['maxSessions', 'maxBytes', 'sweepInterval', 'clock']

/** Fills in the defaults. Throws an `InvalidOptionError` for what cannot work. */
export function memorySettings (options: MemoryStoreOptions): MemorySettings {
  if (typeof options !== 'object' || options === null) refuse('options', options, 'give an object such as { maxSessions: 100_000 }')
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined) refuse(unknown, options[unknown as keyof MemoryStoreOptions], `there is no such option; the options are ${known.join(', ')}`)
  const { maxSessions = 1_000_000, maxBytes = Math.floor(getHeapStatistics().heap_size_limit / 3), sweepInterval = '10s', clock = Date } = options
  if (typeof clock?.now !== 'function') refuse('clock', clock, 'give an object with a function now(), such as Date')
  const interval = toMilliseconds(sweepInterval) ?? refuse('sweepInterval', sweepInterval, DURATION_FIX)
  return {
    maxSessions: atLeastOne('maxSessions', maxSessions),
    maxBytes: atLeastOne('maxBytes', maxBytes),
    sweepInterval: Math.min(interval, LONGEST_TIMER),
    clock
  }
}

function atLeastOne (option: string, value: number): number {
  return Number.isSafeInteger(value) && value > 0 ? value : refuse(option, value, 'give a whole number above 0')
}

function refuse (option: string, value: unknown, hint: string): never {
  throw new InvalidOptionError(`MemoryStore ${option}`, inspect(value, { depth: -1, maxStringLength: 80 }), hint)
}
