// What held sessions cost: memory per session, request time as they grow in
// number, and what happens when they all expire.
import { small } from './cases.js'
import { runAlone, startServer } from './processes.js'
import { measureCase } from './requests.js'

/** Bytes of keys and values in the session that is stored here. */
export const dataBytes = Object.entries(small).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(JSON.stringify(value)), 0)

/** Bytes per session, begun by real requests: `{ [sessions]: bytes }`. */
export async function measureMemory (load, { file }, sizes) {
  const server = await startServer(file, { execArgv: ['--expose-gc', '--max-old-space-size=8192'] })
  await load.open({ port: server.port, count: 32, seed: null })
  const begin = (requests) => load.run({ method: 'POST', path: '/seed/small', requests })
  await begin(1000)
  const { memory: before } = await server.memory()
  const found = {}
  let held = 0
  for (const size of sizes) {
    await begin(size - held)
    held = size
    const { memory } = await server.memory()
    found[size] = (memory - before) / size
  }
  await load.close()
  await server.stop()
  return found
}

/** CPU time per request while so many other sessions live: `{ [sessions]: figure }`. */
export function measureGrowth (load, benchCase, { file }, sizes, settings) {
  return measureCase(load, benchCase, sizes.map((size) => ({ name: String(size), file, args: [String(size)], isFilled: true })), settings)
}

/**
 * The longest stall, in milliseconds, and the cost per session, in microseconds,
 * when so many expire at once; and the stall without V8's helper threads, which
 * compete with everybody else for the processors.
 */
export async function measureExpiry (sessions) {
  const run = (...flags) => runAlone(new URL('stall.js', import.meta.url), [String(sessions)], ['--expose-gc', '--max-old-space-size=8192', ...flags])
  const usual = await run()
  const { longest: longestAlone } = await run('--single-threaded-gc')
  return { ...usual, longestAlone }
}
