// The programs that some tests need beside Node.js: looks for them and, where
// that is usual, installs them. In containers that is as root with apt-get.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

// Debian keeps a server's programs out of the PATH, by version
const postgresFolders = () => existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`) : []

/** By name: what for, the variable that names the program outright, the one that tells tests, its usual names and further folders, how it says its version, its Debian package. */
const programs = {
  chromium: {
    for: 'the example in a real browser',
    given: 'CHROMIUM',
    told: 'KEEP_CHROMIUM',
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'],
    debian: 'chromium'
  },
  redis: {
    for: 'the Redis store',
    given: 'REDIS_SERVER',
    told: 'KEEP_REDIS',
    names: ['redis-server', 'valkey-server'],
    debian: 'redis-server'
  },
  postgres: {
    for: 'stores made for express-session, and moving from them',
    given: 'POSTGRES_SERVER',
    told: 'KEEP_POSTGRES',
    names: ['postgres'],
    folders: postgresFolders,
    debian: 'postgresql'
  },
  nginx: {
    for: 'the app behind nginx, as docs/deploy.md has it',
    given: 'NGINX',
    told: 'KEEP_NGINX',
    names: ['nginx'],
    // not in the PATH of everybody
    folders: () => ['/usr/sbin'],
    version: '-v',
    debian: 'nginx'
  },
  caddy: {
    for: 'the app behind Caddy, as docs/deploy.md has it',
    given: 'CADDY',
    told: 'KEEP_CADDY',
    names: ['caddy'],
    version: 'version',
    debian: 'caddy'
  }
}

/** The program's path, or `null`. What a variable names is taken as it is, or not at all. */
export function findProgram (name) {
  const { given, told, names, folders: more = () => [], version = '--version' } = programs[name]
  // on Ubuntu chromium-browser may be a script that only says where to find the real one
  const runs = (path) => spawnSync(path, [version], { stdio: 'ignore' }).status === 0
  const named = process.env[told] || process.env[given]
  if (named) return runs(named) ? named : null
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...more()]
  const paths = names.flatMap((each) => folders.map((folder) => join(folder, each)))
  return paths.find((path) => existsSync(path) && runs(path)) ?? null
}

/** Why a test cannot run here, and the fix. */
export function whyMissing (name) {
  const { given, debian } = programs[name]
  return `no ${name} here: apt-get install ${debian}, or name one with ${given}=/path/to/it`
}

/**
 * Finds every program, and with `missing: 'install'` installs what is not here, as root with apt-get.
 * Answers with the environment variables that tell the tests where they are.
 */
export function findPrograms ({ missing: policy = 'leave' } = {}) {
  const names = Object.keys(programs)
  const missing = names.filter((name) => findProgram(name) === null && !process.env[programs[name].given])
  if (missing.length > 0) {
    for (const name of missing) console.log(`not here: ${name}, for ${programs[name].for}`)
    if (policy === 'leave' || !canInstall()) console.log('Tests that need it are skipped')
    else install(missing)
  }
  const found = names.map((name) => [programs[name].told, findProgram(name)])
  return Object.fromEntries(found.filter(([, path]) => path !== null))
}

// usual in containers, where nobody else uses the machine
function canInstall () {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')
}

function install (names) {
  const packages = names.map((name) => programs[name].debian)
  console.log(`Installing ${packages.join(', ')} on this machine, with apt-get; npm test -- --no-install leaves the machine alone and skips those tests`)
  aptGet('update')
  withoutServices(() => {
    for (const each of packages) aptGet('install', '-y', '--no-install-recommends', each)
  })
}

function aptGet (...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, stderr } = spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
  if (status !== 0) console.log(`apt-get ${args.join(' ')} failed: ${stderr.trim().split('\n').pop()}`)
}

/** A package that brings a service starts it, unless this file says no. */
function withoutServices (work) {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return work()
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    work()
  } finally {
    rmSync(policy)
  }
}
