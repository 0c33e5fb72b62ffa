/** A value, or a promise of it: a store may answer either way. */
export type Awaitable<T> = T | Promise<T>

/** How long one session lives, where it differs from the options. Milliseconds. */
export interface SessionLifetime {
  /** From the last use. */
  readonly idle: number
  /** From `from` or, where that is left out, from `createdAt`, whatever the use. */
  readonly absolute: number
  /** True when the cookie outlives the browser's own session. */
  readonly persistent: boolean
  /** Since when `absolute` counts, for a session whose `createdAt` is unknown; milliseconds since the epoch. */
  readonly from?: number
}

/**
 * A session as a store keeps it: plain data that survives `JSON.stringify`.
 * Times are milliseconds since the epoch.
 */
export interface SessionRecord {
  /** Key to encoded value. Values are well-formed Unicode; any string is a key, `__proto__` and the empty string too: read with `Object.hasOwn`. */
  readonly values: Readonly<Record<string, string>>
  /** When the session began: at its first save, or at the last `regenerate`; 0 where another library began it. */
  readonly createdAt: number
  /** From then on the record is as good as gone. Never later than `absoluteExpiresAt`. */
  readonly expiresAt: number
  /** The deadline that no activity moves. */
  readonly absoluteExpiresAt: number
  /** Counts the updates, from 0. */
  readonly version: number
  /**
   * How often the user of this session has proven who they are: 0 for a visitor, 1 after `regenerate()`, one more
   * after each step-up. A whole number. A store that is full can let visitors go before those who logged in.
   */
  readonly generation: number
  /** Whose session it is, for stores that list by owner; `null` when nobody claimed it. */
  readonly owner: string | null
  /** This session's own lifetime; `null` while the options hold. */
  readonly lifetime: SessionLifetime | null
}

/** One change of a record. A store applies it as a whole or not at all. */
export interface SessionChanges {
  /** True: drop every key first. */
  readonly clear: boolean
  /** Keys to write, with their encoded values. */
  readonly set: Readonly<Record<string, string>>
  /** Keys to drop. */
  readonly remove: readonly string[]
  /** The new deadline. Left out, it stays as it is; so do the next two. */
  readonly expiresAt?: number
  /** The new deadline that no activity moves. */
  readonly absoluteExpiresAt?: number
  /** The new lifetime; `null`: from now on the options hold. */
  readonly lifetime?: SessionLifetime | null
  /** Given: apply only if the record's version is this one, answer `'conflict'` otherwise. */
  readonly ifVersion?: number
  /**
   * Given: what the record may hold afterwards, in bytes of UTF-8 of its keys and values. Where it would hold
   * more, and more than it does now, write nothing and answer `'too-large'`. Checked after `ifVersion`.
   */
  readonly maxSize?: number
}

/** What became of an update. */
export type UpdateResult = 'done' | 'missing' | 'conflict' | 'too-large'

/**
 * A place where sessions live: six functions. Each may answer with a value or
 * with a promise. Absent is never an error, an error is the store's own
 * failure. A record whose `expiresAt` has come counts as absent everywhere.
 * Each function is one atomic step: no other call sees it half done.
 */
export interface SessionStore {
  /** The record, or `null`. What the caller does with it never reaches the store: hand out a copy or something frozen. */
  read (id: string): Awaitable<SessionRecord | null>
  /** Writes the record if the id is free; `false` when it is taken. */
  create (id: string, record: SessionRecord): Awaitable<boolean>
  /** Changes a record that is there, and adds 1 to its version. Writes nothing when it is missing or at another version. */
  update (id: string, changes: SessionChanges): Awaitable<UpdateResult>
  /** Moves the deadline of a record that is there, and nothing else; `false` when it is missing. */
  touch (id: string, expiresAt: number): Awaitable<boolean>
  /**
   * Writes the record under the new id and drops the old one, if the old one is
   * there and, where `ifVersion` is given, at that version; otherwise writes
   * nothing and answers `false`.
   */
  replace (oldId: string, newId: string, record: SessionRecord, ifVersion?: number): Awaitable<boolean>
  /**
   * Drops the record; quiet when there is none. Where `ifVersion` is given and
   * the record is at another version, drops nothing and answers `false`.
   */
  destroy (id: string, ifVersion?: number): Awaitable<boolean | void>
  /** Sessions held now. This and the next three are optional, for `app.sessions.stats()`. */
  readonly size?: number
  /** The memory they take. */
  readonly bytes?: number
  /** Sessions the store removed since the start because a deadline had come. */
  readonly expired?: number
  /** Sessions the store dropped before their time since the start. */
  readonly evicted?: number
  /**
   * Called once at registration, which waits for it, but no longer than
   * `storeTimeout`. Throw only what no waiting would mend, such as a server that
   * is too old: it stops the start. A server that is away is no reason.
   */
  open? (): Awaitable<void>
  /** Called when the app closes. Stops timers; leaves alone what the user made, such as a client. */
  close? (): Awaitable<void>
}
