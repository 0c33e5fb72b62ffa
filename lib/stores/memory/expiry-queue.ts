// Who expires soonest: a binary heap in which every entry knows its place, so
// that moving or removing one costs log n and nothing stale stays behind.

/** Something with a deadline and room for its place in the queue. */
export interface Expiring {
  expiresAt: number
  place: number
}

export class ExpiryQueue<E extends Expiring> {
  readonly #heap: E[] = []

  get soonest (): E | undefined {
    return this.#heap[0]
  }

  add (entry: E): void {
    entry.place = this.#heap.length
    this.#heap.push(entry)
    this.#rise(entry)
  }

  remove (entry: E): void {
    const last = this.#heap.pop() as E
    if (last === entry) return
    this.#put(last, entry.place)
    this.#settle(last)
  }

  move (entry: E, expiresAt: number): void {
    entry.expiresAt = expiresAt
    this.#settle(entry)
  }

  #settle (entry: E): void {
    this.#rise(entry)
    this.#sink(entry)
  }

  #rise (entry: E): void {
    while (entry.place > 0) {
      const parent = this.#heap[(entry.place - 1) >> 1] as E
      if (parent.expiresAt <= entry.expiresAt) return
      this.#swap(parent, entry)
    }
  }

  #sink (entry: E): void {
    while (true) {
      const left = this.#heap[2 * entry.place + 1]
      const right = this.#heap[2 * entry.place + 2]
      const child = right !== undefined && right.expiresAt < left!.expiresAt ? right : left
      if (child === undefined || child.expiresAt >= entry.expiresAt) return
      this.#swap(entry, child)
    }
  }

  #swap (upper: E, lower: E): void {
    const place = upper.place
    this.#put(upper, lower.place)
    this.#put(lower, place)
  }

  #put (entry: E, place: number): void {
    this.#heap[place] = entry
    entry.place = place
  }
}
