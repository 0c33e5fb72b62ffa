// What can happen to the sessions of an owner, each as one process that may die between two steps at the store.
import { ownerNamed } from '../../lib/record/owner.js'
import { SessionEvents } from '../../lib/events.js'
import type { OwnerSettings } from '../../lib/owner-options.js'
import { SessionState } from '../../lib/session/session-state.js'
import { EndSignals } from '../../lib/store/end-signals.js'
import { loadSession } from '../../lib/store/load-session.js'
import { revokeOne, revokeOwned } from '../../lib/store/owned-sessions.js'
import { saveSession } from '../../lib/store/save-session.js'
import type { StoreContext } from '../../lib/store/store-context.js'
import type { Clock } from '../../types/options.js'
import type { SessionOwners } from '../../types/owners.js'
import type { SessionStore } from '../../types/store.js'
import { DEFAULT_LIFETIME } from '../fixtures/save-kit.js'

const quiet = { debug () {}, warn () {}, error () {} }

export type Limit = Pick<OwnerSettings, 'limit' | 'onLimit'>

/** A process of the app. */
export function processOn (store: SessionStore, clock: Clock, { limit, onLimit }: Limit): StoreContext {
  const signals = new EndSignals(store, {}, clock, quiet)
  const settings = { namespace: '', lifetime: DEFAULT_LIFETIME, maxSize: 10_000, clock, owner: { key: 'user', limit, onLimit }, encryption: null, signals }
  return { settings, store, owners: store.owners as SessionOwners, events: new SessionEvents(), onAmbiguousCookie: 'first' }
}

export const ownerName = (user: string): string => ownerNamed('', user)

/** A cookie that a browser has, and since when it counts for the promises. */
export interface Cookie { readonly token: string, readonly id: string }

/** What an actor left: a cookie, an error, or how many it ended. */
export interface Outcome { readonly cookie?: Cookie, readonly error?: string, readonly ended?: number }

export interface World {
  readonly context: StoreContext
  /** Logged in as ada before anything began. */
  readonly a: Cookie
  readonly b: Cookie
  /** A visitor's. */
  readonly v: Cookie
}

export type Actor = (world: World) => Promise<Outcome>

/** A request that came with the cookie, if it has one, and does this. */
export async function request ({ context }: Pick<World, 'context'>, cookie: Cookie | null, act: (state: SessionState) => void): Promise<Outcome> {
  const state = await loadSession(context, cookie === null ? [] : [{ token: cookie.token }], quiet)
  try {
    act(state)
    const result = await saveSession(context, state, quiet)
    const { stored } = state
    return result === 'send' && stored !== null ? { cookie: { token: stored.cookieToken, id: stored.id } } : {}
  } catch (error) {
    return { error: (error as { code: string }).code }
  }
}

function login (user: string) {
  return (state: SessionState) => {
    state.regenerate(new Set())
    state.set('user', user)
  }
}

export const actors = {
  login: (world) => request(world, null, login('ada')),
  loginOfVisitor: (world) => request(world, world.v, login('ada')),
  loginAgain: (world) => request(world, world.a, login('ada')),
  loginAsBob: (world) => request(world, world.a, login('bob')),
  keepAll: (world) => request(world, world.a, (state) => state.regenerate('all')),
  rotate: (world) => request(world, world.a, (state) => state.rotate()),
  stepUp: (world) => request(world, world.a, (state) => state.reauthenticate()),
  change: (world) => request(world, world.a, (state) => state.set('cart', 1)),
  use: (world) => request(world, world.a, (state) => state.touch()),
  logout: (world) => request(world, world.a, (state) => state.destroy()),
  clear: (world) => request(world, world.a, (state) => state.clear()),
  becomeAda: (world) => request(world, world.v, (state) => state.set('user', 'ada')),
  becomeBob: (world) => request(world, world.a, (state) => state.set('user', 'bob')),
  leave: (world) => request(world, world.a, (state) => { state.remove('user') }),
  async revoke ({ context, a }) {
    return { ended: Number(await revokeOne(context, a.id, ownerName('ada'), quiet)) }
  },
  async revokeAll ({ context }) {
    return { ended: await revokeOwned(context, context.owners as SessionOwners, ownerName('ada'), []) }
  },
  async revokeOthers ({ context, b }) {
    return { ended: await revokeOwned(context, context.owners as SessionOwners, ownerName('ada'), [b.id]) }
  }
} satisfies Record<string, Actor>

export type ActorName = keyof typeof actors
