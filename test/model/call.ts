// One store call on its way: applied when the scheduler says so, answered later
// still, or never.
import type { Visit } from './history.js'
import type { Fate } from './schedule.js'

/** Something that can happen next. */
export interface Task {
  readonly visit: Visit
  readonly isResponse?: boolean
  run (fate: Fate): unknown
  /** The process died. */
  cancel (): void
}

interface Call {
  readonly visit: Visit
  /** Whether the client may send it twice. */
  readonly repeats: boolean
  /** Whether it may be applied after its caller was told that it failed. */
  readonly appliesLate: boolean
  add (task: Task): void
  /** Applies it at the store. */
  run (): unknown
  /** The caller is about to be told that it failed. */
  failed (): void
}

/** What the caller waits for. */
export function pendingCall ({ visit, repeats, appliesLate, add, run, failed }: Call): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const cancel = () => reject(new Error('the process died'))
    const later = (next: (fate: Fate) => unknown) => add({ visit, run: next, cancel })
    const answer = (value: unknown) => later(() => resolve(value))
    const fail = () => {
      failed()
      reject(new Error('the connection was lost'))
    }
    later(async (fate) => {
      if (fate === 'fails' || (fate === 'late' && !appliesLate)) return fail()
      if (fate === 'late') {
        fail()
        // it reaches the store all the same
        return add({ visit, run, cancel () {} })
      }
      try {
        const value = await run()
        if (fate === 'lost') return fail()
        if (fate !== 'twice' || !repeats) return answer(value)
        later(async () => answer(await run()))
      } catch (error) {
        later(() => reject(error))
      }
    })
  })
}
