// Names for what cannot be stored, each with what to store instead.
import { types } from 'node:util'

const known: ReadonlyArray<[isOne: (value: unknown) => boolean, says: string]> = [
  [types.isPromise, 'a Promise: await it first'],
  [types.isArgumentsObject, 'an arguments object: store a list, [...arguments]'],
  [types.isBoxedPrimitive, 'a boxed primitive, such as new String() makes: store the primitive itself, value.valueOf()'],
  [types.isSharedArrayBuffer, 'a SharedArrayBuffer: store a copy of its bytes, new Uint8Array(buffer).slice()'],
  [types.isArrayBuffer, 'an ArrayBuffer: store its bytes, new Uint8Array(buffer)'],
  [types.isDataView, 'a DataView: store its bytes as a Uint8Array'],
  [(value) => types.isWeakMap(value) || types.isWeakSet(value), 'a weak collection, which nobody can list: store a Map or a Set'],
  [(value) => types.isGeneratorObject(value) || types.isMapIterator(value) || types.isSetIterator(value), 'an iterator: store a list, [...iterator]'],
  [(value) => value instanceof Blob, 'a Blob: store its bytes, new Uint8Array(await blob.arrayBuffer())'],
  [types.isNativeError, 'an Error: store its message']
]

// The prototype alone, or a proxy around one, holds nothing that could be read.
const builtIns = new Set(['Date', 'Map', 'Set', 'RegExp', 'URL', 'URLSearchParams', 'Uint8Array', 'Buffer', 'Promise'])

/** What the value is, and what to store instead. */
export function describe (value: unknown): string {
  if (typeof value === 'symbol') return 'a symbol: store a string'
  if (typeof value === 'function') return /^class\b/.test(Function.prototype.toString.call(value)) ? 'a class: store its name' : 'a function: store plain data'
  const found = known.find(([isOne]) => isOne(value))
  if (found !== undefined) return found[1]
  const name = nameOf(value as object)
  if (types.isTypedArray(value) && !types.isUint8Array(value)) return `${withArticle(value[Symbol.toStringTag])}: store a list of its numbers, [...array]`
  if (isThenable(value)) return `a thenable, ${name === null ? 'an object with a then method' : `an instance of ${name}`}: await it first`
  if (name === null) return 'an object with another prototype than plain objects have: store a plain copy, { ...object }'
  if (builtIns.has(name)) return `an object that looks like a ${name} and is none: store a real one, or plain data`
  return `an instance of ${name}: store its plain data or its id`
}

/** What the object has beside what its kind keeps: the first symbol, hidden or added property. */
export function additionOf (value: object, kind: string, own: ReadonlyArray<string | symbol>): string {
  if (types.isArgumentsObject(value)) return describe(value)
  const isPlain = kind === 'Object'
  const what = isPlain ? 'an object' : withArticle(kind)
  const symbol = own.find((key) => typeof key === 'symbol')
  if (symbol !== undefined) return `${what} with a symbol key, ${String(symbol)}: only strings are keys`
  if (isPlain) return `${what} with the property ${quoted(own.find((key) => !Object.prototype.propertyIsEnumerable.call(value, key)))}, which is not enumerable: store a plain copy, { ...object }`
  const added = own.find((key) => key !== 'length' && key !== 'lastIndex' && !/^\d+$/.test(String(key)))
  return `${what} with a property of its own, ${quoted(added)}: store that beside it`
}

/** Whatever its own code does when it is asked: it cannot be stored either way. */
function isThenable (value: unknown): boolean {
  try {
    return typeof (value as { then?: unknown }).then === 'function'
  } catch {
    return false
  }
}

/** The name of its class; `null` when there is none to show. */
function nameOf (value: object): string | null {
  try {
    const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name
    return typeof name === 'string' && name !== '' && name !== 'Object' ? name : null
  } catch {
    return null
  }
}

function withArticle (name: string): string {
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`
}

function quoted (key: string | symbol | undefined): string {
  return `'${String(key)}'`
}
