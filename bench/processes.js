// Starts the processes of the bench and talks with them: servers on the first
// core, the load on the second, where the system can be told so.
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0

/** How the processes are kept apart, in words. */
export const placement = canPin ? 'server and load pinned to a core each' : 'server and load not pinned'

/** A server of a variant, ready to be asked. */
export async function startServer (file, { args = [], execArgv = [] } = {}) {
  const child = start(file, 0, args, execArgv)
  const { port } = await reply(child)
  return {
    port,
    /** CPU time in microseconds, and bytes held, since the start. */
    usage: () => ask(child, 'usage'),
    /** The same after a full garbage collection; needs `--expose-gc`. */
    memory: () => ask(child, 'memory'),
    /** Lets it begin the sessions that are to live in its store. */
    fill: () => ask(child, 'fill'),
    stop: () => stop(child)
  }
}

/** The process that makes the load. */
export function startLoad () {
  const child = start(new URL('load.js', import.meta.url), 1, [], [])
  const call = async (message) => {
    const { answer, error } = await ask(child, message)
    if (error !== undefined) throw new Error(error)
    return answer
  }
  return {
    open: (details) => call({ action: 'open', ...details }),
    run: (details) => call({ action: 'run', ...details }),
    close: () => call({ action: 'close' }),
    stop: () => stop(child)
  }
}

/** Runs a file in a process of its own and returns what it sends. */
export async function runAlone (file, args, execArgv) {
  const child = start(file, 0, args, execArgv)
  const answer = await reply(child)
  await stop(child)
  return answer
}

function start (file, core, args, execArgv) {
  const pinned = canPin
    ? { execPath: 'taskset', execArgv: ['-c', String(core), process.execPath, ...execArgv] }
    : { execArgv }
  return fork(file, args, pinned)
}

function ask (child, message) {
  child.send(message)
  return reply(child)
}

function reply (child) {
  return new Promise((resolve, reject) => {
    const ended = (code) => reject(new Error(`${child.spawnargs.at(-1)} ended with ${code}`))
    child.once('exit', ended)
    child.once('message', (message) => {
      child.off('exit', ended)
      resolve(message)
    })
  })
}

async function stop (child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.disconnect()
  await once(child, 'exit')
}
