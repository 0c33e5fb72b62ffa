// What the chapters of the suite work with.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Awaitable, EarlierVerifier, EndedSession, SessionChanges, SessionRecord, SessionRenewal, SessionStore } from '../../types/store.js'

/** What the suite needs to know of a store. */
export interface StoreSuiteOptions {
  /** Your runner's function: `test` of node:test or vitest, `t.test` of tap. */
  test: (title: string, run: () => Promise<void>) => unknown
  /**
   * Makes the store to be proven; called once for each test. The suite uses new ids throughout,
   * so the stores may share one database, and what else is in there does not matter.
   */
  createStore: () => Awaitable<SessionStore>
  /** Called with each store after its test. Default: the store's own `close()`. */
  disposeStore?: (store: SessionStore) => Awaitable<unknown>
  /** The time the store goes by, in milliseconds since the epoch. Default `Date.now`. */
  now?: () => number
  /** Lets this many milliseconds pass on the clock behind `now`. Default: waits for them, about three seconds in all. */
  advance?: (ms: number) => Awaitable<unknown>
  /**
   * Damages the record that is stored under this id, in every way you can think of, one for each list entry.
   * Default none: for a store whose records nobody else can reach.
   */
  damage?: ReadonlyArray<(store: SessionStore, id: string) => Awaitable<unknown>>
  /** True for a store that has `owners`, which are proven, too. Default `false`. */
  owners?: boolean
}

/** One test of one store. */
export interface SuiteContext {
  test (title: string, run: (store: SessionStore) => Promise<void>): void
  now (): number
  advance (ms: number): Promise<void>
  /** Whether the clock is one that tests move. */
  readonly isClockMoved: boolean
  /** A record that lives for an hour, where nothing else is said. */
  record (parts?: Partial<SessionRecord>): SessionRecord
  readonly damage: NonNullable<StoreSuiteOptions['damage']>
  readonly owners: boolean
}

export const SECOND = 1000
export const HOUR = 3_600_000

export function createSuiteContext ({ test, createStore, disposeStore = close, now = Date.now, advance, damage = [], owners = false }: StoreSuiteOptions): SuiteContext {
  return {
    test (title, run) {
      test(title, async () => {
        const store = await createStore()
        try {
          await run(store)
        } finally {
          await disposeStore(store)
        }
      })
    },
    now,
    advance: async (ms) => { await (advance ?? wait)(ms) },
    isClockMoved: advance !== undefined,
    record (parts = {}) {
      const createdAt = now()
      return {
        values: { user: '42', name: '"Ann"' },
        createdAt,
        expiresAt: createdAt + HOUR,
        absoluteExpiresAt: createdAt + 24 * HOUR,
        version: 0,
        owner: null,
        about: null,
        lifetime: null,
        verifier: newId(),
        earlier: [],
        generation: 0,
        shown: true,
        ...parts
      }
    },
    damage,
    owners
  }
}

/** An id as the core makes them: 18 random bytes in base64url. */
export function newId (): string {
  return randomBytes(18).toString('base64url')
}

/** As many as a record may have, in either kind. */
export function sixteenEarlier (): EarlierVerifier[] {
  return Array.from({ length: 16 }, (_, index) => ({ verifier: `${newId()}${newId()}`.slice(0, 43), until: index * 1_767_225_600_000, opens: index % 2 === 0 }))
}

/** Changes that set these keys, where nothing else is said. */
export function changing (set: Record<string, string>, more: Partial<SessionChanges> = {}): SessionChanges {
  return { clear: false, set, remove: [], ...more }
}

/** A renewal of this record, where nothing else is said to this deadline. */
export function renewing ({ lifetime, absoluteExpiresAt }: SessionRecord, renewTo: number, more: Partial<SessionRenewal> = {}): SessionRenewal {
  return { renewTo, atMost: renewTo, tolerance: 0, ifLifetime: lifetime, ifAbsoluteExpiresAt: absoluteExpiresAt, ...more }
}

/** The record that is there. */
export async function recordAt (store: SessionStore, id: string): Promise<SessionRecord> {
  const found = await store.read(id)
  assert.ok(found !== null && !('endedAt' in found), `there is no record but ${JSON.stringify(found)}`)
  return found
}

/** Asserts that the session has ended: a mark at most is left of it. */
export async function assertEnded (store: SessionStore, id: string): Promise<void> {
  const found = await store.read(id)
  assert.ok(found === null || 'endedAt' in found, 'a record is there')
}

/** Compares as plain data: a store may hand out frozen objects or others. */
export function same (found: SessionRecord | EndedSession | null, expected: SessionRecord): void {
  assert.deepEqual(plain(found), plain(expected))
}

function plain (found: SessionRecord | EndedSession | null): unknown {
  if (found === null || 'endedAt' in found) return found
  return { ...found, values: { ...found.values }, lifetime: found.lifetime && { ...found.lifetime }, earlier: found.earlier.map((each) => ({ ...each })) }
}

async function close (store: SessionStore): Promise<void> {
  await store.close?.()
}

/** By the time of day a timer may end a millisecond early: https://github.com/nodejs/node/issues/26578 */
function wait (ms: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, ms + 2) })
}
