/**
 * The conformance suite: everything a store can get wrong, for any store, any
 * author and any test runner.
 *
 * @packageDocumentation
 */
import { corruptRecordSuite } from './store-suite/corrupt-records.js'
import { changeSuite } from './store-suite/changes.js'
import { conditionSuite } from './store-suite/conditions.js'
import { deadlineSuite } from './store-suite/deadlines.js'
import { endingSuite } from './store-suite/ending.js'
import { ownerSuite } from './store-suite/owners.js'
import { parallelSuite } from './store-suite/parallel.js'
import { recordSuite } from './store-suite/records.js'
import { renewalSuite } from './store-suite/renewal.js'
import { wholeStoreSuite } from './store-suite/whole-store.js'
import { createSuiteContext, type StoreSuiteOptions, type SuiteContext } from './store-suite/context.js'

export type { StoreSuiteOptions } from './store-suite/context.js'

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
  recordSuite, changeSuite, conditionSuite, renewalSuite, endingSuite, deadlineSuite, parallelSuite, corruptRecordSuite, ownerSuite, wholeStoreSuite
]
