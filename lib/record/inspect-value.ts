// How a value can be stored so that exactly it comes back: as JSON, in the richer
// form, or not at all. What a value is shows by its insides: a tag, a name or a
// prototype can be put on anything.
import { isDeepStrictEqual, types } from 'node:util'
import { isDatePrototype } from './date-prototype.js'
import { additionOf, describe } from './unstorable.js'

/** Nobody's own code needs more, and what walks a value by recursion still can. */
const MAX_DEPTH = 500

const MAX_SHOWN_STEPS = 20
const MAX_FEW = 8

/** Why a value cannot be stored, and where inside it. */
export class Refusal extends Error {
  readonly path: string

  constructor (path: string, reason: string) {
    super(reason)
    this.path = path
  }
}

/**
 * The form that keeps the value. Throws a `Refusal` when none does, and what a getter
 * or a proxy throws. These are read here and once more when the value is written.
 */
export function inspectValue (value: unknown): 'json' | 'rich' {
  const inspection = new Inspection()
  inspection.inspect(value, '')
  return inspection.isJson ? 'json' : 'rich'
}

/** None, or an empty one without a prototype, as `request.query` has: nothing is inherited. */
export function isDictionary (prototype: object | null): boolean {
  return prototype === null || (Object.getPrototypeOf(prototype) === null && Reflect.ownKeys(prototype).length === 0)
}

/** A property, an item, or how to reach inside a Map or Set. */
type Step = string | number | { readonly call: string }

class Inspection {
  isJson = true
  readonly #path: Step[] = []
  readonly #few: object[] = []
  #many: Set<object> | null = null

  inspect (value: unknown, step: Step): void {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return
      case 'number':
        if (!Number.isFinite(value) || Object.is(value, -0)) this.isJson = false
        return
      case 'undefined':
      case 'bigint':
        this.isJson = false
        return
      case 'object':
        if (value !== null) this.#inside(value, step)
        return
      default:
        if (step === 'then') this.#refuse('a thenable: await it first')
        this.#path.push(step)
        this.#refuse(describe(value))
    }
  }

  #inside (value: object, step: Step): void {
    // JSON would write an object twice that is met twice, around a cycle or not
    if (this.#wasMet(value)) {
      this.isJson = false
      return
    }
    this.#path.push(step)
    if (this.#path.length > MAX_DEPTH) this.#refuse(`it is nested too deeply, more than ${MAX_DEPTH} levels: store it flatter`)
    // JSON would call it; somebody may have added one to every object
    if ('toJSON' in value) this.isJson = false
    const prototype: object | null = Object.getPrototypeOf(value)
    if (Array.isArray(value)) this.#array(value, prototype)
    else if (prototype === Object.prototype) this.#object(value)
    else this.#other(value, prototype)
    this.#path.pop()
  }

  /** Few objects are found faster in a list, many in a set. */
  #wasMet (value: object): boolean {
    if (this.#many !== null) {
      const { size } = this.#many
      return this.#many.add(value).size === size
    }
    if (this.#few.includes(value)) return true
    if (this.#few.push(value) === MAX_FEW) this.#many = new Set(this.#few)
    return false
  }

  /** Names come after the items. Hidden names and symbols go unseen and are not kept: to look for them costs more than all the rest. */
  #array (value: unknown[], prototype: object | null): void {
    if (ownPrototype(prototype) !== Array.prototype) this.#refuse(describe(value))
    const keys = Object.keys(value)
    const last = keys.at(-1)
    if (last !== undefined && !/^\d+$/.test(last)) this.#refuse(additionOf(value, 'Array', keys))
    if (keys.length === value.length) {
      for (let index = 0; index < value.length; index++) this.inspect(value[index], index)
      return
    }
    this.isJson = false
    for (const index of keys) this.inspect(value[Number(index)], Number(index))
  }

  #object (value: object): void {
    let count = 0
    for (const name in value) {
      // somebody may have added one to every object
      if (!Object.hasOwn(value, name)) continue
      count++
      const part = (value as Record<string, unknown>)[name]
      if (typeof part !== 'string') this.inspect(part, name)
    }
    if (Object.getOwnPropertyNames(value).length !== count || Object.getOwnPropertySymbols(value).length > 0) this.#refuse(additionOf(value, 'Object', Reflect.ownKeys(value)))
    if (count === 0 && kinds.some(([, isOne]) => isOne(value))) this.#refuse(describe(value))
  }

  #other (value: object, foreign: object | null): void {
    const prototype = ownPrototype(foreign)
    if (prototype === Object.prototype) return this.#object(value)
    this.isJson = false
    if (isDictionary(foreign)) return this.#object(value)
    const kind = kinds.find(([type, isOne]) => isOne(value) && (isOne === types.isDate ? isDatePrototype(foreign) : type.prototype === prototype))
    if (kind === undefined) this.#refuse(describe(value))
    const [{ name }] = kind
    if (types.isUint8Array(value)) return this.#bytes(value, name)
    const own = Reflect.ownKeys(value)
    if (own.length > (types.isRegExp(value) ? 1 : 0)) this.#refuse(additionOf(value, name, own))
    if (types.isRegExp(value) && !Object.is(value.lastIndex, 0)) this.#refuse('a RegExp in the middle of a text: set its lastIndex to 0')
    if (types.isMap(value)) for (const [key, item] of value) this.#entry(key, item)
    if (types.isSet(value)) for (const item of value) this.inspect(item, { call: '.values()' })
  }

  #entry (key: unknown, item: unknown): void {
    this.inspect(key, { call: '.keys()' })
    this.inspect(item, { call: `.get(${typeof key === 'string' ? JSON.stringify(key) : typeof key === 'number' ? key : '…'})` })
  }

  /** Listing what is added to bytes would list every byte; a comparison with a copy does not. */
  #bytes (value: Uint8Array, name: string): void {
    // detached bytes have no length and cannot be copied
    const hasMore = value.length === 0 ? Reflect.ownKeys(value).length > 0 : !isDeepStrictEqual(Object.setPrototypeOf(Buffer.from(value), Object.getPrototypeOf(value)), value)
    if (hasMore) this.#refuse(additionOf(value, name, Reflect.ownKeys(value)))
  }

  #refuse (reason: string): never {
    const [, ...steps] = this.#path
    const shown = steps.slice(0, MAX_SHOWN_STEPS).map(textOf).join('')
    throw new Refusal(steps.length > MAX_SHOWN_STEPS ? `${shown}…` : shown, reason)
  }
}

function textOf (step: Step): string {
  if (typeof step === 'object') return step.call
  return typeof step === 'string' && /^[a-z_$][\w$]*$/i.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
}

/** What comes back as it was, beside plain objects and arrays, with what only a real one passes. A URL that is none throws when it is read. */
const kinds: ReadonlyArray<[type: { readonly prototype: object, readonly name: string }, isOne: (value: unknown) => boolean]> = [
  [Date, types.isDate], [Map, types.isMap], [Set, types.isSet], [RegExp, types.isRegExp], [Uint8Array, types.isUint8Array], [Buffer, types.isUint8Array],
  [URL, (value) => value instanceof URL], [URLSearchParams, (value) => value instanceof URLSearchParams]
]

const builtIns: ReadonlyArray<{ readonly prototype: object, readonly name: string }> = [Object, Array, Date, Map, Set, RegExp, Uint8Array]

/**
 * This realm's prototype for one of another: tests under Jest and `node:vm` have Dates
 * and arrays of their own. Only a built-in has this source text (ECMA-262, Function.prototype.toString).
 */
function ownPrototype (prototype: object | null): object | null {
  if (prototype === null || prototype === Array.prototype) return prototype
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  if (typeof constructor !== 'function' || constructor.prototype !== prototype) return prototype
  const text = Function.prototype.toString.call(constructor)
  return builtIns.find(({ name }) => text === `function ${name}() { [native code] }`)?.prototype ?? prototype
}
