// What the chapters of the suite work with.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Awaitable, SessionChanges, SessionRecord, SessionStore } from '../../types/store.js'

/** What the suite needs to know of a store. */
export interface StoreSuiteOptions {
  /** Your runner's function: `test` of node:test or vitest, `t.test` of tap. */
  test: (title: string, run: () => Promise<void>) => unknown
  /**
   * Makes the store to be proven; called once for each test. The suite uses new ids throughout,
   * so the stores may share one database, and what else is in there does not matter.
   */
  createStore: () => Awaitable<SessionStore>
  /** Called with each store when its test is over. Default: the store's own `close()`. */
  disposeStore?: (store: SessionStore) => Awaitable<unknown>
  /** The time the store goes by, in milliseconds since the epoch. Default `Date.now`. */
  now?: () => number
  /** Lets this many milliseconds pass on the clock behind `now`. Default: waits for them, about five seconds in all. */
  advance?: (ms: number) => Awaitable<unknown>
  /**
   * Damages the record that is stored under this id, in every way you can think of, one for each list entry.
   * Default none: for a store whose records nobody else can reach.
   */
  damage?: ReadonlyArray<(store: SessionStore, id: string) => Awaitable<unknown>>
}

/** One test of one store. */
export interface SuiteContext {
  test (title: string, run: (store: SessionStore) => Promise<void>): void
  now (): number
  advance (ms: number): Promise<void>
  /** A record that lives for an hour, where nothing else is said. */
  record (parts?: Partial<SessionRecord>): SessionRecord
  readonly damage: NonNullable<StoreSuiteOptions['damage']>
}

export const HOUR = 3_600_000

export function createSuiteContext ({ test, createStore, disposeStore = close, now = Date.now, advance = wait, damage = [] }: StoreSuiteOptions): SuiteContext {
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
    advance: async (ms) => { await advance(ms) },
    record (parts = {}) {
      const createdAt = now()
      return {
        values: { user: '42', name: '"Ann"' },
        createdAt,
        expiresAt: createdAt + HOUR,
        absoluteExpiresAt: createdAt + 24 * HOUR,
        version: 0,
        generation: 0,
        owner: null,
        lifetime: null,
        ...parts
      }
    },
    damage
  }
}

/** An id as the core makes them: a SHA-256 in base64url. */
export function newId (): string {
  return randomBytes(32).toString('base64url')
}

/** Changes that set these keys, where nothing else is said. */
export function changing (set: Record<string, string>, more: Partial<SessionChanges> = {}): SessionChanges {
  return { clear: false, set, remove: [], ...more }
}

/** Compares as plain data: whether a store hands out frozen objects is its own affair. */
export function same (found: SessionRecord | null, expected: SessionRecord): void {
  assert.deepEqual(plain(found), plain(expected))
}

function plain (record: SessionRecord | null): unknown {
  return record && { ...record, values: { ...record.values }, lifetime: record.lifetime && { ...record.lifetime } }
}

async function close (store: SessionStore): Promise<void> {
  await store.close?.()
}

function wait (ms: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, ms) })
}
