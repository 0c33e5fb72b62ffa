// The core tests, without a browser, a server or a measurement of what is covered. Arguments go to tap.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { coreTests } from './chosen-tests.js'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

// a snippet of the README runs on what is built; on Windows npm is a script of the shell
const build = spawnSync('npm run --silent build', { stdio: 'inherit', shell: true })
const tests = ['--disable-coverage', ...process.argv.slice(2), ...coreTests()]
// a server that is not here is a failure of the whole run in CI, and none of this one
const env = { ...process.env, CI: '' }
process.exitCode = build.status || (spawnSync(process.execPath, ['node_modules/tap/dist/esm/run.mjs', ...tests], { stdio: 'inherit', env }).status ?? 1)
