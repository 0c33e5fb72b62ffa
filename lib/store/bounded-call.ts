// One call of a store: answered in time and in kind, or a typed error that tells a client nothing.
import { isPromise } from '../awaitable.js'
import { StoreError, StoreTimeoutError, TooManyKeysError } from '../errors.js'
import { safeCause, shownAnswer, type SentValues } from './safe-cause.js'
import type { Awaitable } from '../../types/store.js'

/** What a function of the store may answer. */
export interface AnswerKind {
  readonly expected: string
  isAnswer (answer: unknown): boolean
}

/** Calls a function of the store by its name. */
export type BoundedCall = <T>(name: string, kind: AnswerKind, run: () => Awaitable<T>, sent?: SentValues) => Awaitable<T>

/**
 * Calls that fail with a `StoreError` or a `StoreTimeoutError`, reported to `onError` first. The
 * `cause` names the function that failed and tells nothing of what it was given.
 */
export function boundedCall (timeout: number, onError: (error: Error) => void): BoundedCall {
  function fail (error: Error): Error {
    onError(error)
    return error
  }

  function failed (name: string, thrown: unknown, sent?: SentValues): Error {
    // what the app asked too much of is no failure of the store
    return thrown instanceof TooManyKeysError ? thrown : fail(new StoreError({ cause: safeCause(name, thrown, sent) }))
  }

  function call<T> (name: string, kind: AnswerKind, run: () => Awaitable<T>, sent?: SentValues): Awaitable<T> {
    let answer: Awaitable<T>
    try {
      answer = run()
      if (!isPromise(answer) && kind.isAnswer(answer)) return answer
    } catch (thrown) {
      throw failed(name, thrown, sent)
    }
    return inTime(name, answer, sent).then(({ value }) => accept(name, kind, value))
  }

  function accept<T> (name: string, { expected, isAnswer }: AnswerKind, answer: T): T {
    let isSuch: boolean
    try {
      isSuch = isAnswer(answer)
    } catch (thrown) {
      // a proxy may throw when it is looked at
      throw failed(name, thrown)
    }
    if (isSuch) return answer
    throw fail(new StoreError({ cause: new TypeError(`${name} must answer with ${expected}; it answered ${shownAnswer(answer)}`) }))
  }

  /** In a box: a promise looks whether what it is fulfilled with is a thenable, and would wait for that. */
  function inTime<T> (name: string, answer: Awaitable<T>, sent?: SentValues): Promise<{ value: T }> {
    return new Promise((resolve, reject) => {
      let late = false
      const timer = setTimeout(() => {
        late = true
        reject(fail(new StoreTimeoutError({ cause: new Error(`${name} did not answer within ${timeout} ms`) })))
      }, timeout)
      // a thenable that is no promise may throw, call back twice, or answer with another one
      Promise.resolve(answer).then((value) => {
        clearTimeout(timer)
        resolve({ value })
      }, (thrown: unknown) => {
        clearTimeout(timer)
        if (!late) reject(failed(name, thrown, sent))
      })
    })
  }

  return call
}
