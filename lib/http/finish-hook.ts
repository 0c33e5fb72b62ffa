// How a hook of this package ends. Fastify catches what is thrown while its runner
// calls a hook, but not what is thrown behind a `done()` that is called later: that
// would be an unhandled rejection and end the process. An async hook would be safe,
// but could not finish in the same tick when there is nothing to wait for.
import type { FastifyReply } from 'fastify'
import { isPromise } from '../awaitable.js'
import { logLine } from '../log-line.js'
import { thrownError } from '../thrown-error.js'
import type { Awaitable } from '../../types/store.js'

/** Fastify's callback of a hook. It runs everything that comes next, and may throw what that throws. */
export type Done = (error?: Error) => void

/** What to do about the reply while the hook waits: takes the callback, and answers with the one to call in its place. */
export type WhileWaiting = (reply: FastifyReply, done: Done) => Done

/**
 * Runs the hook and calls back: in the same tick when there is nothing to wait for.
 * Whatever fails, in the hook or behind `done()`, ends as it does with an async hook: in the error handler, once.
 */
export function finishHook (run: () => Awaitable<void>, reply: FastifyReply, done: Done, whileWaiting: WhileWaiting = unheld): void {
  let running: Awaitable<void>
  try {
    running = run()
  } catch (reason) {
    return done(thrownError(reason))
  }
  if (!isPromise(running)) return done()
  const next = whileWaiting(reply, done)
  running
    .then(() => next(), (reason: unknown) => next(thrownError(reason)))
    .catch((reason: unknown) => done(thrownError(reason)))
    .catch((reason: unknown) => abandon(reply, reason))
}

/**
 * Until the hook is through the reply counts as sent. Fastify takes a hook that
 * replied without returning the reply for one that did not reply, and would run
 * the handler that the hook was guarding.
 */
export function holdReply (reply: FastifyReply, done: Done): Done {
  Object.defineProperty(reply, 'sent', { value: true, configurable: true })
  return (error) => {
    delete (reply as { sent?: boolean }).sent
    done(error)
  }
}

function unheld (_reply: FastifyReply, done: Done): Done {
  return done
}

/** Not even the error could be sent. The client must not wait for what never comes. */
export function abandon (reply: FastifyReply, reason: unknown): void {
  logLine(reply.request.log, 'error', { err: reason }, 'the response could not be sent, nor could an error in its place')
  reply.raw.destroy()
}
