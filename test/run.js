// The one test command: checks, build, tests. Its last line counts them all, and
// its exit code is 0 only when nothing failed. With --no-install it installs nothing
// on the machine; other arguments go to tap.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { countsOf, runTap } from './run-tap.js'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const totals = { passed: 0, failed: 0, skipped: 0 }

// the examples import the package by its own name, and that leads to dist/
const building = check('build')
const checks = [building, check('lint'), check('typecheck')]
if (hasTypeTests()) checks.push(check('test:types'))
else skip('test:types', 'there is no *.tst.ts')
await Promise.all(checks)

const args = process.argv.slice(2)
const missing = args.includes('--no-install') ? 'leave' : 'install'
if (await building) add(runTap(args.filter((arg) => arg !== '--no-install'), { missing }))

console.log(countsOf(totals))
process.exitCode = totals.failed === 0 ? 0 : 1

/** One of package.json's scripts, counted as one test. What it says comes when it has ended, for others run beside it. */
async function check (script) {
  const child = spawn('npm', ['run', '--silent', script], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { output.push(chunk) })
  const [code] = await once(child, 'close')
  const ok = code === 0
  process.stdout.write(Buffer.concat(output))
  console.log(`${ok ? 'ok' : 'not ok'} - ${script}`)
  totals[ok ? 'passed' : 'failed']++
  return ok
}

function skip (script, reason) {
  console.log(`ok - ${script} # SKIP ${reason}`)
  totals.skipped++
}

function hasTypeTests () {
  return readdirSync('test/types', { recursive: true }).some((name) => name.endsWith('.tst.ts'))
}

function add (counts) {
  for (const [name, count] of Object.entries(counts)) totals[name] += count
}
