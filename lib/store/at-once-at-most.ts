// Runs tasks, no more than so many at the same time; the others wait in line.

/** Answers with a function that takes a task. No task throws. */
export function atOnceAtMost (limit: number): (task: () => Promise<void>) => void {
  const waiting: Array<() => Promise<void>> = []
  let running = 0

  async function run (task: () => Promise<void>): Promise<void> {
    running++
    await task()
    running--
    const next = waiting.shift()
    if (next !== undefined) run(next)
  }

  return (task) => {
    if (running < limit) run(task)
    else waiting.push(task)
  }
}
