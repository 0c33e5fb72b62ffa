// `session['key']`: what a class needs so that its instances can be indexed by
// any string while the names of its members stay members. The constructor
// returns a proxy; private fields of subclasses live on that proxy itself, so
// methods run on it without passing a trap.
import { ReservedKeyError } from './errors.js'

/** What lies behind the index. */
export interface Entries {
  get (key: string): unknown
  set (key: string, value: unknown): void
  has (key: string): boolean
  remove (key: string): boolean
  keys (): Iterable<string>
}

export abstract class IndexAccess {
  readonly #entries: Entries

  constructor (entries: Entries) {
    this.#entries = entries
    return new Proxy(this, IndexAccess.#traps)
  }

  static readonly #traps: ProxyHandler<IndexAccess> = {
    get (target, key, receiver) {
      return isMember(target, key) ? Reflect.get(target, key, receiver) : target.#entries.get(key)
    },

    set (target, key, value) {
      if (typeof key === 'symbol') return Reflect.set(target, key, value)
      refuseMember(target, key)
      target.#entries.set(key, value)
      return true
    },

    has (target, key) {
      return isMember(target, key) || target.#entries.has(key)
    },

    deleteProperty (target, key) {
      if (typeof key === 'symbol') return Reflect.deleteProperty(target, key)
      refuseMember(target, key)
      target.#entries.remove(key)
      return true
    },

    ownKeys (target) {
      return [...target.#entries.keys(), ...Object.getOwnPropertySymbols(target)]
    },

    getOwnPropertyDescriptor (target, key) {
      if (typeof key === 'symbol') return Reflect.getOwnPropertyDescriptor(target, key)
      if (!target.#entries.has(key)) return undefined
      return { value: target.#entries.get(key), writable: true, enumerable: true, configurable: true }
    },

    defineProperty (target, key, descriptor) {
      if (typeof key === 'symbol') return Reflect.defineProperty(target, key, descriptor)
      if (!('value' in descriptor)) return false
      refuseMember(target, key)
      target.#entries.set(key, descriptor.value)
      return true
    },

    preventExtensions () { return false },
    setPrototypeOf () { return false }
  }
}

function isMember (target: object, key: string | symbol): key is symbol {
  return typeof key === 'symbol' || key in target
}

function refuseMember (target: object, key: string): void {
  if (key in target) throw new ReservedKeyError(key, key)
}
