// Asks the app whether a session fits the request that brought it. However that fails, nobody gets the session.
import type { FastifyRequest } from 'fastify'
import { isPromise } from '../awaitable.js'
import { ValidateFailedError } from '../errors.js'
import { failureCause, shown } from '../failure-cause.js'
import type { Session } from '../session/session.js'
import type { SessionConfig } from '../options.js'
import type { Awaitable } from '../../types/store.js'

/** The option `validate`. */
export type SessionValidator = NonNullable<SessionConfig['validate']>

/** What `validate` may say. */
export type Validity = boolean | 'rotate'

/** Answers within `timeout` milliseconds; throws a `ValidateFailedError` for whatever is no answer. */
export function askValidate (validate: SessionValidator, session: Session, request: FastifyRequest, timeout: number): Awaitable<Validity> {
  try {
    const answer: unknown = validate(session, request)
    return isPromise(answer) ? hear(answer, timeout) : understood(answer)
  } catch (failure) {
    throw failed(failure)
  }
}

async function hear (answer: PromiseLike<unknown>, timeout: number): Promise<Validity> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`validate did not answer within ${timeout} ms, the storeTimeout`)), timeout)
  })
  try {
    return understood(await Promise.race([settled(answer), late]))
  } catch (failure) {
    throw failed(failure)
  } finally {
    clearTimeout(timer)
  }
}

/** `await` takes the first answer of a thenable and no other. */
async function settled (answer: PromiseLike<unknown>): Promise<unknown> {
  return await answer
}

function understood (answer: unknown): Validity {
  if (answer === true || answer === false || answer === 'rotate') return answer
  throw new TypeError(`validate answered with ${shown(answer)}: answer true, false or 'rotate'`)
}

function failed (failure: unknown): Error {
  return new ValidateFailedError({ cause: failureCause(failure, 'validate') })
}
