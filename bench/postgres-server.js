// A PostgreSQL of the bench's own, with the settings it comes with: what it confirms is on the disk.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findProgram } from '../test/needs.js'

/** The server, or `null` where there is no program for it. */
export async function startPostgres () {
  const program = findProgram('postgres')
  if (program === null) return null
  const directory = await mkdtemp(join(tmpdir(), 'keep-bench-'))
  const user = unprivileged()
  if (user !== null) await chown(directory, user.uid, user.gid)
  await chmod(directory, 0o700)
  const options = { ...user, cwd: directory }
  const data = join(directory, 'data')
  const { status, stderr } = spawnSync(join(dirname(program), 'initdb'), ['--pgdata', data, '--username', 'keep', '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C'], { ...options, encoding: 'utf8' })
  if (status !== 0) throw new Error(`initdb failed: ${stderr}`)
  const server = spawn(program, ['-D', data, '-h', '', '-k', directory], { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  while (!/ready to accept connections/.test(output)) output += String((await once(server.stderr, 'data'))[0])
  server.stderr.resume()
  return {
    /** On a unix socket. */
    url: `postgres://keep@/postgres?host=${encodeURIComponent(directory)}`,
    async stop () {
      server.kill('SIGINT')
      await once(server, 'exit')
      await rm(directory, { recursive: true, force: true })
    }
  }
}

/** PostgreSQL refuses to run as root. */
function unprivileged () {
  if (process.getuid?.() !== 0) return null
  const idOf = (flag) => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout)
  return { uid: idOf('-u'), gid: idOf('-g') }
}
