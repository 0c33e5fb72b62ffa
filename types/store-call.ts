/** A function of a store, as the contract names it; `owners.` in front of those of its lists of owners. */
export type StoreFunctionName = 'read' | 'create' | 'update' | 'touch' | 'destroy' | 'ids' | 'owners.add' | 'owners.renew' | 'owners.mark' | 'owners.remove' | 'owners.list'

/**
 * What became of a call of the store. By its answer: `'done'`; `'missing'`, there is no such session; `'ended'`, it has ended within the last minute;
 * `'corrupt'`, what is stored is no record; `'taken'`, so is the id; `'conflict'`, another request was faster; `'stale'`, the lifetime is another one;
 * `'too-large'`, beyond `maxSize`. `'refused'`: the owner has too many sessions, or one step has more keys than the store takes.
 * And without a usable answer: `'timeout'`, none within `storeTimeout`; `'error'`, it failed, or answered with nonsense.
 */
export type StoreCallOutcome = 'done' | 'missing' | 'ended' | 'corrupt' | 'taken' | 'conflict' | 'stale' | 'too-large' | 'refused' | 'timeout' | 'error'

/**
 * What subscribers of `tracingChannel('fastify-keep:store')` are told: one object for each call of the store, filled in as the call goes on.
 * It holds nothing of the session but its public id, and no owner.
 */
export interface StoreCallMessage {
  /** Which function of the store is called. */
  readonly function: StoreFunctionName
  /** The session's property: `'session'`, or what the option `property` says. */
  readonly property: string
  /** The public handle; `null` for a call that is not about one session. */
  readonly sessionId: string | null
  /** What became of the call; `undefined` until the store has answered, or has not in time. */
  outcome?: StoreCallOutcome
  /** How long that took, in milliseconds; `undefined` until then. */
  duration?: number
  /** What a call that failed is answered with: a `StoreError`, a `StoreTimeoutError` or a `TooManyKeysError`. */
  error?: Error
}
