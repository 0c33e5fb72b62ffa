// A store may answer with a value or with a promise. Written with `andThen`, one
// piece of code serves both, and on a store that answers at once a request never waits.
import type { Awaitable } from '../types/store.js'

/** Whether this has to be waited for. */
export function isPromise<T> (value: Awaitable<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/** Goes on with the value: now if it is here, later if it is promised. */
export function andThen<T, R> (value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return isPromise(value) ? value.then(next) : next(value)
}

/** Takes the step; where it throws or rejects, answers with what `next` makes of that. */
export function recover<T> (step: () => Awaitable<T>, next: (error: unknown) => T): Awaitable<T> {
  let answer: Awaitable<T>
  try {
    answer = step()
  } catch (error) {
    return next(error)
  }
  return isPromise(answer) ? answer.then(undefined, next) : answer
}
