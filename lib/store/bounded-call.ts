// One call of a store: answered in time and in kind, or a typed error that tells a client nothing.
import { isPromise } from '../awaitable.js'
import { StoreError, StoreTimeoutError, TooManyKeysError } from '../errors.js'
import { safeCause, shownAnswer, type SentValues } from './safe-cause.js'
import type { StoreFunction } from './store-functions.js'
import type { Awaitable } from '../../types/store.js'

/** Calls a function of the store; `id` is the session's, where it is about one. */
export type BoundedCall = <T>(fn: StoreFunction, run: () => Awaitable<T>, id: string | null, sent?: SentValues) => Awaitable<T>

/**
 * Calls that fail with a `StoreError` or a `StoreTimeoutError`, reported to `onError` first. The
 * `cause` names the function that failed and tells nothing of what it was given.
 */
export function boundedCall (timeout: number, onError: (error: Error) => void): BoundedCall {
  function fail (error: Error): Error {
    onError(error)
    return error
  }

  function failed (fn: StoreFunction, thrown: unknown, sent?: SentValues): Error {
    // what the app asked too much of is no failure of the store
    return thrown instanceof TooManyKeysError ? thrown : fail(new StoreError({ cause: safeCause(called(fn), thrown, sent) }))
  }

  function call<T> (fn: StoreFunction, run: () => Awaitable<T>, _id: string | null, sent?: SentValues): Awaitable<T> {
    let answer: Awaitable<T>
    try {
      answer = run()
      if (!isPromise(answer) && fn.isAnswer(answer)) return answer
    } catch (thrown) {
      throw failed(fn, thrown, sent)
    }
    return inTime(fn, answer, sent).then(({ value }) => accept(fn, value))
  }

  function accept<T> (fn: StoreFunction, answer: T): T {
    let isSuch: boolean
    try {
      isSuch = fn.isAnswer(answer)
    } catch (thrown) {
      // a proxy may throw when it is looked at
      throw failed(fn, thrown)
    }
    if (isSuch) return answer
    throw fail(new StoreError({ cause: new TypeError(`${called(fn)} must answer with ${fn.expected}; it answered ${shownAnswer(answer)}`) }))
  }

  /** In a box: a promise looks whether what it is fulfilled with is a thenable, and would wait for that. */
  function inTime<T> (fn: StoreFunction, answer: Awaitable<T>, sent?: SentValues): Promise<{ value: T }> {
    return new Promise((resolve, reject) => {
      let late = false
      const timer = setTimeout(() => {
        late = true
        reject(fail(new StoreTimeoutError({ cause: new Error(`${called(fn)} did not answer within ${timeout} ms`) })))
      }, timeout)
      // a thenable that is no promise may throw, call back twice, or answer with another one
      Promise.resolve(answer).then((value) => {
        clearTimeout(timer)
        resolve({ value })
      }, (thrown: unknown) => {
        clearTimeout(timer)
        if (!late) reject(failed(fn, thrown, sent))
      })
    })
  }

  return call
}

function called ({ name }: StoreFunction): string {
  return `store.${name}()`
}
