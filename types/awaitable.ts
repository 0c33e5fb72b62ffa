/** A value, or a promise of it: a store may answer either way. */
export type Awaitable<T> = T | Promise<T>
