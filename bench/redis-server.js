// A Redis of the bench's own on a unix socket, and what it says of itself.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { findProgram } from '../test/needs.js'

/** The server, or `null` where there is no program for it. */
export async function startRedis () {
  const program = findProgram('redis')
  if (program === null) return null
  const directory = await mkdtemp(join(tmpdir(), 'keep-bench-'))
  const socket = join(directory, 'redis.sock')
  const server = spawn(program, ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no', '--dir', directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  while (!/ready to accept connections/i.test(output)) output += String((await once(server.stdout, 'data'))[0])
  server.stdout.resume()
  const url = `unix://${socket}`
  const client = await createClient({ url }).connect()

  return {
    url,
    /** Counters since the start: round trips, bytes, memory, time per command. */
    async counters () {
      const info = await client.info('everything')
      const field = (name) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0)
      return {
        roundTrips: field('total_reads_processed'),
        received: field('total_net_input_bytes'),
        sent: field('total_net_output_bytes'),
        memory: field('used_memory'),
        microseconds: sum(info, /^cmdstat_(?:hgetall|evalsha|get|set|del|expire):calls=\d+,usec=(\d+)/gm)
      }
    },
    clear: () => client.flushAll(),
    async stop () {
      client.destroy()
      server.kill()
      await once(server, 'exit')
      await rm(directory, { recursive: true, force: true })
    }
  }
}

function sum (text, pattern) {
  return [...text.matchAll(pattern)].reduce((total, [, number]) => total + Number(number), 0)
}
