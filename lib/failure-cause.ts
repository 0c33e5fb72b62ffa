// What a function of the app failed with, as an error.
import { inspect } from 'node:util'

/** Even this question can fail, for a proxy. */
export function isError (failure: unknown): failure is Error {
  try {
    return failure instanceof Error
  } catch {
    return false
  }
}

/** The error itself. What is none is only described: loggers read properties of a cause, and that may fail in its turn. */
export function failureCause (failure: unknown, whose: string): Error {
  return isError(failure) ? failure : new Error(`${whose} failed with ${shown(failure)}`)
}

/** A value of the app, without running anything of it. */
export function shown (value: unknown): string {
  return inspect(value, { depth: 0, customInspect: false, maxStringLength: 200 })
}
