// Who goes first when there is no room: what has expired, then visitors, then
// those who have logged in; among equals those who expire soonest. A flood of
// visitors must not log anybody out.
import { ExpiryQueue, type Expiring } from './expiry-queue.js'

/** Something that can be evicted; `queue` is the one it waits in. */
export interface Evictable extends Expiring {
  queue: ExpiryQueue<this>
}

export class EvictionOrder<E extends Evictable> {
  readonly visitors = new ExpiryQueue<E>()
  readonly users = new ExpiryQueue<E>()

  /** The queue for a session of this generation. */
  queueFor (generation: number): ExpiryQueue<E> {
    return generation > 0 ? this.users : this.visitors
  }

  /** Who expires soonest of all. */
  get soonest (): E | undefined {
    const { visitors: { soonest: visitor }, users: { soonest: user } } = this
    if (visitor === undefined || user === undefined) return visitor ?? user
    return user.expiresAt < visitor.expiresAt ? user : visitor
  }

  /** Who goes first at this time. */
  first (now: number): E | undefined {
    const { soonest } = this
    return soonest !== undefined && soonest.expiresAt <= now ? soonest : this.visitors.soonest ?? soonest
  }
}
