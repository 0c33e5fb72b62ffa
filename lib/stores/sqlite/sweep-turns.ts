// When the file is swept: every process looks at times, and the one whose turn it is does the work.
import { needsSweep, sweepSlice, takeTurn } from './sweep-steps.js'
import { patiently } from './patience.js'
import type { SqliteFile } from './sqlite-file.js'
import type { SqliteSettings } from './sqlite-options.js'
import type { Write } from './sqlite-owners.js'

export class SweepTurns {
  readonly #file: SqliteFile
  readonly #write: Write
  readonly #settings: SqliteSettings
  readonly #tell: (ids: readonly string[]) => void
  #timer: NodeJS.Timeout | null = null

  constructor (file: SqliteFile, write: Write, settings: SqliteSettings, tell: (ids: readonly string[]) => void) {
    this.#file = file
    this.#write = write
    this.#settings = settings
    this.#tell = tell
  }

  start (): void {
    this.#timer ??= setInterval(() => { this.#look().catch(() => {}) }, this.#settings.sweepInterval).unref()
  }

  stop (): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  /** Removes what has expired now, and answers with how many sessions that were. */
  async sweep (): Promise<number> {
    const now = this.#settings.clock.now()
    let count = 0
    while (true) {
      const { ids, isPartial } = await this.#write((connection) => sweepSlice(connection, now))
      this.#tell(ids)
      count += ids.length
      if (!isPartial) return count
    }
  }

  /** What fails here, as on a full disk, the next look makes up for. */
  async #look (): Promise<void> {
    const now = this.#settings.clock.now()
    if (!this.#file.isOpen || !await patiently(() => needsSweep(this.#file.connection, now))) return
    if (await this.#write((connection) => takeTurn(connection, now, this.#settings.sweepInterval))) await this.sweep()
  }
}
