// What the chapters of the suite work with.
import { randomBytes } from 'node:crypto'
import type { SessionChanges, SessionRecord, SessionStore } from '../../types/store.js'
import type { StoreSuiteOptions } from '../store-suite.js'

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

async function close (store: SessionStore): Promise<void> {
  await store.close?.()
}

function wait (ms: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, ms) })
}
