// Values to strings and back, the same for every store: plain values as JSON,
// so that they can be read in any database, richer ones through devalue, told
// apart by a mark that no JSON text begins with.
import { parse, stringify, DevalueError } from 'devalue'
import { UnstorableValueError } from './errors.js'
import { isStackOverflow } from './stack-overflow.js'

const RICH = '~'

// Deeper than this, and around cycles, devalue takes over: it knows both.
const MAX_JSON_DEPTH = 64

const keptPrototypes = new Set<unknown>(
  [Array, Date, Map, Set, RegExp, URL, URLSearchParams, Uint8Array, Buffer].map((type) => type.prototype)
)

/**
 * The value as a string. Throws an `UnstorableValueError` that names the key and
 * the path inside it when something in there would not come back as it is.
 */
export function encode (key: string, value: unknown): string {
  if (isJson(value, 0)) return JSON.stringify(value)
  try {
    return RICH + stringify(value, reducers)
  } catch (error) {
    throw unstorable(key, error)
  }
}

/** Thrown by `decode` for a string that `encode` did not make: the record is no session of ours. */
export class BrokenValueError extends Error {}

/** The value again, a fresh copy each time. Throws a `BrokenValueError` when the string is not one of ours, a `RangeError` when the stack is full. */
export function decode (encoded: string): unknown {
  try {
    return encoded.startsWith(RICH) ? parse(encoded.slice(RICH.length), revivers) : JSON.parse(encoded)
  } catch (cause) {
    if (isStackOverflow(cause)) throw cause
    throw new BrokenValueError('not an encoded value', { cause })
  }
}

/** Whether JSON gives back exactly this value. */
function isJson (value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      return value === null || (depth < MAX_JSON_DEPTH && isJsonObject(value, depth + 1))
    default:
      return false
  }
}

function isJsonObject (value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    if (Object.getPrototypeOf(value) !== Array.prototype || hasNames(value)) return false
    for (let index = 0; index < value.length; index++) {
      if (!isJson(value[index], depth)) return false
    }
    return true
  }
  if (!isPlain(value) || Object.getOwnPropertySymbols(value).length > 0) return false
  for (const key of Object.keys(value)) {
    if (!isJson((value as Record<string, unknown>)[key], depth)) return false
  }
  return true
}

/** A prototype without a prototype is Object.prototype, of whatever realm, or one like that of `request.query`. */
function isPlain (value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || (prototype !== null && Object.getPrototypeOf(prototype) === null)
}

// devalue stores the whole buffer under a view, and for a Buffer that is Node's
// shared pool: other people's bytes. So bytes are copied out here. A reducer's
// answer counts only when truthy, hence the arrays.
const reducers = {
  Buffer: (value: unknown) => Buffer.isBuffer(value) && [value.toString('base64')],
  Bytes: (value: unknown) => isBytes(value) && [Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')],
  // devalue would flatten these in silence; a symbol makes it refuse, and say where
  disguised: (value: unknown) => isDisguised(value) && Symbol('an instance of a class'),
  named: (value: unknown) => Array.isArray(value) && hasNames(value) && Symbol('a list with names')
}

const revivers = {
  Buffer: ([base64]: [string]) => Buffer.from(base64, 'base64'),
  Bytes: ([base64]: [string]) => new Uint8Array(Buffer.from(base64, 'base64'))
}

function isBytes (value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && Object.getPrototypeOf(value) === Uint8Array.prototype
}

/** Whether a list has properties beside its items, as what `match` answers; names come after the items. */
function hasNames (list: unknown[]): boolean {
  const last = Object.keys(list).at(-1)
  return last !== undefined && !/^\d+$/.test(last)
}

function isDisguised (value: unknown): boolean {
  if (typeof value !== 'object' || value === null || isPlain(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype !== null && !keptPrototypes.has(prototype)
}

function unstorable (key: string, error: unknown): Error {
  if (!(error instanceof DevalueError)) {
    return new UnstorableValueError(`'${key}'`, 'it is nested too deeply', { cause: error })
  }
  return new UnstorableValueError(`'${key}'${error.path}`, `${describe(error.value)} would not come back as it is`)
}

const ours = new Set(['an instance of a class', 'a list with names'])

function describe (value: unknown): string {
  switch (typeof value) {
    case 'function': return 'a function'
    case 'symbol': return ours.has(String(value.description)) ? String(value.description) : 'a symbol'
    default: return 'an object with symbol or __proto__ keys'
  }
}
