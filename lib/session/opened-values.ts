// The stored values that were opened in this request: each is opened once.
import type { Encryption } from '../record/encryption.js'

export class OpenedValues {
  readonly #encryption: Encryption
  readonly #opened = new Map<string, { readonly held: string, readonly text: string }>()

  constructor (encryption: Encryption) {
    this.#encryption = encryption
  }

  /** The value as it was encoded; still sealed where it cannot be opened. */
  open (id: string, key: string, held: string): string {
    const known = this.#opened.get(key)
    if (known?.held === held) return known.text
    const text = this.#encryption.open(id, key, held)
    this.#opened.set(key, { held, text })
    return text
  }
}
