// The conformance suite: everything a store can get wrong, for any store, any
// author and any test runner.
import { brokenRecordSuite } from './store-suite/broken-records.js'
import { changeSuite } from './store-suite/changes.js'
import { deadlineSuite } from './store-suite/deadlines.js'
import { parallelSuite } from './store-suite/parallel.js'
import { recordSuite } from './store-suite/records.js'
import { replacementSuite } from './store-suite/replacement.js'
import { createSuiteContext, type SuiteContext } from './store-suite/context.js'
import type { Awaitable, SessionStore } from '../types/store.js'

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

/**
 * Proves section by section that a store keeps the contract of `SessionStore`:
 *
 * ```ts
 * import { test } from 'node:test'
 * import { storeSuite } from 'fastify-keep/store-suite'
 *
 * storeSuite({ test, createStore: () => new YourStore() })
 * ```
 */
export function storeSuite (options: StoreSuiteOptions): void {
  const context = createSuiteContext(options)
  for (const suite of suites) suite(context)
}

const suites: ReadonlyArray<(context: SuiteContext) => void> = [
  recordSuite, changeSuite, replacementSuite, deadlineSuite, parallelSuite, brokenRecordSuite
]
