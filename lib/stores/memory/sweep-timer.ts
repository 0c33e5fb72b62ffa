// When the next sweep is due: at once while something has expired, or after the interval. Keeps no process alive.
export class SweepTimer {
  readonly #interval: number
  readonly #sweep: () => void
  #timer: NodeJS.Timeout | NodeJS.Immediate | null = null

  constructor (interval: number, sweep: () => void) {
    this.#interval = interval
    this.#sweep = sweep
  }

  get isSet (): boolean { return this.#timer !== null }

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
