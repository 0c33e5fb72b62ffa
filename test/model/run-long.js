// npm run test:model -- --minutes 30 [--store memory|express|sqlite|postgres|redis] [--seed n] [--path p] [--only kind]
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findProgram } from '../needs.js'

process.chdir(fileURLToPath(new URL('../..', import.meta.url)))

const { values: { minutes, seed, path, store, only } } = parseArgs({
  options: { minutes: { type: 'string', default: '30' }, seed: { type: 'string' }, path: { type: 'string' }, store: { type: 'string' }, only: { type: 'string' } }
})
const redis = findProgram('redis')
const postgres = findProgram('postgres')
const env = {
  ...process.env,
  MODEL_MINUTES: minutes,
  ...(seed !== undefined && { MODEL_SEED: seed }),
  ...(path !== undefined && { MODEL_PATH: path }),
  ...(only !== undefined && { MODEL_ONLY: only }),
  ...(store !== undefined && { MODEL_STORE: store }),
  ...(redis !== null && { KEEP_REDIS: redis }),
  ...(postgres !== null && { KEEP_POSTGRES: postgres })
}
const { status } = spawnSync(process.execPath, ['node_modules/.bin/tap', '--disable-coverage', '--timeout=0', '--reporter=tap', 'test/model/model.test.ts'], { stdio: 'inherit', env })
process.exitCode = status ?? 1
