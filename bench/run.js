// The bench: `npm run bench`. `--quick` proves in seconds that it still runs and
// judges nothing; `--stores` measures the stores alone, and prints the table
// for README.md; `--rounds=9 --seconds=2` make it more exact.
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { cases } from './cases.js'
import { describeMachine } from './machine.js'
import { drawPicture } from './picture.js'
import { startLoad } from './processes.js'
import { writeReport } from './report.js'
import { measureOnRedis } from './on-redis.js'
import { measureCase, verifyAll } from './requests.js'
import { dataBytes, measureExpiry, measureGrowth, measureMemory } from './sessions-held.js'
import { measureStores, storeTable } from './stores.js'
import { measureSteps } from './steps.js'
import { variants } from './variants.js'

const { values: { quick, stores, rounds, seconds } } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    stores: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '1' }
  }
})

const settings = quick
  ? { rounds: 1, seconds: 0.05, warmup: 50 }
  : { rounds: Number(rounds), seconds: Number(seconds), warmup: 20_000 }
const sizes = quick
  ? { memory: { most: [1000, 2000], keep: [1000, 2000] }, growth: [10, 1000], expiry: [1000] }
  : { memory: { most: [10_000, 100_000], keep: [10_000, 100_000, 1_000_000] }, growth: [10, 1000, 1_000_000], expiry: [10_000, 100_000, 1_000_000] }

const named = (name) => variants.find((variant) => variant.name === name)
const caseNamed = (name) => cases.find((each) => each.name === name)
const say = (line) => process.stderr.write(`${line}\n`)

if (stores) {
  const load = startLoad()
  // a store that waits for the disk would warm up for minutes
  console.log(storeTable(await measureStores(load, { ...settings, warmup: Math.min(settings.warmup, 10_000) })))
  await load.stop()
  process.exit()
}

say('verifying that every variant keeps sessions')
await verifyAll(variants)

const load = startLoad()
const figures = { machine: describeMachine(), settings, dataBytes, requests: {}, steps: {}, memory: {}, growth: {}, expiry: [] }

for (const each of cases) {
  say(each.title)
  figures.requests[each.name] = await measureCase(load, each, variants.filter(({ without }) => !without.includes(each.name)), settings)
}

say('read-only, step by step')
figures.steps = await measureSteps(load, settings)

for (const name of ['keep', 'fastify-session', 'express-session']) {
  say(`memory per session: ${name}`)
  figures.memory[name] = await measureMemory(load, named(name), name === 'keep' ? sizes.memory.keep : sizes.memory.most)
}

for (const name of ['read', 'write']) {
  say(`growth: ${name}`)
  figures.growth[name] = await measureGrowth(load, caseNamed(name), named('keep'), sizes.growth, { ...settings, rounds: Math.min(settings.rounds, 3) })
}

for (const size of sizes.expiry) {
  say(`expiry of ${size} sessions at once`)
  figures.expiry.push(await measureExpiry(size))
}

say('on Redis')
figures.redis = await measureOnRedis(load, settings, quick ? 200 : 20_000)

if (quick) {
  say('store beside store')
  storeTable(await measureStores(load, settings))
}

await load.stop()

if (quick) {
  // drawn, so that these cannot rot either, and thrown away
  drawPicture(figures)
  writeReport(figures)
  say('the bench runs')
} else {
  await writeFile(new URL('figures.json', import.meta.url), `${JSON.stringify(figures, null, 2)}\n`)
  await writeFile(new URL('picture.svg', import.meta.url), drawPicture(figures))
  await writeFile(new URL('README.md', import.meta.url), writeReport(figures))
}
