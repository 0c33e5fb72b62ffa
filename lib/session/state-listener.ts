// Who wants to know what happens to a state: the request, or a detached session.

export interface StateListener {
  /** There may be something to save from now on. */
  changing (): void
  /** A stored value cannot be decoded, or not be opened, and reads as absent. */
  foundCorrupt (id: string, value: string): void
  /** What the app says about the browser, as JSON; `null` when that is nothing. */
  describe (): string | null
}
