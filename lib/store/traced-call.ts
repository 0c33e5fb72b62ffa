// Calls of a store, published on `tracingChannel('fastify-keep:store')` with their duration and what became of them.
// A store that answers at once is answered for at once. While nobody subscribes this is one question.
import { tracingChannel } from 'node:diagnostics_channel'
import { isPromise } from '../awaitable.js'
import { StoreTimeoutError, TooManyKeysError } from '../errors.js'
import { Message } from '../message.js'
import { thrownError } from '../thrown-error.js'
import type { Awaitable } from '../../types/awaitable.js'
import type { StoreCallMessage, StoreCallOutcome } from '../../types/store-call.js'
import type { BoundedCall } from './bounded-call.js'
import type { StoreFunction } from './store-functions.js'

const { start, end, asyncStart, asyncEnd, error: failed } = tracingChannel<unknown, StoreCallMessage>('fastify-keep:store')

/** The calls, published as those of this session. `source` is what `Message.isFrom` knows them by. */
export function tracedCall (source: object, property: string, call: BoundedCall): BoundedCall {
  return function trace (fn, run, id, sent) {
    if (!hasSubscribers()) return call(fn, run, id, sent)
    const message: StoreCallMessage = Message.from(source, { function: fn.name, property, sessionId: id })
    const startedAt = performance.now()
    return start.runStores(message, () => publishEnd(message, () => watch(message, fn, startedAt, () => call(fn, run, id, sent))))
  }
}

/** Node.js 20 has no such question for the five together in its first versions. */
function hasSubscribers (): boolean {
  return start.hasSubscribers || end.hasSubscribers || asyncStart.hasSubscribers || asyncEnd.hasSubscribers || failed.hasSubscribers
}

function publishEnd<T> (message: StoreCallMessage, step: () => T): T {
  try {
    return step()
  } finally {
    end.publish(message)
  }
}

function watch<T> (message: StoreCallMessage, fn: StoreFunction, startedAt: number, call: () => Awaitable<T>): Awaitable<T> {
  const settle = (outcome: StoreCallOutcome): void => {
    message.duration = performance.now() - startedAt
    message.outcome = outcome
  }
  const fail = (thrown: unknown): void => {
    const error = thrownError(thrown)
    settle(failureOf(error))
    message.error = error
    failed.publish(message)
  }
  let answer: Awaitable<T>
  try {
    answer = call()
  } catch (thrown) {
    fail(thrown)
    throw thrown
  }
  if (!isPromise(answer)) {
    settle(outcomeOf(fn, answer))
    return answer
  }
  return answer.then((value) => {
    settle(outcomeOf(fn, value))
    publishAsync(message)
    return value
  }, (thrown: unknown) => {
    fail(thrown)
    publishAsync(message)
    throw thrown
  })
}

function publishAsync (message: StoreCallMessage): void {
  asyncStart.publish(message)
  asyncEnd.publish(message)
}

/** An answer that was looked at once may throw at the second look; nobody who only watches may notice. */
function outcomeOf (fn: StoreFunction, answer: unknown): StoreCallOutcome {
  try {
    return fn.outcomeOf(answer)
  } catch {
    return 'error'
  }
}

function failureOf (error: Error): StoreCallOutcome {
  if (error instanceof TooManyKeysError) return 'refused'
  return error instanceof StoreTimeoutError ? 'timeout' : 'error'
}
