// What to do while another process writes: try again, and leave the event loop to others in between.
import { setTimeout as delay } from 'node:timers/promises'
import { isBusy } from './sqlite-errors.js'

/** As long as another process may keep the file to itself: longer than any save takes, and shorter than a user waits. */
export const MAX_WAIT_MS = 5000

/** Between one and three milliseconds, so that several processes do not ask in step. */
export function retryDelay (): number {
  return 1 + Math.random() * 2
}

/** Answers at once where that is possible. */
export function patiently<T> (work: () => T): T | Promise<T> {
  try {
    return work()
  } catch (error) {
    if (!isBusy(error)) throw error
    return tryAgain(work)
  }
}

async function tryAgain<T> (work: () => T): Promise<T> {
  const end = performance.now() + MAX_WAIT_MS
  while (true) {
    await delay(retryDelay())
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() > end) throw error
    }
  }
}
