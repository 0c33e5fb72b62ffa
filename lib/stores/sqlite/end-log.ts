// Tells a process of the sessions that end: each end writes a line, and those who listen read on.
import type { EndListener, EndReason } from '../../../types/store.js'
import { patiently } from './patience.js'
import type { SqliteFile } from './sqlite-file.js'

/** How late a process hears of what another one ended: a look costs some microseconds. */
const LOOK_EVERY_MS = 100
const MAX_LINES = 1000

interface Line {
  readonly number: number | bigint
  readonly id: string
  readonly reason: EndReason | null
}

export class EndLog {
  readonly #file: SqliteFile
  readonly #readers = new Set<() => void>()

  constructor (file: SqliteFile) {
    this.#file = file
  }

  async listen (listener: EndListener, signal: AbortSignal): Promise<void> {
    let last = await patiently(() => this.#lastNumber())
    if (signal.aborted) return
    const read = () => {
      for (const { number, id, reason } of this.#linesAfter(last)) {
        last = Number(number)
        listener(id, reason)
      }
    }
    const timer = setInterval(read, LOOK_EVERY_MS).unref()
    this.#readers.add(read)
    signal.addEventListener('abort', () => {
      clearInterval(timer)
      this.#readers.delete(read)
    })
  }

  /** After an end in this process, which need not wait for the next look. */
  readOn (): void {
    for (const read of this.#readers) read()
  }

  /** A look that fails, as while the file is busy, is made up for by the next one. */
  #linesAfter (last: number): Line[] {
    if (!this.#file.isOpen) return []
    try {
      return this.#file.connection.all<Line>('SELECT number, id, reason FROM ending WHERE number > ? ORDER BY number LIMIT ?', last, MAX_LINES)
    } catch {
      return []
    }
  }

  /** Not the last that is there, for lines are swept. */
  #lastNumber (): number {
    const row = this.#file.connection.get<{ seq: number | bigint }>("SELECT seq FROM sqlite_sequence WHERE name = 'ending'")
    return Number(row?.seq ?? 0)
  }
}
