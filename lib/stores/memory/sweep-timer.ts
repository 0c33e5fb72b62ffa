// When the next sweep is due: at once while something has expired, or after the
// interval. Keeps no process alive, and no store that nobody else holds.

/** What is swept. */
export interface Swept {
  sweep (): void
}

export class SweepTimer {
  readonly #interval: number
  readonly #sweep: () => void
  #timer: NodeJS.Timeout | NodeJS.Immediate | null = null

  constructor (interval: number, swept: Swept) {
    this.#interval = interval
    this.#sweep = sweepWeakly(new WeakRef(swept))
  }

  get isSet (): boolean { return this.#timer !== null }

  /** For what expires soonest, if anything is there. */
  schedule (soonest: { readonly expiresAt: number } | undefined, now: number): void {
    if (soonest === undefined) this.cancel()
    else if (soonest.expiresAt <= now) this.soon()
    else this.later()
  }

  /** Between other work, for what is left of an unfinished sweep. */
  soon (): void {
    this.cancel()
    this.#timer = setImmediate(this.#sweep).unref()
  }

  later (): void {
    this.cancel()
    this.#timer = setTimeout(this.#sweep, this.#interval).unref()
  }

  cancel (): void {
    clearTimeout(this.#timer as NodeJS.Timeout)
    clearImmediate(this.#timer as NodeJS.Immediate)
    this.#timer = null
  }
}

/** Apart from the constructor, whose scope would hold the store. */
function sweepWeakly (swept: WeakRef<Swept>): () => void {
  return () => { swept.deref()?.sweep() }
}
