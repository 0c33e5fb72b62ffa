// The promises, as plain code: says of a history what it breaks. It shares
// nothing with the package, and foretells no outcome: it only knows what must hold.
import type { Fault } from './ask.js'
import { readFacts } from './facts.js'
import { told, type Event } from './history.js'
import { readClocks } from './lifetimes.js'
import { checkEndings } from './rules-of-endings.js'
import { checkResponses } from './rules-of-responses.js'
import { checkValues } from './rules-of-values.js'
import type { World } from './world.js'

export type { Fault } from './ask.js'

/** Every promise that this run broke. */
export function faultsOf ({ history, isStuck }: World): Fault[] {
  const facts = readFacts(history)
  const clocks = readClocks(facts)
  const faults = [...checkEndings(facts, clocks), ...checkValues(facts, clocks), ...checkResponses(facts, clocks)]
  if (isStuck) faults.push({ kind: 'hang', text: 'a request was never answered' })
  return faults
}

/** What happened, one line each. */
export function storyOf (history: readonly Event[]): string {
  return history.map(told).join('\n')
}
