// Runs tap, and counts what it says.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { findPrograms } from './needs.js'

const TAP_OUTPUT = '.tap/all.tap'

/** On another Node.js, or quietly: then only what failed is shown. `missing` is what to do about programs that are not here. Answers with the counts. */
export function runTap (args, { node = process.execPath, env = {}, missing = 'install', quiet = false } = {}) {
  mkdirSync('.tap', { recursive: true })
  rmSync(TAP_OUTPUT, { force: true })
  // what .taprc says of plugins holds from the next start on
  spawnSync(node, ['node_modules/.bin/tap', 'build', '--disable-coverage'], { stdio: 'ignore' })
  // raw TAP goes to the output file and to the screen; the reporter's own copy would be a second one
  const reporter = process.stdout.isTTY && !quiet ? [] : ['--reporter=tap', '--reporter-file=.tap/reporter.tap']
  const { status, stdout, stderr } = spawnSync(node, ['node_modules/.bin/tap', `--output-file=${TAP_OUTPUT}`, ...reporter, ...args], {
    stdio: quiet ? 'pipe' : 'inherit',
    encoding: 'utf8',
    maxBuffer: Infinity,
    env: { ...process.env, ...findPrograms({ missing }), ...env }
  })
  if (quiet && status !== 0) console.log(failuresIn(readTapOutput()) || stdout + stderr)
  const counts = tapCounts()
  if (status !== 0 && counts.failed === 0) {
    console.log('not ok - tap: no test failed, but it ended with an error, such as lines that no test covers')
    counts.failed++
  }
  return counts
}

/** As the last line of a run has them. */
export function countsOf ({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/** From the line that tap ends with: `# { total: 12, pass: 11, skip: 1 }`. */
function tapCounts () {
  const line = readTapOutput().split('\n').findLast((each) => each.startsWith('# { total:')) ?? ''
  const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(line)?.[1] ?? 0)
  return { passed: count('pass'), failed: count('fail'), skipped: count('skip') + count('todo') }
}

/** Each failed assertion with its details, and the tests and files that it is in. */
function failuresIn (output) {
  const lines = output.split('\n')
  const starts = lines.flatMap((line, index) => /^ *not ok /.test(line) ? [index] : [])
  return starts.map((start) => {
    const [first = '', second = ''] = lines.slice(start)
    if (second.trim() !== '---') return first
    const end = lines.indexOf(second.replace('---', '...'), start)
    return lines.slice(start, end + 1).join('\n')
  }).join('\n')
}

function readTapOutput () {
  try {
    return readFileSync(TAP_OUTPUT, 'utf8')
  } catch {
    return ''
  }
}
