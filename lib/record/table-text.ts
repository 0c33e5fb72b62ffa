// Values that JSON cannot keep, in the format of devalue: a table of parts that
// name each other by their place, so that cycles and repeated objects stay what
// they are. Written here rather than by devalue, which reads tags and prototypes
// where a value may lie, and drops what it does not know about.
import { isDeepStrictEqual } from 'node:util'
import { MAX_DEPTH } from './json-text.js'
import { kindOf, type Kind } from './kinds.js'
import { additionOf, describe } from './unstorable.js'

/** What has no place in JSON is named by a negative number. */
export const UNDEFINED = -1
export const NOT_A_NUMBER = -3
export const INFINITE = -4
export const NEGATIVE_INFINITE = -5
export const NEGATIVE_ZERO = -6
/** Begins an array with holes: its length, then places and parts. */
export const SPARSE = -7

/** Why a value cannot be stored, and where inside it. */
export class Refusal extends Error {
  readonly path: string

  constructor (path: string, reason: string) {
    super(reason)
    this.path = path
  }
}

export function tableText (value: unknown): string {
  const writer = new TableWriter()
  const reference = writer.write(value)
  return reference < 0 ? String(reference) : `[${writer.parts.join(',')}]`
}

class TableWriter {
  readonly parts: string[] = []
  readonly #places = new Map<unknown, number>()
  readonly #path: string[] = []

  /** The place of the value in the table. */
  write (value: unknown): number {
    if (value === undefined) return UNDEFINED
    if (typeof value === 'number') {
      if (Number.isNaN(value)) return NOT_A_NUMBER
      if (!Number.isFinite(value)) return value > 0 ? INFINITE : NEGATIVE_INFINITE
      if (Object.is(value, -0)) return NEGATIVE_ZERO
    }
    const known = this.#places.get(value)
    if (known !== undefined) return known
    const place = this.#places.size
    this.#places.set(value, place)
    this.parts[place] = ''
    this.parts[place] = this.#part(value)
    return place
  }

  #part (value: unknown): string {
    if (typeof value === 'bigint') return `["BigInt","${value}"]`
    if (typeof value === 'function' || typeof value === 'symbol') this.#refuse(describe(value))
    if (typeof value !== 'object' || value === null) return JSON.stringify(value)
    if (this.#path.length >= MAX_DEPTH) this.#refuse(`it is nested too deeply, more than ${MAX_DEPTH} levels: store it flatter`)
    const kind = kindOf(value) ?? this.#refuse(describe(value))
    return kind === 'Array' ? this.#array(value as unknown[]) : this.#object(value, kind)
  }

  #object (value: object, kind: Exclude<Kind, 'Array'>): string {
    if (kind === 'Uint8Array' || kind === 'Buffer') return this.#bytes(value as Uint8Array, kind)
    const keys = kind === 'Object' || kind === 'null' ? Object.keys(value) : []
    const own = Reflect.ownKeys(value)
    if (own.length !== keys.length + (kind === 'RegExp' ? 1 : 0)) this.#refuse(additionOf(value, kind, own))
    switch (kind) {
      case 'Object': return `{${keys.map((key) => `${JSON.stringify(key)}:${this.#property(value, key)}`).join(',')}}`
      case 'null': return list('"null"', keys.flatMap((key) => [JSON.stringify(key), this.#property(value, key)]))
      case 'Date': return `["Date","${isoString(value as Date)}"]`
      case 'Map': return this.#map(value as Map<unknown, unknown>)
      case 'Set': return this.#set(value as Set<unknown>)
      case 'RegExp': return this.#pattern(value as RegExp)
      case 'URL':
      case 'URLSearchParams':
        return `["${kind}",${JSON.stringify(this.#read(() => kind === 'URL' ? (value as URL).href : String(value), describe(value)))}]`
    }
  }

  #property (value: object, key: string): number {
    const part: unknown = (value as Record<string, unknown>)[key]
    if (key === 'then' && typeof part === 'function') this.#refuse('a thenable: await it first')
    return this.#inside(isIdentifier(key) ? `.${key}` : `[${JSON.stringify(key)}]`, part)
  }

  #array (value: unknown[]): string {
    const { length } = value
    const own = Reflect.ownKeys(value)
    const items = own.indexOf('length')
    if (own.length > items + 1) this.#refuse(additionOf(value, 'Array', own.slice(items)))
    const item = (index: number) => this.#inside(`[${index}]`, value[index])
    if (items === length) return `[${Array.from({ length }, (_, index) => item(index)).join(',')}]`
    return list(SPARSE, [length, ...own.slice(0, items).flatMap((index) => [Number(index), item(Number(index))])])
  }

  #map (value: Map<unknown, unknown>): string {
    const entries: number[] = []
    Map.prototype.forEach.call(value, (item, key) => {
      entries.push(this.#inside('.keys()', key), this.#inside(`.get(${typeof key === 'string' ? JSON.stringify(key) : typeof key === 'number' ? key : '…'})`, item))
    })
    return list('"Map"', entries)
  }

  #set (value: Set<unknown>): string {
    const items: number[] = []
    Set.prototype.forEach.call(value, (item) => { items.push(this.#inside('.values()', item)) })
    return list('"Set"', items)
  }

  #pattern ({ source, flags, lastIndex }: RegExp): string {
    if (!Number.isSafeInteger(lastIndex) || lastIndex < 0 || Object.is(lastIndex, -0)) this.#refuse('a RegExp whose lastIndex is not a whole number: set it to 0')
    return list('"RegExp"', [JSON.stringify(source), ...(flags === '' && lastIndex === 0 ? [] : [`"${flags}"`]), ...(lastIndex === 0 ? [] : [lastIndex])])
  }

  /** Only the part of a buffer that the view shows: of a Buffer the whole is Node's shared pool, other people's bytes. */
  #bytes (value: Uint8Array, kind: 'Uint8Array' | 'Buffer'): string {
    const bytes = this.#read(() => new Uint8Array(value), 'bytes whose buffer was transferred away: store them before')
    const text = Buffer.from(bytes.buffer).toString('base64')
    // what is added to bytes cannot be listed without listing every byte
    Object.setPrototypeOf(bytes, Object.getPrototypeOf(value))
    if (!isDeepStrictEqual(bytes, value)) this.#refuse(additionOf(value, kind, [...Object.getOwnPropertySymbols(value), ...Object.keys(value)]))
    return `["${kind === 'Buffer' ? 'Buffer' : 'Bytes'}","${text}"]`
  }

  /** What only a real one answers, and an object with its prototype does not. */
  #read<Answer> (ask: () => Answer, otherwise: string): Answer {
    try {
      return ask()
    } catch (error) {
      if (error instanceof TypeError) this.#refuse(otherwise)
      throw error
    }
  }

  #inside (step: string, value: unknown): number {
    this.#path.push(step)
    const place = this.write(value)
    this.#path.pop()
    return place
  }

  #refuse (reason: string): never {
    throw new Refusal(this.#path.length > 20 ? `${this.#path.slice(0, 20).join('')}…` : this.#path.join(''), reason)
  }
}

function list (first: string | number, rest: ReadonlyArray<string | number>): string {
  return `[${[first, ...rest].join(',')}]`
}

/** An invalid Date is one too. */
function isoString (date: Date): string {
  const time = Date.prototype.getTime.call(date)
  return Number.isNaN(time) ? '' : new Date(time).toISOString()
}

function isIdentifier (key: string): boolean {
  return /^[a-z_$][\w$]*$/i.test(key)
}
