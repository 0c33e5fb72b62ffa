// Every session under the prefix, for `revokeAll()` alone: nothing else scans.
import { isId } from '../../record/token.js'
import { commandSender, toText, type RedisClient, type SendCommand } from './redis-client.js'

const COUNT = '1000'

/** The parts of a client that some have and others do not. */
interface Parts {
  readonly masters?: readonly unknown[]
  readonly options?: { readonly keyPrefix?: unknown }
  nodes? (role: 'master'): RedisClient[]
  nodeClient? (node: unknown): Promise<RedisClient>
}

/** The ids, in slices; some may come twice. While slots move from server to server a pass may miss some. */
export async function * scanIds (client: RedisClient, prefix: string): AsyncGenerator<readonly string[]> {
  const start = keyPrefixOf(client as Parts) + prefix
  for (const send of await senders(client)) {
    let cursor = '0'
    do {
      const [next, keys] = await send(null, 'SCAN', [cursor, 'MATCH', `${escaped(start)}*`, 'COUNT', COUNT]) as [unknown, unknown[]]
      yield keys.map((key) => toText(key).slice(start.length)).filter(isId)
      cursor = toText(next)
    } while (cursor !== '0')
  }
}

/** One for each server that has keys of its own. */
async function senders (client: RedisClient): Promise<SendCommand[]> {
  const { masters, nodes, nodeClient } = client as Parts
  if (masters !== undefined && nodeClient !== undefined) return senderOfEach(await Promise.all(masters.map((node) => nodeClient.call(client, node))))
  if (nodes !== undefined) return senderOfEach(nodes.call(client, 'master'))
  return senderOfEach([client])
}

function senderOfEach (clients: readonly RedisClient[]): SendCommand[] {
  return clients.map((each) => commandSender(each) as SendCommand)
}

/** ioredis puts it in front of keys, but not of patterns. */
function keyPrefixOf ({ options }: Parts): string {
  return toText(options?.keyPrefix ?? '')
}

function escaped (text: string): string {
  return text.replace(/[[\]*?\\]/g, '\\$&')
}
