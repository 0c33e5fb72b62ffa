// Where the microseconds go: `node bench/profile.js read` profiles this package
// (or the variant named second) on one case and lists self time per function.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cases } from './cases.js'
import { startLoad, startServer } from './processes.js'
import { variants } from './variants.js'

const [caseName = 'read', variantName = 'keep', lines = '45'] = process.argv.slice(2)
const { method, path, seed, clients } = cases.find(({ name }) => name === caseName)
const { file } = variants.find(({ name }) => name === variantName)

const dir = await mkdtemp(join(tmpdir(), 'bench-profile-'))
const load = startLoad()
const server = await startServer(file, { execArgv: ['--cpu-prof', `--cpu-prof-dir=${dir}`, '--cpu-prof-interval=200'] })
await load.open({ port: server.port, count: clients, seed })
const { requests } = await load.run({ method, path, seconds: 5 })
await load.close()
await server.stop()
await load.stop()

const [name] = await readdir(dir)
report(JSON.parse(await readFile(join(dir, name), 'utf8')), requests)
await rm(dir, { recursive: true })

function report ({ nodes, samples, timeDeltas }, requests) {
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]))
  const self = new Map()
  samples.forEach((id, index) => {
    const { functionName, url, lineNumber } = byId.get(id)
    const at = `${functionName || '(anonymous)'} ${url.replace(/^.*\/(node_modules|dist|bench)\//, '$1/')}:${lineNumber + 1}`
    self.set(at, (self.get(at) ?? 0) + timeDeltas[index])
  })
  const sorted = [...self].sort(([, a], [, b]) => b - a)
  console.log(`${caseName}, ${variantName}: ${requests} requests; self time in microseconds per request`)
  for (const [at, time] of sorted.slice(0, Number(lines))) console.log((time / requests).toFixed(3).padStart(8), at)
}
