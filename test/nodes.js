// The tests on every line of Node.js that the package runs on. The versions come
// as npm packages and stay in .nodes/; arguments name some of them, such as 22.
// With --core only those that need neither a browser nor a server.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { delimiter, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { coreTests, testsOfNode } from './chosen-tests.js'
import { countsOf, runTap } from './run-tap.js'

/** The oldest that `engines` lets in, and the newest of each line after it. */
const VERSIONS = ['20.19.0', '22', '24', '26']

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const named = process.argv.slice(2).filter((arg) => arg !== '--core')
const versions = named.length > 0 ? named : VERSIONS
const tests = process.argv.includes('--core') ? coreTests() : testsOfNode()
const totals = { passed: 0, failed: 0, skipped: 0 }

for (const version of versions) {
  const started = performance.now()
  const counts = testOn(version)
  for (const [name, count] of Object.entries(counts)) totals[name] += count
  const seconds = Math.round((performance.now() - started) / 1000)
  console.log(`${counts.failed === 0 ? 'ok' : 'not ok'} - Node.js ${version}: ${countsOf(counts)} in ${seconds} s`)
}
console.log(countsOf(totals))
process.exitCode = totals.failed === 0 ? 0 : 1

function testOn (version) {
  const node = findNode(version)
  if (node === null) {
    console.log(`Node.js ${version} cannot be had for ${process.platform} on ${process.arch}`)
    return process.env.CI === 'true' ? { passed: 0, failed: 1, skipped: 0 } : { passed: 0, failed: 0, skipped: 1 }
  }
  // programs that a test starts by name, such as npm, run on it too
  const env = { PATH: dirname(node) + delimiter + process.env.PATH, KEEP_NO_TYPE_CHECK: 'true', KEEP_BETTER_SQLITE3: findBetterSqlite3(version, node) }
  return runTap(['--disable-coverage', ...tests], { node, env, quiet: true })
}

/** The path of its program, or `null` when npm does not have it. */
function findNode (version) {
  const name = `node-${process.platform}-${process.arch}`
  const folder = `.nodes/${version}`
  const program = resolve(folder, 'node_modules', name, 'bin/node')
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true })
    install(folder, `${name}@${version}`)
  }
  return spawnSync(program, ['--version']).status === 0 ? program : null
}

/** The folder of the driver for this line, or an empty text: it needs Node.js 22, so it is no dependency of ours. */
function findBetterSqlite3 (version, node) {
  if (version.startsWith('20')) return ''
  const folder = resolve(`.nodes/${version}/better-sqlite3`)
  const driver = resolve(folder, 'node_modules/better-sqlite3')
  if (!existsSync(driver)) {
    mkdirSync(folder, { recursive: true })
    install(folder, 'better-sqlite3@13', { PATH: dirname(node) + delimiter + process.env.PATH })
  }
  return spawnSync(node, ['-e', `new (require(${JSON.stringify(driver)}))(':memory:')`]).status === 0 ? driver : ''
}

function install (folder, name, env = {}) {
  spawnSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', folder, name], { stdio: 'inherit', env: { ...process.env, ...env } })
}
