// One after the other: what reads and then writes is one step for everybody who
// takes turns. Only within this process.

const byOwner = new WeakMap<object, Turns>()

export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  /** The turns of everybody in this process who works with this store. */
  static of (store: object): Turns {
    const turns = byOwner.get(store) ?? new Turns()
    byOwner.set(store, turns)
    return turns
  }

  /**
   * Does the work when everything that came before it under this id has ended, well or not. Refuses
   * when that took more than `patience` milliseconds: the caller was told long ago that the store
   * is away, and a write that nobody expects is worse than none.
   */
  take<T> (id: string, patience: number, work: () => Promise<T>): Promise<T> {
    const since = performance.now()
    const turn = (this.#last.get(id) ?? Promise.resolve()).then(() => {
      if (performance.now() - since > patience) throw new Error(`the store was busy with this session for ${patience} ms`)
      return work()
    })
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
