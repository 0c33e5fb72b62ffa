// Values to strings and back, the same for every store: plain values as JSON,
// so that they can be read in any database, richer ones through devalue, told
// apart by a mark that no JSON text begins with.
import { DevalueError, parse, stringify } from 'devalue'
import { UnstorableValueError } from '../errors.js'
import { inspectValue, isDictionary, Refusal } from './inspect-value.js'

const RICH = '~'

/**
 * The value as a string. Throws an `UnstorableValueError` that names the key, the
 * path inside it and the fix when something in there would not come back as it is.
 * Getters and proxies are stored as what they answer; what they throw comes through.
 */
export function encode (key: string, value: unknown): string {
  try {
    return inspectValue(value) === 'json' ? JSON.stringify(value) : RICH + stringify(value, reducers, { operations: { shapeOf } })
  } catch (error) {
    if (error instanceof Refusal) throw new UnstorableValueError(`'${key}'${error.path}`, error.message)
    if (error instanceof DevalueError) throw new UnstorableValueError(`'${key}'${error.path}`, reasonOf(error), { cause: error })
    throw error
  }
}

/** Thrown by `decode` for a string that `encode` did not make: the stored value is corrupt. */
export class CorruptValueError extends Error {
  override readonly name = 'CorruptValueError'
}

/**
 * The value again, a fresh copy each time. Throws a `CorruptValueError` when the
 * string is not one of ours. A full stack says nothing about the data; V8 reports
 * it as a RangeError, and inside of `new RegExp` as a SyntaxError.
 */
export function decode (encoded: string): unknown {
  try {
    return encoded.startsWith(RICH) ? parse(encoded.slice(RICH.length), revivers, { operations: { set } }) : JSON.parse(encoded)
  } catch (cause) {
    if (/call stack size exceeded/.test(String(cause))) throw cause
    throw new CorruptValueError('not an encoded value', { cause })
  }
}

// devalue stores the whole buffer under a view, which may hold much more, and reads
// a Buffer as a Uint8Array. A reducer's answer counts only when truthy, hence the arrays.
const reducers = {
  Buffer: (value: unknown) => Buffer.isBuffer(value) && [value.toString('base64')],
  Bytes: (value: unknown) => ArrayBuffer.isView(value) && [Buffer.from(value as Uint8Array).toString('base64')]
}

const revivers = {
  Buffer: bytesOf,
  Bytes: (payload: unknown) => new Uint8Array(bytesOf(payload))
}

/** Only from a string: `Buffer.from` takes the length of an object for an amount of memory. */
function bytesOf (payload: unknown): Buffer {
  const base64: unknown = Array.isArray(payload) ? payload[0] : undefined
  if (typeof base64 !== 'string') throw new TypeError('not bytes')
  return Buffer.from(base64, 'base64')
}

/** Gives what inherits nothing back without a prototype, `request.query` too. */
function shapeOf (value: object): { kind: 'null-proto' | 'plain', keys: string[] } {
  const prototype = Object.getPrototypeOf(value)
  return { kind: prototype !== Object.prototype && isDictionary(prototype) ? 'null-proto' : 'plain', keys: Object.keys(value) }
}

/** An assignment would call a setter of Object.prototype, and throw when it is frozen and has the key. */
function set (target: Record<PropertyKey, unknown>, key: PropertyKey, value: unknown): void {
  if (key in target) Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
  else target[key] = value
}

/** What devalue refuses after the value was inspected. */
function reasonOf ({ message }: DevalueError): string {
  return message.includes('__proto__')
    ? "an object with the key '__proto__' in a value that is more than JSON: use another key"
    : 'it answers something else each time it is read: store a plain copy'
}
