// The table that `tableText` wrote, as the value it stands for. First every part
// by itself, then what each part holds: no recursion, so no stack to exhaust.
import { INFINITE, NEGATIVE_INFINITE, NEGATIVE_ZERO, NOT_A_NUMBER, SPARSE, UNDEFINED } from './table-text.js'

type Resolve = (reference: unknown) => unknown

const named = new Map<unknown, unknown>([[UNDEFINED, undefined], [NOT_A_NUMBER, NaN], [INFINITE, Infinity], [NEGATIVE_INFINITE, -Infinity], [NEGATIVE_ZERO, -0]])

const MAX_LENGTH = 2 ** 32 - 1

/** Throws when the text is no such table. */
export function readTable (text: string): unknown {
  const parts: unknown = JSON.parse(text)
  const values = Array.isArray(parts) ? parts.map(begin) : []
  const resolve = (reference: unknown): unknown => {
    if (named.has(reference)) return named.get(reference)
    if (!isIndex(reference, values.length)) throw new Error('not a part of the table')
    return values[reference]
  }
  if (!Array.isArray(parts)) return resolve(parts)
  parts.forEach((part: unknown, place) => fill(part, values[place], resolve))
  return resolve(0)
}

/** The part without what it holds. JSON made plain objects and arrays that nobody else has: they are filled in place. */
function begin (part: unknown): unknown {
  if (!Array.isArray(part)) return part
  const [type, first, second, third] = part
  switch (type) {
    case SPARSE: return emptyArray(first)
    case 'null': return Object.create(null)
    case 'Map': return new Map()
    case 'Set': return new Set()
    case 'Date': return dateOf(first)
    case 'BigInt': return BigInt(textLike(first, /^-?\d+$/))
    case 'RegExp': return patternOf(first, second, third)
    case 'URL': return new URL(textLike(first, /^/))
    case 'URLSearchParams': return new URLSearchParams(textLike(first, /^/))
    case 'Buffer': return bufferOf(first)
    case 'Bytes': return new Uint8Array(bufferOf(first))
  }
  if (typeof type === 'string') throw new Error('a type nobody knows')
  return part
}

function fill (part: unknown, value: unknown, resolve: Resolve): void {
  if (typeof part !== 'object' || part === null) return
  if (part === value) {
    // own properties all, `__proto__` too: no setter hears of it
    for (const key of Object.keys(part)) (part as Record<string, unknown>)[key] = resolve((part as Record<string, unknown>)[key])
    return
  }
  const [type, ...rest] = part as unknown[]
  switch (type) {
    case SPARSE: return inPairs(rest.slice(1), (index, item) => { (value as unknown[])[indexBelow(index, (value as unknown[]).length)] = resolve(item) })
    case 'null': return inPairs(rest, (key, item) => { (value as Record<string, unknown>)[textLike(key, /^/)] = resolve(item) })
    case 'Map': return inPairs(rest, (key, item) => { (value as Map<unknown, unknown>).set(resolve(key), resolve(item)) })
    case 'Set': rest.forEach((item) => { (value as Set<unknown>).add(resolve(item)) })
  }
}

function inPairs (list: unknown[], use: (first: unknown, second: unknown) => void): void {
  for (let index = 0; index < list.length; index += 2) use(list[index], list[index + 1])
}

function emptyArray (length: unknown): unknown[] {
  const array: unknown[] = []
  array.length = indexBelow(length, MAX_LENGTH + 1)
  return array
}

function dateOf (text: unknown): Date {
  const date = new Date(textLike(text, /^/))
  if (text !== '' && Number.isNaN(date.getTime())) throw new Error('not a date')
  return date
}

function patternOf (source: unknown, flags: unknown = '', lastIndex: unknown = 0): RegExp {
  const pattern = new RegExp(textLike(source, /^/), textLike(flags, /^/))
  pattern.lastIndex = indexBelow(lastIndex, Infinity)
  return pattern
}

function bufferOf (base64: unknown): Buffer {
  const bytes = Buffer.from(textLike(base64, /^/), 'base64')
  if (bytes.toString('base64') !== base64) throw new Error('not base64')
  return bytes
}

function textLike (value: unknown, pattern: RegExp): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new Error('not the text that belongs here')
  return value
}

function indexBelow (value: unknown, limit: number): number {
  if (!isIndex(value, limit)) throw new Error('not a place')
  return value
}

function isIndex (value: unknown, limit: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < limit
}
