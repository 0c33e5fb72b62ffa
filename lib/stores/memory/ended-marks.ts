// Which sessions ended within the last minute, so that a late request is known
// for one. Bounded: a mark that has to go early only makes a late request an unknown one.
import { ENDED_FOR } from '../../record/record.js'
import type { EndedSession } from '../../../types/store.js'

/** With their ids these take 15 MB. */
export const MAX_MARKS = 100_000

export class EndedMarks {
  /** In the order of their time, since a mark that is set again moves to the end. */
  readonly #marks = new Map<string, EndedSession>()

  get (id: string, now: number): EndedSession | null {
    const mark = this.#marks.get(id)
    return mark !== undefined && now < mark.endedAt + ENDED_FOR ? mark : null
  }

  set (id: string, now: number): void {
    this.#marks.delete(id)
    this.#marks.set(id, Object.freeze({ endedAt: now }))
    this.#dropOld(now)
  }

  get size (): number { return this.#marks.size }

  remove (id: string): void {
    this.#marks.delete(id)
  }

  #dropOld (now: number): void {
    for (const [id, { endedAt }] of this.#marks) {
      if (now < endedAt + ENDED_FOR && this.#marks.size <= MAX_MARKS) break
      this.#marks.delete(id)
    }
  }
}
