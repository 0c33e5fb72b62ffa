// The store as the rest of this package sees it: it answers in time and in kind,
// or fails with a typed error that tells a client nothing.
import { isPromise } from '../awaitable.js'
import { StoreError, StoreTimeoutError, TooManyKeysError } from '../errors.js'
import { safeCause, shownAnswer, type SentValues } from './safe-cause.js'
import type { Awaitable, SessionStore } from '../../types/store.js'

/** What a function of the store may answer. */
interface AnswerKind {
  readonly expected: string
  isAnswer (answer: unknown): boolean
}

// what is no record is told apart later, and counts as absent; a thenable that claims to be none might be waited for without a time limit
const noThenable: AnswerKind = { expected: 'a record, the mark of an ended session or null', isAnswer: (answer) => typeof answer !== 'object' || answer === null || !('then' in answer) }
const aBoolean: AnswerKind = { expected: 'a boolean', isAnswer: (answer) => typeof answer === 'boolean' }
const anUpdateResult = oneOf('done', 'missing', 'conflict', 'too-large')
const aTouchResult = oneOf('done', 'missing', 'stale')
const aDestroyResult = oneOf('done', 'missing', 'conflict')

function oneOf (...answers: readonly unknown[]): AnswerKind {
  return { expected: answers.map((each) => `'${String(each)}'`).join(' or '), isAnswer: (answer) => answers.includes(answer) }
}

/**
 * A store whose every failure is a `StoreError` or a `StoreTimeoutError`, reported to `onError` first. The
 * `cause` names the function that failed and tells nothing of what it was given.
 */
export function boundStore (store: SessionStore, timeout: number, onError: (error: Error) => void): SessionStore {
  function fail (error: Error): Error {
    onError(error)
    return error
  }

  function failed (name: string, thrown: unknown, sent?: SentValues): Error {
    // what the app asked too much of is no failure of the store
    return thrown instanceof TooManyKeysError ? thrown : fail(new StoreError({ cause: safeCause(name, thrown, sent) }))
  }

  function call<T> (name: string, { expected, isAnswer }: AnswerKind, run: () => Awaitable<T>, sent?: SentValues): Awaitable<T> {
    const accept = (answer: T): T => {
      if (isSuch(name, isAnswer, answer)) return answer
      throw fail(new StoreError({ cause: new TypeError(`${name} must answer with ${expected}; it answered ${shownAnswer(answer)}`) }))
    }
    let answer: Awaitable<T>
    let isLater: boolean
    try {
      answer = run()
      isLater = isPromise(answer)
    } catch (thrown) {
      throw failed(name, thrown, sent)
    }
    return isLater ? inTime(name, answer as Promise<T>, sent).then(({ value }) => accept(value)) : accept(answer as T)
  }

  /** A proxy may throw when it is looked at. */
  function isSuch (name: string, isAnswer: AnswerKind['isAnswer'], answer: unknown): boolean {
    try {
      return isAnswer(answer)
    } catch (thrown) {
      throw failed(name, thrown)
    }
  }

  /** In a box: a promise looks whether what it is fulfilled with is a thenable, and would wait for that. */
  function inTime<T> (name: string, answer: Promise<T>, sent?: SentValues): Promise<{ value: T }> {
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

  return {
    read: (id) => call('store.read()', noThenable, () => store.read(id)),
    create: (id, record) => call('store.create()', aBoolean, () => store.create(id, record), () => Object.values(record.values)),
    update: (id, changes) => call('store.update()', anUpdateResult, () => store.update(id, changes), () => Object.values(changes.set)),
    touch: (id, renewal) => call('store.touch()', aTouchResult, () => store.touch(id, renewal)),
    destroy: (id, condition) => call('store.destroy()', aDestroyResult, () => store.destroy(id, condition))
  }
}
