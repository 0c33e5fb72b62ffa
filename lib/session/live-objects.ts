// The objects that the app holds, by key: it may change them from the inside,
// and such a change is found by encoding the object again.
import { encode } from '../record/codec.js'
import { isInScope, type Scope } from './layer.js'

interface LiveObject {
  readonly value: object
  /** The object as it was encoded last. */
  encoded: string
}

export class LiveObjects {
  readonly #objects = new Map<string, LiveObject>()

  get (key: string): object | undefined {
    return this.#objects.get(key)?.value
  }

  hold (key: string, value: object, encoded: string): void {
    this.#objects.set(key, { value, encoded })
  }

  release (key: string): void {
    this.#objects.delete(key)
  }

  releaseAll (): void {
    this.#objects.clear()
  }

  keepOnly (scope: Scope): void {
    for (const key of this.#objects.keys()) if (!isInScope(scope, key)) this.#objects.delete(key)
  }

  /** Releases what reads otherwise by now, but for what the app has changed: that is pending. */
  releaseUnless (isStill: (key: string, encoded: string) => boolean): void {
    for (const [key, live] of this.#objects) if (!isStill(key, live.encoded) && !isChanged(key, live)) this.#objects.delete(key)
  }

  /** What was changed since the last call. Throws when a value can no longer be stored. */
  takeChanges (): Array<[key: string, encoded: string]> {
    const changes: Array<[string, string]> = []
    for (const [key, live] of this.#objects) {
      const encoded = encode(key, live.value)
      if (encoded === live.encoded) continue
      live.encoded = encoded
      changes.push([key, encoded])
    }
    return changes
  }
}

/** What can no longer be stored was changed, too: the next save says so. */
function isChanged (key: string, { value, encoded }: LiveObject): boolean {
  try {
    return encode(key, value) !== encoded
  } catch {
    return true
  }
}
