// Runs schedules until one breaks a promise, and tells its story.
import fc from 'fast-check'
import type { Kit } from './kit.js'
import { faultsOf, storyOf, type Fault } from './oracle.js'
import { schedules, type Schedule } from './schedule.js'

export interface Budget {
  readonly milliseconds: number
  readonly seed: number
  /** A counterexample that an earlier run printed. */
  readonly path?: string
  /** Which faults count: all, where nothing is said. */
  readonly counts?: (fault: Fault, schedule: Schedule) => boolean
}

export interface Outcome {
  readonly runs: number
  readonly seed: number
  /** The shortest story that was found, with what it breaks; `null`: every promise held. */
  readonly failure: string | null
}

export async function explore (kit: Kit, { milliseconds, seed, path, counts = () => true }: Budget): Promise<Outcome> {
  let running: Promise<unknown> = Promise.resolve()
  const details = await fc.check(fc.asyncProperty(schedules, async (schedule) => {
    const run = kit.run(schedule)
    running = run
    const faults = faultsOf(await run).filter((fault) => counts(fault, schedule))
    if (faults.length > 0) throw new Error(faults.map(({ kind, text }) => `${kind}: ${text}`).join('\n'))
  }), { seed, ...(path !== undefined && { path }), numRuns: 1e9, interruptAfterTimeLimit: milliseconds, markInterruptAsFailure: false })
  // a run that the time limit interrupted
  await running
  if (!details.failed || details.counterexample === null) return { runs: details.numRuns, seed, failure: null }
  const world = await kit.run(details.counterexample[0])
  const faults = faultsOf(world).map(({ kind, text }) => `  ${kind}: ${text}`)
  const failure = `${storyOf(world.history)}\n\n${faults.join('\n')}\nseed ${seed}, path ${details.counterexamplePath}`
  return { runs: details.numRuns, seed, failure }
}
