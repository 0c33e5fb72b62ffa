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

// Making a story short takes time of its own, and only a failure takes it.
const SHRINK_MS = 15_000

export async function explore (kit: Kit, { milliseconds, seed, path, counts = () => true }: Budget): Promise<Outcome> {
  let running: Promise<unknown> = Promise.resolve()
  // what is made shorter must not turn into another fault
  let only: string | null = null
  let first = ''
  const property = fc.asyncProperty(schedules, async (schedule) => {
    const run = kit.run(schedule)
    running = run
    const faults = faultsOf(await run).filter((fault) => counts(fault, schedule) && (only === null || fault.kind === only))
    first = faults[0]?.kind ?? ''
    if (faults.length > 0) throw new Error(faults.map(({ kind, text }) => `${kind}: ${text}`).join('\n'))
  })

  async function check (given: fc.Parameters<[Schedule]>): Promise<fc.RunDetails<[Schedule]>> {
    const details = await fc.check(property, { seed, numRuns: 1e9, markInterruptAsFailure: false, ...given })
    // the time limit may have left one under way
    await running
    return details
  }

  const found = await check({ ...(path !== undefined && { path }), interruptAfterTimeLimit: milliseconds, endOnFailure: true })
  const { counterexamplePath, numRuns: runs } = found
  if (!found.failed || counterexamplePath === null) return { runs, seed, failure: null }
  only = first
  const shrunk = await check({ path: counterexamplePath, interruptAfterTimeLimit: SHRINK_MS })
  const shortest = shrunk.counterexample === null ? found : shrunk
  const { history, faults } = await retell(shortest.counterexample![0])
  return { runs, seed, failure: `${history}\n\n${faults}\nseed ${seed}, path ${shortest.counterexamplePath}` }

  async function retell (schedule: Schedule): Promise<{ history: string, faults: string }> {
    const world = await kit.run(schedule)
    return { history: storyOf(world.history), faults: faultsOf(world).map(({ kind, text }) => `  ${kind}: ${text}`).join('\n') }
  }
}
