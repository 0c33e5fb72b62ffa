// The option `encryption`, checked. No error shows any of a key.
import { InvalidOptionError } from './errors.js'
import { unknownName } from './unknown-names.js'

/** A key, or `'plain'`: what is stored without one. */
export type CheckedKey = { readonly id: string, readonly key: Uint8Array } | 'plain'

const KEY_BYTES = 32

const idShape = /^[\w-]{1,32}$/
const hexShape = /^[\da-f]{64}$/i

const ID_FIX = "give a short name such as '2026-11': at most 32 letters, digits, - and _, and not 'plain'. It is stored with each value"
const KEY_FIX = "give 32 random bytes, as a Buffer or in hex or base64; make them with: node -p \"crypto.randomBytes(32).toString('base64')\""
const LIST_FIX = "give a list such as [{ id: '2026', key: process.env.SESSION_KEY }]: the first key seals, all open"

/** The keys, copied. Throws an `InvalidOptionError`. */
export function encryptionKeys (given: unknown): readonly CheckedKey[] {
  if (!Array.isArray(given)) refuse('encryption', shown(given), LIST_FIX)
  if (given.length === 0) refuse('encryption', 'an empty list', `${LIST_FIX}; or leave it out`)
  const keys = given.map(checkedKey)
  const ids = keys.map((each) => each === 'plain' ? each : each.id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined) refuse('encryption', `a list with '${twice}' twice`, 'give each key an id of its own')
  if (keys.every((each) => each === 'plain')) refuse('encryption', "['plain']", 'add a key, or leave the option out')
  const same = keys.findIndex((each, index) => keys.some((other, before) => before < index && isSameKey(each, other)))
  if (same !== -1) refuse(`encryption[${same}].key`, 'the key of another id', 'give each id a key of its own')
  return keys
}

function checkedKey (given: unknown, index: number): CheckedKey {
  if (given === 'plain') return given
  const place = `encryption[${index}]`
  if (typeof given !== 'object' || given === null) refuse(place, shown(given), "give { id, key }, or 'plain' for what was stored without encryption")
  const unknown = unknownName(given, ['id', 'key'])
  if (unknown !== null) refuse(`${place}.${unknown.name}`, 'unknown', unknown.fix)
  const { id, key } = given as { id?: unknown, key?: unknown }
  if (typeof id !== 'string' || !idShape.test(id) || id === 'plain') refuse(`${place}.id`, id === 'plain' ? "'plain'" : shown(id), ID_FIX)
  return { id, key: keyBytes(`${place}.key`, key) }
}

function keyBytes (option: string, key: unknown): Uint8Array {
  const bytes = key instanceof Uint8Array ? Buffer.from(key) : typeof key === 'string' ? decoded(key) : null
  if (bytes === null) refuse(option, shown(key), KEY_FIX)
  if (bytes.length !== KEY_BYTES) refuse(option, `${bytes.length} bytes long`, KEY_FIX)
  if (bytes.every((byte) => byte === bytes[0])) refuse(option, '32 times the same byte', KEY_FIX)
  // one key in 10^14 is text by chance
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) refuse(option, '32 letters rather than random bytes', KEY_FIX)
  return bytes
}

/** `null` for what is not exactly 32 bytes: a text in base64 has one spelling. */
function decoded (text: string): Buffer | null {
  if (hexShape.test(text)) return Buffer.from(text, 'hex')
  const bytes = Buffer.from(text, 'base64')
  const base64 = bytes.toString('base64')
  return bytes.length === KEY_BYTES && [base64, base64.replace('=', ''), bytes.toString('base64url')].includes(text) ? bytes : null
}

/** Nothing of what may be a key in the wrong place. */
function shown (given: unknown): string {
  return typeof given === 'string' ? `a string of ${given.length} characters` : given === null ? 'null' : `of type ${typeof given}`
}

function isSameKey (one: CheckedKey, other: CheckedKey): boolean {
  return one !== 'plain' && other !== 'plain' && Buffer.compare(one.key, other.key) === 0
}

function refuse (option: string, shown: string, fix: string): never {
  throw new InvalidOptionError(option, shown, fix)
}
