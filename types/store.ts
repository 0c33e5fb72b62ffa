import type { Awaitable } from './awaitable.js'
import type { DestroyResult, EndCondition, EndedSession, EndListener } from './endings.js'
import type { SessionOwners } from './owners.js'

export type { Awaitable } from './awaitable.js'
export type { DestroyResult, EndCondition, EndedSession, EndListener, EndReason } from './endings.js'

/** How long one session lives, where it differs from the options. Milliseconds. */
export interface SessionLifetime {
  /** From the last use. */
  readonly idle: number
  /** From `createdAt`, whatever the use. */
  readonly absolute: number
  /** True when the cookie outlives the browser's own session. */
  readonly persistent: boolean
}

/** A verifier that was replaced by a newer one. */
export interface EarlierVerifier {
  /** The hash of the earlier token. */
  readonly verifier: string
  /** When its token stops opening the session; where `opens` is false, when it stopped. Milliseconds since the epoch. */
  readonly until: number
  /** Whether its token opens the session until then: true after a rotation, false after a step-up. */
  readonly opens: boolean
}

/**
 * A session as a store keeps it: plain data that survives `JSON.stringify`.
 * Times are milliseconds since the epoch.
 */
export interface SessionRecord {
  /** Key to encoded value. Values are well-formed Unicode; any string is a key, `__proto__` and the empty string too: read with `Object.hasOwn`. */
  readonly values: Readonly<Record<string, string>>
  /** When the session began, or when its user last proved who they are, by `regenerate` or `reauthenticated`; 0 where another library began it. */
  readonly createdAt: number
  /** From then on the record counts as absent. Never later than `absoluteExpiresAt`. */
  readonly expiresAt: number
  /** The deadline that no activity moves. */
  readonly absoluteExpiresAt: number
  /** Counts the updates, from 0. */
  readonly version: number
  /** Whose session it is, as `owners` of the store knows them; `null` when it has no owner. */
  readonly owner: string | null
  /** What the app said about the browser when the session got its owner, as JSON; `null` when it said nothing. */
  readonly about: string | null
  /** This session's own lifetime; `null` while the options hold. */
  readonly lifetime: SessionLifetime | null
  /** The hash of the token that opens the session. The token itself is never stored. */
  readonly verifier: string
  /** The verifiers before this one, newest first; at most sixteen. */
  readonly earlier: readonly EarlierVerifier[]
  /** How often the user has proved who they are: 0 for a visitor, 1 after a `regenerate`, one more after each `reauthenticated`. */
  readonly generation: number
  /** Whether a request has come with the token that `verifier` belongs to. */
  readonly shown: boolean
}

/**
 * A new idle deadline. It never undoes anything: `expiresAt` becomes
 * `max(expiresAt, renewTo)`, but `atMost` where it lies more than `tolerance`
 * beyond that, as after a clock was set back.
 */
export interface SessionRenewal {
  /** The deadline by the last use. Never later than `atMost`. */
  readonly renewTo: number
  /** The deadline if the session were used now. */
  readonly atMost: number
  /** How far beyond `atMost` a deadline may lie. */
  readonly tolerance: number
  /** Renew only while this is the record's lifetime. */
  readonly ifLifetime: SessionLifetime | null
  /** Renew only while this is the record's absolute deadline. */
  readonly ifAbsoluteExpiresAt: number
  /** Given: renew only while this is the record's owner, whose list has the new deadline already. */
  readonly ifOwner?: string | null
}

/** One change of a record. A store applies it as a whole or not at all; only `renewal` has a condition of its own. */
export interface SessionChanges {
  /** True: drop every key first. */
  readonly clear: boolean
  /** Keys to write, with their encoded values. */
  readonly set: Readonly<Record<string, string>>
  /** Keys to drop. */
  readonly remove: readonly string[]
  /** Given: apply only if the record's generation is this one. */
  readonly ifGeneration?: number
  /** Given: apply only if the record's verifier is this one. */
  readonly ifVerifier?: string
  /** Given: apply only if this is the record's lifetime. */
  readonly ifLifetime?: SessionLifetime | null
  /** Given: apply only if this is what the key holds now; `null`: the key is absent. */
  readonly ifValue?: {
    /** Any key. */
    readonly key: string
    /** The value as it is stored; `null`: the key is absent. */
    readonly encoded: string | null
  }
  /** Given: refuse a change after which the keys and values take more bytes than this in UTF-8, unless they took more before. */
  readonly maxSize?: number
  /** The renewal to apply with it. Where its own conditions do not hold it is left out, and the rest applies. */
  readonly renewal?: SessionRenewal
  /** The new `createdAt`. Left out, it stays as it is; so do the others below. */
  readonly createdAt?: number
  /** The new deadline. */
  readonly expiresAt?: number
  /** The new deadline that no activity moves. */
  readonly absoluteExpiresAt?: number
  /** The new lifetime; `null`: from now on the options hold. */
  readonly lifetime?: SessionLifetime | null
  /** The new owner; `null`: from now on it has none. */
  readonly owner?: string | null
  /** What the app says about the browser of the new owner. */
  readonly about?: string | null
  /**
   * The new verifier. Where the record has it already, this very change was applied before and is sent again:
   * `ifGeneration`, `ifVerifier` and `ifLifetime` do not count then, and `verifier`, `earlier`, `generation` and `shown` stay as they are.
   */
  readonly verifier?: string
  /** The new list of earlier verifiers. */
  readonly earlier?: readonly EarlierVerifier[]
  /** The new generation. */
  readonly generation?: number
  /** The new `shown`. */
  readonly shown?: boolean
}

/** What became of an update: `'missing'` without a record, `'conflict'` when a condition did not hold, `'too-large'` beyond `maxSize`. */
export type UpdateResult = 'done' | 'missing' | 'conflict' | 'too-large'

/** What became of a touch: `'stale'` when the record has another lifetime or absolute deadline than the renewal was computed for. */
export type TouchResult = 'done' | 'missing' | 'stale'

/**
 * A place where sessions live: five functions. Each may answer with a value or
 * with a promise. Absent is never an error, an error is the store's own
 * failure. A record whose `expiresAt` has come counts as absent everywhere, and
 * so does the mark of an ended session everywhere but in `read`.
 * Each function is one atomic step on one record: no other call sees it half done.
 */
export interface SessionStore {
  /** The record, the mark of a session that ended within the last minute, or `null`. What the caller does with it never reaches the store: hand out a copy or something frozen. */
  read (id: string): Awaitable<SessionRecord | EndedSession | null>
  /** Writes the record if the id is free; `false` when it is taken. A mark does not take an id. */
  create (id: string, record: SessionRecord): Awaitable<boolean>
  /** Changes a record that is there, and adds 1 to its version. Writes nothing when it is missing or a condition does not hold. */
  update (id: string, changes: SessionChanges): Awaitable<UpdateResult>
  /** Moves the idle deadline of a record that is there, and nothing else. */
  touch (id: string, renewal: SessionRenewal): Awaitable<TouchResult>
  /** Ends the session: drops the record and leaves a mark for a minute. */
  destroy (id: string, condition?: EndCondition): Awaitable<DestroyResult>
  /**
   * Optional: between whose calls each step is atomic. `'process'`: those of this process alone; others do not see its sessions, or may undo what it
   * wrote. `'machine'`: those of every process on this machine. `'cluster'`: those of every process on any machine. In a cluster worker a store of
   * `'process'` is warned about at the start, and refused with `ownerKey`. Left out, nothing is known, and nothing is said.
   */
  readonly atomicAcross?: 'process' | 'machine' | 'cluster'
  /**
   * Optional: whether what was confirmed is still there after a power cut. `false` where that is not known. Read at the start, once
   * `open()` has answered.
   */
  readonly durable?: boolean
  /** Sessions held now. This and the next three are optional, for `app.sessions.stats()`. */
  readonly size?: number
  /** The memory they take. */
  readonly bytes?: number
  /** Sessions the store removed since the start because a deadline had come. */
  readonly expired?: number
  /** Sessions the store dropped before their time since the start. */
  readonly evicted?: number
  /** Optional: lists the sessions of each owner. */
  readonly owners?: SessionOwners
  /**
   * Optional: the ids of all sessions, in slices, for `app.sessions.revokeAll()`. An id may come twice, and so may one that has ended; every
   * session is among them that lives the whole time.
   */
  ids? (): Iterable<readonly string[]> | AsyncIterable<readonly string[]>
  /**
   * Optional: from now on tells the listener of sessions that end, those that other processes end above all. Messages may come twice, late or never:
   * sessions that somebody listens to are read once a minute as well. Called when the first `session.signal` is asked for. Answers
   * once it listens; stops, and gives up trying to listen, when the signal is aborted.
   */
  onEnded? (listener: EndListener, signal: AbortSignal): Awaitable<void>
  /**
   * Called once at registration, which waits for it, but no longer than
   * `storeTimeout`. Throw only what no waiting would fix, such as a server that
   * is too old: it stops the start. A server that is away is no reason.
   */
  open? (): Awaitable<void>
  /** Called when the app closes. Stops timers; leaves alone what the user made, such as a client. */
  close? (): Awaitable<void>
}
