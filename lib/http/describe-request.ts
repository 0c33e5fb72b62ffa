// What the app says about the browser that logs in, for the list of a user's sessions.
import type { FastifyRequest } from 'fastify'
import { isPromise } from '../awaitable.js'
import { logLine } from '../log-line.js'
import type { SessionDescription, SessionOptions } from '../../types/options.js'

// A browser decides how long its user agent is: it is cut, and no error.
const MAX_TEXT = 256
const MAX_ENTRIES = 16
const MAX_NAME = 64

/** The description as JSON; `null` when there is none. Failing at it is no reason to fail a login. */
export function describeRequest (describe: SessionOptions['describe'], request: FastifyRequest): string | null {
  if (describe === undefined) return null
  try {
    const answer: unknown = describe(request)
    const entries = Object.entries(refuseLater(answer))
    const kept = entries.slice(0, MAX_ENTRIES).filter(([name, value]) => name.length <= MAX_NAME && isPlain(value))
    if (kept.length < entries.length) logLine(request.log, 'warn', {}, `describe answered with what is no text, number, boolean or null, or with more than ${MAX_ENTRIES} entries; that is left out`)
    return JSON.stringify(Object.fromEntries(kept.map(([name, value]) => [name, typeof value === 'string' ? value.slice(0, MAX_TEXT) : value])))
  } catch (error) {
    logLine(request.log, 'error', { err: error }, 'describe failed; the session is listed without a description')
    return null
  }
}

/** A session is saved without waiting for it; what it rejects with must not end the process. */
function refuseLater (answer: unknown): object {
  if (!isPromise(answer)) return answer as object
  Promise.resolve(answer).catch(() => {})
  throw new TypeError('describe answered with a promise: answer at once, with what the request already has')
}

/** The description again. What another program wrote there is none. */
export function descriptionOf (about: string | null): SessionDescription | null {
  try {
    const description: unknown = about === null ? null : JSON.parse(about)
    return typeof description === 'object' && !Array.isArray(description) ? description as SessionDescription | null : null
  } catch {
    return null
  }
}

function isPlain (value: unknown): boolean {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
}
