// The orders of keys that sessions of this app have. V8 describes each order once,
// in "hidden classes" that all objects with it share. Where every session brings
// keys of its own, those take ten times what the sessions hold; so the
// orders are counted, and beyond a bound sessions do without hidden classes.

interface Shape extends Map<string, Shape> {}

const MAX_SHAPES = 1000
const MAX_KEYS = 64
const MAX_KEY_LENGTH = 64

export class KnownShapes {
  readonly #empty: Shape = new Map()
  #room = MAX_SHAPES

  /** Whether an object with these keys shares its hidden class with others like it; takes in a new order while there is room. */
  includes (keys: readonly string[]): boolean {
    if (keys.length > MAX_KEYS) return false
    let shape = this.#empty
    for (const key of keys) {
      const next = shape.get(key) ?? this.#add(shape, key)
      if (next === null) return false
      shape = next
    }
    return true
  }

  #add (shape: Shape, key: string): Shape | null {
    if (this.#room === 0 || key.length > MAX_KEY_LENGTH || startsWithDigit(key)) return null
    this.#room--
    const next: Shape = new Map()
    shape.set(key, next)
    return next
  }
}

/** V8 keeps what looks like an index in an array: for the key '1000' one of a thousand places. */
function startsWithDigit (key: string): boolean {
  const code = key.charCodeAt(0)
  return code >= 48 && code <= 57
}
