// Writes, in groups: all that come in one turn of the event loop are one transaction, and wait for the disk once.
import type { Connection } from './connection.js'
import { MAX_WAIT_MS, retryDelay } from './patience.js'
import { isBusy } from './sqlite-errors.js'

const MAX_GROUP = 1024
const MAX_GROUP_MS = 5
const NEIGHBOURS_FOR_MS = 1000
/** How long a process may write before others get their turn: two steps that wait for the disk, or forty that do not. */
const TURN_MS = 2

interface Step {
  readonly since: number
  readonly take: (connection: Connection) => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

export class WriteQueue {
  readonly #connection: () => Connection
  readonly #waiting: Step[] = []
  #timer: NodeJS.Timeout | NodeJS.Immediate | null = null
  #maxGroup = MAX_GROUP
  #lastBusy = -Infinity
  /** How long it has written since others last could. */
  #turn = 0

  constructor (connection: () => Connection) {
    this.#connection = connection
  }

  /** Takes the step in the next group. It may be taken more than once, but only the last time counts. Answers when it is committed. */
  add<T> (take: (connection: Connection) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ since: performance.now(), take, resolve: resolve as (result: unknown) => void, reject })
      this.#schedule()
    })
  }

  /** Answers when everything that waits now has been committed, or has failed. */
  async drain (): Promise<void> {
    while (this.#waiting.length > 0) await this.add(() => {}).catch(() => {})
  }

  /** Where other processes write too, they get their turn after some milliseconds. */
  #schedule (): void {
    if (this.#timer !== null || this.#waiting.length === 0) return
    const hasNeighbours = performance.now() - this.#lastBusy < NEIGHBOURS_FOR_MS
    const isTheirTurn = hasNeighbours && this.#turn >= TURN_MS
    if (isTheirTurn) this.#turn = 0
    this.#timer = isTheirTurn ? setTimeout(this.#write, retryDelay()) : setImmediate(this.#write)
  }

  readonly #write = (): void => {
    this.#timer = null
    try {
      this.#writeGroup()
    } finally {
      this.#schedule()
    }
  }

  #writeGroup (): void {
    const since = performance.now()
    const results: unknown[] = []
    try {
      const connection = this.#connection()
      connection.transaction(() => this.#takeSteps(connection, results))
    } catch (error) {
      return isBusy(error) ? this.#wait(error) : this.#split(results.length, error)
    }
    this.#turn += performance.now() - since
    this.#maxGroup = Math.min(MAX_GROUP, this.#maxGroup * 2)
    for (const [index, { resolve }] of this.#waiting.splice(0, results.length).entries()) resolve(results[index])
  }

  #takeSteps (connection: Connection, results: unknown[]): void {
    const end = performance.now() + MAX_GROUP_MS
    for (const { take } of this.#waiting.slice(0, this.#maxGroup)) {
      // counted even where it fails
      const index = results.push(undefined) - 1
      results[index] = take(connection)
      if (performance.now() >= end) return
    }
  }

  /** Another process writes just now. */
  #wait (error: unknown): void {
    this.#lastBusy = performance.now()
    this.#turn = TURN_MS
    const latest = this.#lastBusy - MAX_WAIT_MS
    while (this.#waiting[0] !== undefined && this.#waiting[0].since < latest) this.#waiting.shift()?.reject(error)
  }

  /** What one step does wrong, no other has to suffer: a group that failed is written again in halves, down to the one. */
  #split (count: number, error: unknown): void {
    if (count > 1) this.#maxGroup = Math.floor(count / 2)
    else this.#waiting.shift()?.reject(error)
  }
}
