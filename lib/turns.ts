// One after the other: what reads and then writes is one step for everybody who
// takes turns. Only within this process.

export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  /** Does the work when everything that came before it under this id is through, well or not. */
  take<T> (id: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(id) ?? Promise.resolve()).then(work)
    const leave = () => { if (this.#last.get(id) === through) this.#last.delete(id) }
    const through = turn.then(leave, leave)
    this.#last.set(id, through)
    return turn
  }

  /** Ids somebody is waiting for. */
  get size (): number {
    return this.#last.size
  }
}
