// Plain values as JSON, when JSON gives back exactly the same.
import { holdsMore, isArrayPrototype, isPlainPrototype } from './kinds.js'

/** Nobody's own code needs more, and what walks a value by recursion still can. */
export const MAX_DEPTH = 500

const NOT_JSON = Symbol('not JSON')

/** The value as JSON, or `null` when JSON would change it, lose something or write it twice. */
export function jsonText (value: unknown): string | null {
  // somebody who adds a toJSON to every object must not change what is stored
  if ('toJSON' in Array.prototype) return null
  const copy = snapshot(value, new Seen(), 0)
  return copy === NOT_JSON ? null : JSON.stringify(copy)
}

const MAX_LISTED = 8

/** The objects that were met: few are found faster in a list, many in a set. */
class Seen {
  readonly #listed: object[] = []
  #more: Set<object> | null = null

  /** False when it was met before. */
  add (value: object): boolean {
    if (this.#listed.includes(value)) return false
    if (this.#listed.length < MAX_LISTED) return this.#listed.push(value) > 0
    this.#more ??= new Set()
    const before = this.#more.size
    return this.#more.add(value).size > before
  }
}

/** A copy, for a getter or a proxy may answer something else when it is asked again. */
function snapshot (value: unknown, seen: Seen, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : NOT_JSON
    case 'object':
      return value === null ? null : objectSnapshot(value, seen, depth + 1)
    default:
      return NOT_JSON
  }
}

/** An object that is met twice, around a cycle or not, is one for the table, which keeps it one. */
function objectSnapshot (value: object, seen: Seen, depth: number): unknown {
  if (depth > MAX_DEPTH || !seen.add(value)) return NOT_JSON
  return Array.isArray(value) ? arraySnapshot(value, seen, depth) : plainSnapshot(value, seen, depth)
}

function plainSnapshot (value: object, seen: Seen, depth: number): unknown {
  if (!isPlainPrototype(Object.getPrototypeOf(value)) || Object.getOwnPropertySymbols(value).length > 0) return NOT_JSON
  const count = Object.getOwnPropertyNames(value).length
  if (count === 0 && holdsMore(value)) return NOT_JSON
  const copy: Record<string, unknown> = { ...value }
  const keys = Object.keys(copy)
  if (keys.length !== count) return NOT_JSON
  for (const key of keys) {
    const own = copy[key]
    if (typeof own === 'string') continue
    const part = snapshot(own, seen, depth)
    if (part === NOT_JSON) return NOT_JSON
    if (typeof part === 'object') copy[key] = part
  }
  return copy
}

/** Names of an array begin with its items and `length`: with a hole or another name, `length` is elsewhere. */
function arraySnapshot (value: unknown[], seen: Seen, depth: number): unknown {
  if (!isArrayPrototype(Object.getPrototypeOf(value)) || Object.getOwnPropertySymbols(value).length > 0) return NOT_JSON
  const names = Object.getOwnPropertyNames(value)
  if (names.length !== value.length + 1 || names[value.length] !== 'length') return NOT_JSON
  const copy: unknown[] = []
  for (let index = 0; index < value.length; index++) {
    const item = value[index]
    const part = typeof item === 'string' ? item : snapshot(item, seen, depth)
    if (part === NOT_JSON) return NOT_JSON
    copy.push(part)
  }
  return copy
}
