// The store as the rest of this package sees it: it answers in time and in kind,
// or fails with a typed error that tells a client nothing.
import { isPromise } from './awaitable.js'
import { StoreError, StoreTimeoutError, TooManyKeysError } from './errors.js'
import type { Awaitable, SessionStore } from '../types/store.js'

/** A store whose every failure is a `StoreError` or a `StoreTimeoutError`, reported to `onError` first. */
export function boundStore (store: SessionStore, timeout: number, onError: (error: Error) => void): SessionStore {
  function fail (error: Error): Error {
    onError(error)
    return error
  }

  /** What the app asked too much of is no failure of the store. */
  function typed (cause: unknown): Error {
    return cause instanceof TooManyKeysError ? cause : fail(new StoreError({ cause }))
  }

  function call<T> (isAnswer: (answer: unknown) => boolean, run: () => Awaitable<T>): Awaitable<T> {
    const accept = (answer: T): T => {
      if (isAnswer(answer)) return answer
      throw fail(new StoreError({ cause: new TypeError(`the store answered ${String(answer)}`) }))
    }
    let answer: Awaitable<T>
    try {
      answer = run()
    } catch (cause) {
      throw typed(cause)
    }
    return isPromise(answer) ? inTime(answer).then(accept) : accept(answer)
  }

  function inTime<T> (answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let late = false
      const timer = setTimeout(() => {
        late = true
        reject(fail(new StoreTimeoutError()))
      }, timeout)
      answer.then((value) => {
        clearTimeout(timer)
        resolve(value)
      }, (cause: unknown) => {
        clearTimeout(timer)
        if (!late) reject(typed(cause))
      })
    })
  }

  return {
    read: (id) => call(isAnything, () => store.read(id)),
    create: (id, record) => call(isBoolean, () => store.create(id, record)),
    update: (id, changes) => call(isUpdateResult, () => store.update(id, changes)),
    touch: (id, expiresAt) => call(isBoolean, () => store.touch(id, expiresAt)),
    replace: (oldId, newId, record, ifVersion) => call(isBoolean, () => store.replace(oldId, newId, record, ifVersion)),
    destroy: (id, ifVersion) => call(isAnything, () => store.destroy(id, ifVersion))
  }
}

function isAnything (): boolean {
  return true
}

function isBoolean (answer: unknown): boolean {
  return typeof answer === 'boolean'
}

function isUpdateResult (answer: unknown): boolean {
  return answer === 'done' || answer === 'missing' || answer === 'conflict' || answer === 'too-large'
}
