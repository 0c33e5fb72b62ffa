// A call with a callback, as a promise that settles once, whatever is at the other
// end: called back twice, never, by a throw, or by a promise that rejects besides.

/** What the other end calls when it is done. */
export type Callback = (error?: unknown, answer?: unknown) => void

/** Hands a callback to `start`, and waits for it no longer than `timeout` milliseconds. */
export function called (start: (callback: Callback) => unknown, timeout: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the store did not call back within ${timeout} ms`)), timeout)
    const callback: Callback = (error, answer) => {
      clearTimeout(timer)
      if (error) reject(error)
      else resolve(answer)
    }
    try {
      // a promise that is fulfilled says nothing yet: some stores call back after it
      Promise.resolve(start(callback)).catch((error: unknown) => callback(error ?? new Error('the store failed without a reason')))
    } catch (error) {
      callback(error)
    }
  })
}
