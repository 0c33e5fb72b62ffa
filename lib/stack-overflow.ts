// A call stack that is used up says nothing about the data at hand: with less on
// the stack the same step works.

/** Whether V8 threw this because the stack is full; it throws a RangeError for other reasons, too. */
export function isStackOverflow (error: unknown): boolean {
  return error instanceof RangeError && error.message === 'Maximum call stack size exceeded'
}
