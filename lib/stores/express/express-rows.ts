// A store made for express-session, as promises that settle once whatever it does:
// calls back twice, never, throws, or rejects a promise besides.
import { inspect } from 'node:util'
import { InvalidOptionError } from '../../errors.js'
import { thrownError } from '../../thrown-error.js'

/** The part of an express-session store that is used: three functions with a callback. */
export interface ExpressStore {
  /** The session under this id, nothing, or an error with the code `ENOENT`. */
  get (id: string, callback: (error?: unknown, session?: unknown) => void): unknown
  /** Writes the session, whatever is there. */
  set (id: string, session: object, callback: (error?: unknown) => void): unknown
  /** Drops the session. */
  destroy (id: string, callback: (error?: unknown) => void): unknown
}

type Callback = (error?: unknown, answer?: unknown) => void

/** What a store holds, by id. Every call takes at most `timeout` milliseconds. */
export class ExpressRows {
  readonly #store: ExpressStore
  readonly #timeout: number

  /** Throws an `InvalidOptionError` that names the option when this is no such store. */
  constructor (option: string, store: ExpressStore, timeout: number) {
    const missing = (['get', 'set', 'destroy'] as const).filter((name) => typeof store?.[name] !== 'function')
    if (missing.length > 0) throw new InvalidOptionError(option, inspect(store, { depth: -1 }), `a store for express-session has the functions get, set and destroy; this one lacks ${missing.join(', ')}`)
    this.#store = store
    this.#timeout = Math.min(timeout, 0x7fffffff)
  }

  /** The row, or whatever stands for none. */
  get (id: string): Promise<unknown> {
    return this.#call((callback) => this.#store.get(id, callback)).catch(nothingIfAbsent)
  }

  async set (id: string, row: object): Promise<void> {
    await this.#call((callback) => this.#store.set(id, row, callback))
  }

  /** Quiet when there is none. */
  async destroy (id: string): Promise<void> {
    await this.#call((callback) => this.#store.destroy(id, callback)).catch(nothingIfAbsent)
  }

  #call (start: (callback: Callback) => unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the store did not call back within ${this.#timeout} ms`)), this.#timeout)
      const callback: Callback = (error, answer) => {
        clearTimeout(timer)
        if (error) reject(error)
        else resolve(answer)
      }
      // thrown or rejected with nothing is a failure all the same
      const fail = (reason: unknown) => callback(thrownError(reason))
      try {
        // a promise that is fulfilled says nothing yet: some stores call back after it
        Promise.resolve(start(callback)).catch(fail)
      } catch (error) {
        fail(error)
      }
    })
  }
}

/** By the contract `ENOENT` says that there is no session; but so says a connection to a socket that is missing, and then the server is away. */
function nothingIfAbsent (error: unknown): undefined {
  const { code, syscall } = error as { code?: unknown, syscall?: unknown }
  if (code !== 'ENOENT' || syscall === 'connect') throw error
}
