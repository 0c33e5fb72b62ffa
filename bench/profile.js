// Where the microseconds go: `node bench/profile.js read` profiles this package
// (or the variant named second) on one case, by function and by what it is for.
import { cases } from './cases.js'
import { startLoad } from './processes.js'
import { profileCase } from './profile-case.js'
import { variants } from './variants.js'

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
