// Values to strings and back, the same for every store: plain values as JSON,
// so that they can be read in any database, richer ones as a table of their
// parts, told apart by a mark that no JSON text begins with.
import { UnstorableValueError } from '../errors.js'
import { jsonText } from './json-text.js'
import { readTable } from './table-reader.js'
import { tableText, Refusal } from './table-text.js'

const TABLE = '~'

/**
 * The value as a string. Throws an `UnstorableValueError` that names the key, the
 * path inside it and the fix when something in there would not come back as it is.
 * What a getter or a proxy throws comes through as it is.
 */
export function encode (key: string, value: unknown): string {
  const json = jsonText(value)
  if (json !== null) return json
  try {
    return TABLE + tableText(value)
  } catch (error) {
    if (error instanceof Refusal) throw new UnstorableValueError(`'${key}'${error.path}`, error.message)
    throw error
  }
}

/** Thrown by `decode` for a string that `encode` did not make: the stored value is corrupt. */
export class CorruptValueError extends Error {
  override readonly name = 'CorruptValueError'
}

/**
 * The value again, a fresh copy each time. Throws a `CorruptValueError` when the
 * string is not one of ours. An exhausted stack says nothing about the data; V8 reports
 * it as a RangeError, and inside of `new RegExp` as a SyntaxError.
 */
export function decode (encoded: string): unknown {
  try {
    return encoded.startsWith(TABLE) ? readTable(encoded.slice(TABLE.length)) : JSON.parse(encoded)
  } catch (cause) {
    if (/call stack size exceeded/.test(String(cause))) throw cause
    throw new CorruptValueError('not an encoded value', { cause })
  }
}
