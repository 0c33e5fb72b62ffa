// Removes what has expired, a slice at a time, from time to time. Keeps no process alive.
import { run, type Statement } from './statement.js'
import { FULL_SLICE } from './record-statements.js'
import type { Ask } from './query.js'
import type { Clock } from '../../../types/options.js'

// Between two slices of one sweep, so that it leaves the server room for others
const PAUSE_MS = 50

export class Sweeper {
  readonly #ask: Ask
  readonly #statements: readonly Statement[]
  readonly #interval: number
  readonly #clock: Clock
  #timer: NodeJS.Timeout | null = null

  constructor (ask: Ask, statements: readonly Statement[], interval: number, clock: Clock) {
    this.#ask = ask
    this.#statements = statements
    this.#interval = interval
    this.#clock = clock
  }

  /** From now on, where it does not already. */
  start (): void {
    // not all processes at the same moment
    if (this.#timer === null) this.#schedule(this.#interval * (0.5 + Math.random() / 2))
  }

  stop (): void {
    clearTimeout(this.#timer as NodeJS.Timeout)
    this.#timer = null
  }

  /** One slice of each table; answers whether more is left. */
  async sweep (): Promise<boolean> {
    let isMore = false
    for (const each of this.#statements) {
      const [count] = await run(this.#ask, each, { now: String(this.#clock.now()) })
      if (Number(count) >= FULL_SLICE) isMore = true
    }
    return isMore
  }

  #schedule (ms: number): void {
    const timer = setTimeout(async () => {
      // a server that is away now is there at the next one
      const isMore = await this.sweep().catch(() => false)
      if (this.#timer === timer) this.#schedule(isMore ? PAUSE_MS : this.#interval)
    }, ms).unref()
    this.#timer = timer
  }
}
