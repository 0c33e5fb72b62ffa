// What was thrown or rejected, as something that a callback takes for a failure.

/** `throw null` and `reject()` are failures too; handed to a callback as they are, they would mean success. */
export function thrownError (reason: unknown): Error {
  return (reason || new Error('something failed without saying why')) as Error
}
