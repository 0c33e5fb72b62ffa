// The one test command: checks, build, tests. Its last line counts them all, and
// its exit code is 0 only when nothing failed. With --no-install it installs nothing
// on the machine; other arguments go to tap.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { countsOf, runTap } from './run-tap.js'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const totals = { passed: 0, failed: 0, skipped: 0 }

check('lint')
check('typecheck')
if (hasTypeTests()) check('test:types')
else skip('test:types', 'there is no *.tst.ts')
// the examples import the package by its own name, and that leads to dist/
const args = process.argv.slice(2)
const missing = args.includes('--no-install') ? 'leave' : 'install'
if (check('build')) add(runTap(args.filter((arg) => arg !== '--no-install'), { missing }))

console.log(countsOf(totals))
process.exitCode = totals.failed === 0 ? 0 : 1

/** One of package.json's scripts, counted as one test. */
function check (script) {
  const ok = spawnSync('npm', ['run', '--silent', script], { stdio: 'inherit' }).status === 0
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
