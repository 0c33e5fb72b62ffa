// What a history is read as: sessions, the operations on them, and requests.
import type { Deed, Event, View, Visit } from './history.js'

/** A session: a rotated one is the same, after regenerate() it is another. */
export interface Line {
  readonly name: string
  /** The one that regenerate() left, and what was to come along. */
  readonly parent: Line | null
  readonly keep: readonly string[] | 'all'
  readonly by: Visit
  readonly bornAt: number
  /** What a late request stores nothing of, unless it logs in or out. */
  readonly isLimbo: boolean
  readonly acts: Act[]
  readonly tokens: Token[]
}

export interface Token { readonly value: string, readonly at: number }

/** An operation, the session it concerns, and when it took effect. */
export interface Act {
  readonly visit: Visit
  readonly deed: Deed
  readonly line: Line
  /** When its request was sent. */
  readonly sentAt: number
  /** When it was called. */
  readonly at: number
  /** When the request knew that it was stored; Infinity: never. */
  confirmedAt: number
  fate: 'pending' | 'confirmed' | 'dropped' | 'unknown'
  /** The first and the last store call that can have applied it. */
  lo: number
  hi: number
  /** It leaves no session behind: destroy, regenerate, and a clear with nothing set after. */
  ends: boolean
}

/** A request, seen through its session. */
export interface Track {
  readonly visit: Visit
  readonly sentAt: number
  loadedAt: number
  answeredAt: number
  view: View | null
  /** The session its token belongs to, found or not. */
  readonly via: Line | null
  /** The session it works on. */
  line: Line | null
  /** The last session it knows to be stored. */
  stored: Line | null
  /** By step of the script: the session that it left the request with. */
  readonly lineAt: Map<number, Line | null>
  /** Its session or its token has ended: only a login or a logout acts. The package says so, the rules judge it. */
  isLate: boolean
  /** What puts another session, or an empty one, in the place of this one, and is pending. */
  replacing: Deed[]
  /** Saves under way: the first is at the store, the others wait for their turn. */
  readonly openSaves: Set<Deed>
  /** By save: the step before which it found everything pending when its turn came. */
  readonly turns: Map<Deed, number>
  readonly acts: Act[]
  readonly asked: number[]
  readonly applied: number[]
  readonly failed: number[]
}

export interface Facts {
  readonly history: readonly Event[]
  readonly tracks: readonly Track[]
  readonly lines: readonly Line[]
  lineOf (token: string | null): Line | null
}
