// The options that list sessions by their owners, checked.
import cluster from 'node:cluster'
import type { SessionOptions } from '../types/options.js'
import type { SessionStore } from '../types/store.js'

/** How sessions are listed by their owners. */
export interface OwnerSettings {
  /** The value under it says whose session it is. */
  readonly key: string
  /** How many live sessions an owner may have; `null` for any number. */
  readonly limit: number | null
  readonly onLimit: 'end-oldest' | 'refuse'
}

/** Throws the caller's error for one option. */
type RefuseOption = (option: string, value: unknown, fix: string) => never

/** The settings; `null` where sessions are not listed. */
export function ownerOptions ({ ownerKey, maxPerOwner, onLimit, describe }: SessionOptions, { owners, atomicAcross }: SessionStore, refuse: RefuseOption): OwnerSettings | null {
  if (ownerKey === undefined) {
    for (const [option, value] of Object.entries({ maxPerOwner, onLimit, describe })) {
      if (value !== undefined) refuse(option, value, "it needs ownerKey, such as 'userId'")
    }
    return null
  }
  if (typeof ownerKey !== 'string') refuse('ownerKey', ownerKey, "give the key that says whose session it is, such as 'userId'")
  if (maxPerOwner !== undefined && !(Number.isSafeInteger(maxPerOwner) && maxPerOwner > 0)) refuse('maxPerOwner', maxPerOwner, 'give a whole number above 0, or leave it out')
  if (onLimit !== undefined && onLimit !== 'end-oldest' && onLimit !== 'refuse') refuse('onLimit', onLimit, "give 'end-oldest' or 'refuse'")
  if (onLimit !== undefined && maxPerOwner === undefined) refuse('onLimit', onLimit, 'it needs maxPerOwner')
  if (!hasOwners(owners)) refuse('ownerKey', ownerKey, 'this store cannot list sessions by owner, for it has no owners; every store of this package can but one made for express-session')
  if (atomicAcross === 'process' && cluster.isWorker) refuse('ownerKey', ownerKey, "this is a cluster worker, and the store knows a user's sessions in its own process only, so that revokeAll and maxPerOwner would miss the others; use a store that processes share, such as SqliteStore on one machine, PostgresStore or RedisStore")
  return Object.freeze({ key: ownerKey, limit: maxPerOwner ?? null, onLimit: onLimit ?? 'end-oldest' })
}

function hasOwners (owners: unknown): boolean {
  if (typeof owners !== 'object' || owners === null) return false
  return ['add', 'renew', 'mark', 'remove', 'list'].every((name) => typeof (owners as Record<string, unknown>)[name] === 'function')
}
