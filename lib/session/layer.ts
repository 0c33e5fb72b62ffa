// What was changed and is not confirmed yet. Two layers lie over what the store
// holds: what a save has sent, and what was changed since. The newest layer that
// knows decides. decisions/layers.md says why.
import type { Token } from '../record/token.js'
import type { SessionLifetime } from '../../types/store.js'

/** What becomes of the session itself, from the least to the most. */
const identities = ['same', 'rotated', 'reauthenticated', 'regenerated', 'destroyed'] as const

export type Identity = typeof identities[number]

/** The keys of the layers below that remain: all, or these. */
export type Scope = 'all' | ReadonlySet<string>

const NO_KEYS: Scope = new Set()

export class Layer {
  identity: Identity = 'same'
  /** Whether the user has proved who they are. */
  isProven = false
  /** When the session began anew, or its user proved who they are; `null` when neither happened. */
  beganAt: number | null = null
  /** Whether that was at another time than the save's own. */
  isBackdated = false
  /** The token that the next save gives to the session, where it gives one. */
  token: Token | null = null
  /** The session's own lifetime, `null` for that of the options; `undefined` when it was left alone. */
  lifetime: SessionLifetime | null | undefined = undefined
  /** When the app asked for a renewal. */
  touchedAt: number | null = null
  scope: Scope = 'all'
  /** Keys with their encoded values; `null` for a key that was removed. */
  readonly written = new Map<string, string | null>()

  /** Whether nothing was changed. A token alone is no change: it is made when somebody asks for the id. */
  get isEmpty (): boolean {
    return this.identity === 'same' && this.scope === 'all' && this.written.size === 0 && this.lifetime === undefined && this.touchedAt === null
  }

  /** What this layer says of a key: its encoded value, `null` when it is removed or out of scope, `undefined` when it does not know. */
  lookUp (key: string): string | null | undefined {
    const written = this.written.get(key)
    if (written !== undefined) return written
    return isInScope(this.scope, key) ? undefined : null
  }

  clear (): void {
    this.keepOnly(NO_KEYS)
  }

  /** Leaves only these keys. */
  keepOnly (keys: Scope): void {
    this.scope = intersection(this.scope, keys)
    for (const key of this.written.keys()) {
      if (!isInScope(keys, key)) this.written.delete(key)
    }
  }

  beginAt (now: number): void {
    this.beganAt = now
    this.isBackdated = false
  }

  backdate (createdAt: number): void {
    this.beganAt = createdAt
    this.isBackdated = true
  }

  become (identity: Identity): void {
    if (identities.indexOf(identity) > identities.indexOf(this.identity)) this.identity = identity
  }

  /** Both layers in one, where this one lies below. */
  under (upper: Layer): Layer {
    this.keepOnly(upper.scope)
    for (const [key, encoded] of upper.written) this.written.set(key, encoded)
    this.isProven = upper.isProven || (this.isProven && upper.identity !== 'destroyed')
    this.become(upper.identity)
    if (upper.beganAt !== null) {
      this.beganAt = upper.beganAt
      this.isBackdated = upper.isBackdated
    }
    // what begins anew has an id of its own
    this.token = upper.token ?? (beginsAnew(upper) ? null : this.token)
    if (upper.lifetime !== undefined) this.lifetime = upper.lifetime
    this.touchedAt = upper.touchedAt ?? this.touchedAt
    return this
  }
}

/** Whether the layer puts a new session in the place of the one below. */
export function beginsAnew (layer: Layer | null): layer is Layer {
  return layer !== null && (layer.identity === 'regenerated' || layer.identity === 'destroyed')
}

export function isInScope (scope: Scope, key: string): boolean {
  return scope === 'all' || scope.has(key)
}

function intersection (one: Scope, other: Scope): Scope {
  if (one === 'all') return other
  if (other === 'all') return one
  return new Set([...one].filter((key) => other.has(key)))
}
