// What kind of object a value is, by what it is inside and not by what it says:
// a tag, a name or a prototype can be put on anything.
import { types } from 'node:util'

/** The kinds of objects that come back as they were. */
export type Kind = 'Object' | 'null' | 'Array' | 'Date' | 'Map' | 'Set' | 'RegExp' | 'URL' | 'URLSearchParams' | 'Uint8Array' | 'Buffer'

// Objects that hold something no property shows.
const holders = [
  types.isDate, types.isMap, types.isSet, types.isRegExp, types.isArrayBufferView, types.isAnyArrayBuffer, types.isPromise, types.isBoxedPrimitive,
  types.isNativeError, types.isArgumentsObject, types.isWeakMap, types.isWeakSet, types.isGeneratorObject, types.isMapIterator, types.isSetIterator
]

/** Kinds whose content no property shows, with the test that nothing can pretend to pass. */
const inner: ReadonlyArray<[kind: Kind, isOne: (value: unknown) => boolean]> = [
  ['Date', types.isDate], ['Map', types.isMap], ['Set', types.isSet], ['RegExp', types.isRegExp], ['Uint8Array', types.isUint8Array]
]

/** Most are of this realm, and found at once. */
const innerPrototypes = new Map<unknown, [kind: Kind, isOne: (value: unknown) => boolean]>([
  [Date.prototype, ['Date', types.isDate]], [Map.prototype, ['Map', types.isMap]], [Set.prototype, ['Set', types.isSet]],
  [RegExp.prototype, ['RegExp', types.isRegExp]], [Uint8Array.prototype, ['Uint8Array', types.isUint8Array]], [Buffer.prototype, ['Buffer', types.isUint8Array]]
])

const foreign = new WeakMap<object, string | null>()

/** The kind, or `null` for what cannot be stored. */
export function kindOf (value: object): Kind | null {
  const prototype: object | null = Object.getPrototypeOf(value)
  if (Array.isArray(value)) return isArrayPrototype(prototype) ? 'Array' : null
  const ours = innerPrototypes.get(prototype)
  if (ours !== undefined && ours[1](value)) return ours[0]
  if (holdsMore(value)) {
    const kind = inner.find(([, isOne]) => isOne(value))?.[0]
    return kind !== undefined && intrinsicName(prototype) === kind ? kind : null
  }
  if (isPlainPrototype(prototype)) return 'Object'
  if (prototype === URL.prototype) return 'URL'
  if (prototype === URLSearchParams.prototype) return 'URLSearchParams'
  return isDictionaryPrototype(prototype) ? 'null' : null
}

export function isPlainPrototype (prototype: object | null): boolean {
  return prototype === Object.prototype || intrinsicName(prototype) === 'Object'
}

export function isArrayPrototype (prototype: object | null): boolean {
  return prototype === Array.prototype || intrinsicName(prototype) === 'Array'
}

/** Whether the object is more than its properties, as a Map is, whatever its prototype. */
export function holdsMore (value: object): boolean {
  return holders.some((isOne) => isOne(value))
}

/** None, or an empty one without a prototype, as `request.query` has: nothing is inherited. */
function isDictionaryPrototype (prototype: object | null): boolean {
  return prototype === null || (Object.getPrototypeOf(prototype) === null && Reflect.ownKeys(prototype).length === 0)
}

/**
 * The name of the built-in constructor whose prototype this is, in whatever realm:
 * tests under Jest and `node:vm` have Dates and arrays of their own. Only a built-in
 * has this source text (ECMA-262, Function.prototype.toString).
 */
function intrinsicName (prototype: object | null): string | null {
  if (prototype === null) return null
  let name = foreign.get(prototype)
  if (name === undefined) foreign.set(prototype, name = nameOfIntrinsic(prototype))
  return name
}

function nameOfIntrinsic (prototype: object): string | null {
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  if (typeof constructor !== 'function' || constructor.prototype !== prototype) return null
  return /^function (\w+)\(\) \{ \[native code\] \}$/.exec(Function.prototype.toString.call(constructor))?.[1] ?? null
}
