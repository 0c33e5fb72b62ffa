// What the parts that keep sessions safe, and seen, add to a request, in CPU time: the cross-site guard, `validate`, `noStore`, `encryption`, OpenTelemetry.
// `npm run build && node bench/safety.js` prints a table; `--rounds=9 --seconds=1` make it more exact, and names of parts choose those.
import { parseArgs } from 'node:util'
import { cases } from './cases.js'
import { startLoad } from './processes.js'
import { measureCase } from './requests.js'

const { values: { rounds, seconds }, positionals: chosen } = parseArgs({ allowPositionals: true, options: { rounds: { type: 'string', default: '7' }, seconds: { type: 'string', default: '0.7' } } })
const settings = { rounds: Number(rounds), seconds: Number(seconds), warmup: 20_000 }

const server = (part) => ({ name: part, file: new URL('servers/keep-with.js', import.meta.url), args: [part] })

/** A case, what stands for "off", and the parts that are on. */
const trials = [
  ['read', 'cross-site-off', ['everything', 'validate', 'validate-later']],
  ['write', 'cross-site-off', ['everything', 'validate']],
  ['read', 'guard', ['no-store']],
  ['read', 'everything', ['encrypted', 'metrics', 'metrics-and-spans']],
  ['write', 'everything', ['encrypted', 'metrics', 'metrics-and-spans']]
]

const isChosen = (part) => chosen.length === 0 || chosen.includes(part)

const load = startLoad()
const rows = []
for (const [name, off, parts] of trials) {
  const on = parts.filter(isChosen)
  if (on.length === 0) continue
  const figures = await measureCase(load, cases.find((each) => each.name === name), [off, ...on].map(server), settings)
  for (const part of [off, ...on]) {
    const { cpu, cpuSpread } = figures[part]
    rows.push({ case: name, part, 'µs per request': cpu.toFixed(2), more: (cpu - figures[off].cpu).toFixed(2), spread: `± ${(cpuSpread * 100).toFixed(1)} %` })
  }
}
await load.stop()
console.table(rows)
