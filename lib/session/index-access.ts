// `session['key']`: what a class needs so that its instances can be indexed by
// any string while the names of its members stay members. The constructor
// returns a proxy. Subclasses reach the host through `this[HOST]`: private fields
// would be added to each proxy, which is three times slower.
import { ReservedKeyError } from '../errors.js'

/** What the index reads and writes. */
export interface Entries {
  get (key: string): unknown
  set (key: string, value: unknown): void
  has (key: string): boolean
  remove (key: string): boolean
  keys (): Iterable<string>
}

/** Owns the entries. `state` is read lazily, because reading it creates the session. */
export interface EntryHost {
  readonly state: Entries
}

/** Opens an instance to its own class. No reflection finds it, and no key is a symbol. */
export const HOST = Symbol('host')

export abstract class IndexAccess<B extends EntryHost = EntryHost> {
  /** Answered by the proxy; the target has none. */
  protected declare readonly [HOST]: B
  readonly #host: B

  constructor (host: B) {
    this.#host = host
    return new Proxy(this, IndexAccess.#traps as ProxyHandler<this>)
  }

  static readonly #traps: ProxyHandler<IndexAccess> = {
    get (target, key, receiver) {
      if (key === HOST) return target.#host
      return isMember(target, key) ? Reflect.get(target, key, receiver) : target.#host.state.get(key)
    },

    set (target, key, value) {
      if (typeof key === 'symbol') return Reflect.set(target, key, value)
      refuseMember(target, key)
      target.#host.state.set(key, value)
      return true
    },

    has (target, key) {
      return isMember(target, key) || target.#host.state.has(key)
    },

    deleteProperty (target, key) {
      if (typeof key === 'symbol') return Reflect.deleteProperty(target, key)
      refuseMember(target, key)
      target.#host.state.remove(key)
      return true
    },

    ownKeys (target) {
      return [...target.#host.state.keys(), ...Object.getOwnPropertySymbols(target)]
    },

    getOwnPropertyDescriptor (target, key) {
      if (typeof key === 'symbol') return Reflect.getOwnPropertyDescriptor(target, key)
      if (!target.#host.state.has(key)) return undefined
      return { value: target.#host.state.get(key), writable: true, enumerable: true, configurable: true }
    },

    defineProperty (target, key, descriptor) {
      if (typeof key === 'symbol') return Reflect.defineProperty(target, key, descriptor)
      if (!('value' in descriptor)) return false
      refuseMember(target, key)
      target.#host.state.set(key, descriptor.value)
      return true
    },

    preventExtensions () { return false },
    setPrototypeOf () { return false }
  }
}

/**
 * Freezes a class and its methods. An instance hands them out, for `constructor` and
 * `__proto__` are members too: `session[a][b] = c` must not change every session.
 */
export function freezeClass (given: { readonly prototype: object }): void {
  for (const shared of [given, given.prototype]) {
    for (const { value, get } of Object.values(Object.getOwnPropertyDescriptors(shared))) {
      if (typeof value === 'function') Object.freeze(value)
      Object.freeze(get)
    }
    Object.freeze(shared)
  }
}

freezeClass(IndexAccess)

function isMember (target: object, key: string | symbol): key is symbol {
  return typeof key === 'symbol' || key in target
}

function refuseMember (target: object, key: string): void {
  if (key in target) throw new ReservedKeyError(key, key)
}
