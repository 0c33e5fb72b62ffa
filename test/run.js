// The one test command: checks, build, tests. Its last line counts them all, and
// its exit code is 0 only when nothing failed. Arguments go to tap.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findPrograms } from './needs.js'

const TAP_OUTPUT = '.tap/all.tap'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const totals = { passed: 0, failed: 0, skipped: 0 }

check('lint')
check('typecheck')
if (hasTypeTests()) check('test:types')
else skip('test:types', 'there is no *.tst.ts')
// the examples import the package by its own name, and that leads to dist/
if (check('build')) runTap(process.argv.slice(2))

const { passed, failed, skipped } = totals
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1

/** One of package.json's scripts, counted as one test. */
function check (script) {
  const ok = run('npm', ['run', '--silent', script])
  console.log(`${ok ? 'ok' : 'not ok'} - ${script}`)
  totals[ok ? 'passed' : 'failed']++
  return ok
}

function skip (script, reason) {
  console.log(`ok - ${script} # SKIP ${reason}`)
  totals.skipped++
}

function hasTypeTests () {
  return ['types', 'test'].some((folder) => readdirSync(folder, { recursive: true }).some((name) => name.endsWith('.tst.ts')))
}

function runTap (args) {
  mkdirSync('.tap', { recursive: true })
  rmSync(TAP_OUTPUT, { force: true })
  // raw TAP goes to the output file and to the screen; the reporter's own copy would be a second one
  const reporter = process.stdout.isTTY ? [] : ['--reporter=tap', '--reporter-file=.tap/reporter.tap']
  const ok = run('node_modules/.bin/tap', [`--output-file=${TAP_OUTPUT}`, ...reporter, ...args], findPrograms())
  const count = tapCounts()
  totals.passed += count('pass')
  totals.failed += count('fail')
  totals.skipped += count('skip') + count('todo')
  if (!ok && count('fail') === 0) {
    console.log('not ok - tap: no test failed, but it ended with an error, such as lines that no test covers')
    totals.failed++
  }
}

/** From the line that tap ends with: `# { total: 12, pass: 11, skip: 1 }`. */
function tapCounts () {
  const line = readTapOutput().split('\n').findLast((each) => each.startsWith('# { total:')) ?? ''
  return (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(line)?.[1] ?? 0)
}

function readTapOutput () {
  try {
    return readFileSync(TAP_OUTPUT, 'utf8')
  } catch {
    return ''
  }
}

function run (command, args, env = {}) {
  return spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status === 0
}
