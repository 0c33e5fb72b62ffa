// Where the microseconds go: `node bench/profile.js read` profiles this package
// (or the variant named second) on one case, by function and by what it is for.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cases } from './cases.js'
import { startLoad, startServer } from './processes.js'
import { variants } from './variants.js'

/** What our files and what they call are for; the first that matches. */
const purposes = [
  ['hashing the token', /internal\/crypto|lib\/record\/(token|standing)\.js|getCachedHashId/],
  ['finding the token in the cookies, checking its shape', /lib\/http\/read-tokens\.js|RegExp: \^\[\\w-\]\{64\}/],
  ['the store and its time limit', /lib\/(stores\/|store\/bounded-store|awaitable|record\/(apply-changes|renewal))/],
  ['checking the record and its deadlines', /lib\/(record\/record|store\/(load|prepare|choose)|session\/deadlines|events)/],
  ['decoding and encoding values, finding changes', /lib\/(record\/[\w-]+|session\/(session-values|layers?|live-objects))\.js/],
  ['the session as the app sees it, its state', /lib\/(session\/|http\/(request-session|sessions)\.js)/],
  ['the two hooks', / dist\/index\.js|lib\/http\/finish-hook/],
  ['deciding and doing the save', /lib\/(store\/|http\/(session-response|response-cookie))/],
  ['Cache-Control and Vary', /lib\/http\/cache-headers\.js/],
  ['garbage collection', /\(garbage collector\)/],
  ['waiting', /\(idle\)/]
]

/** What remains: the work that there is without a session, and what the session adds to it. */
const OTHER = 'Node, Fastify and @fastify/cookie'

const [caseName = 'read', variantName = 'keep', lines = '45'] = process.argv.slice(2)

const load = startLoad()
const { requests, functions, groups } = await profileCase(load, variants.find(({ name }) => name === variantName), cases.find(({ name }) => name === caseName), 5)
await load.stop()

console.log(`${caseName}, ${variantName}: ${requests} requests; self time in microseconds per request`)
show(functions, Number(lines))
console.log('by what it is for')
show(groups)

function show (times, most = Infinity) {
  const sorted = Object.entries(times).sort(([, a], [, b]) => b - a)
  for (const [at, time] of sorted.slice(0, most)) console.log(time.toFixed(3).padStart(8), at)
}

/** `{ requests, functions, groups }`: microseconds per request, by the profiler's reckoning. */
async function profileCase (load, { file, args }, { method, path, seed, clients }, seconds) {
  const directory = await mkdtemp(join(tmpdir(), 'bench-profile-'))
  const server = await startServer(file, { args, execArgv: ['--cpu-prof', `--cpu-prof-dir=${directory}`, '--cpu-prof-interval=200'] })
  await load.open({ port: server.port, count: clients, seed })
  const { requests } = await load.run({ method, path, seconds })
  await load.close()
  await server.stop()
  const [name] = await readdir(directory)
  const functions = selfTimes(JSON.parse(await readFile(join(directory, name), 'utf8')), requests)
  await rm(directory, { recursive: true })
  return { requests, functions, groups: summed(functions) }
}

function selfTimes ({ nodes, samples, timeDeltas }, requests) {
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]))
  const self = {}
  samples.forEach((id, index) => {
    const { functionName, url, lineNumber } = byId.get(id)
    const at = `${functionName || '(anonymous)'} ${url.replace(/^.*?\/(node_modules|dist|bench)\//, '$1/')}:${lineNumber + 1}`
    self[at] = (self[at] ?? 0) + timeDeltas[index] / requests
  })
  return self
}

function summed (functions) {
  const sums = Object.fromEntries([...purposes.map(([name]) => [name, 0]), [OTHER, 0]])
  for (const [at, time] of Object.entries(functions)) {
    sums[purposes.find(([, pattern]) => pattern.test(at))?.[0] ?? OTHER] += time
  }
  return sums
}
