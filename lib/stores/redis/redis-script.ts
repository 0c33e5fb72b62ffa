// Lua that runs inside Redis, known to the server by its hash.
import { createHash } from 'node:crypto'
import type { SendCommand } from './redis-client.js'

/** A script, and the hash by which Redis knows it. */
export interface RedisScript {
  readonly source: string
  readonly sha1: string
}

export function script (source: string): RedisScript {
  return { source, sha1: createHash('sha1').update(source).digest('hex') }
}

/** By its hash; with its source where the server does not know it, as after a restart. */
export async function runScript (send: SendCommand, { source, sha1 }: RedisScript, key: string, args: readonly string[]): Promise<unknown> {
  const rest = ['1', key, ...args]
  try {
    return await send(key, 'EVALSHA', [sha1, ...rest])
  } catch (error) {
    if (!isReply(error, 'NOSCRIPT')) throw error
    return await send(key, 'EVAL', [source, ...rest])
  }
}

export function isReply (error: unknown, code: string): boolean {
  return error instanceof Error && error.message.includes(code)
}
