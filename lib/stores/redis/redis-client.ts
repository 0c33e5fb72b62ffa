// One way to send a command, whichever client the user brought along. No client is
// imported: a client is known by what it can do.
import { setMaxListeners } from 'node:events'
import { TooManyKeysError } from '../../errors.js'

/** A connected client of `redis` (node-redis) 5 or newer: `createClient`, `createClientPool`, `createCluster` or `createSentinel`. */
export interface NodeRedisClient {
  /** Sends one command, and resolves with the reply. */
  sendCommand (...args: never[]): Promise<unknown>
}

/** A client of `ioredis` 5 or newer: `new Redis()` or `new Cluster()`. */
export interface IoRedisClient {
  /** Sends one command, and resolves with the reply. */
  call (command: string, ...args: string[]): Promise<unknown>
}

/** What `new RedisStore({ client })` takes. */
export type RedisClient = NodeRedisClient | IoRedisClient

/** Sends one command; `key` says which node of a Cluster it is for, `null` that any will do. */
export type SendCommand = (key: string | null, command: string, args: string[]) => Promise<unknown>

/** The parts of a client that some have and others do not. */
type Parts = Partial<Record<'call' | 'sendCommand' | 'on' | 'off' | 'nodeClient' | 'getSentinelNode', (...args: unknown[]) => unknown>> & { readonly isOpen?: boolean }

// While a server is away node-redis keeps commands without bound and sends them
// when it is back, long after the requests they belonged to were answered. So what
// it could not send for two to three seconds is dropped. One signal serves a second's
// commands: the client's own timeout makes one for each, at more than the command costs.
const UNSENT_MS = 2000
const SIGNAL_MS = 1000

// The server ends the connection of a client that sends more (`processMultibulkBuffer` in networking.c).
const MAX_ARGUMENTS = 1024 * 1024

const MAX_SPREAD = 10_000

/** The way to send commands with this client, or `null` when it is no client we know. */
export function commandSender (client: RedisClient): SendCommand | null {
  const parts = client as Parts
  if (typeof parts?.call === 'function') {
    return async (_key, command, args) => {
      refuseTooMany(args)
      // V8 takes only so many arguments in one call; ioredis takes lists, too
      return args.length > MAX_SPREAD ? parts.call!(command, args) : parts.call!(command, ...args)
    }
  }
  if (typeof parts?.sendCommand !== 'function') return null
  const options = unsentOptions()
  // never a replica: it may still have what was just logged out
  if (typeof parts.nodeClient === 'function') {
    return async (key, command, args) => parts.sendCommand!(key ?? undefined, false, wholeCommand(command, args), options())
  }
  if (typeof parts.getSentinelNode === 'function') {
    return async (_key, command, args) => parts.sendCommand!(false, wholeCommand(command, args), options())
  }
  return async (_key, command, args) => parts.sendCommand!(wholeCommand(command, args), options())
}

function wholeCommand (command: string, args: string[]): string[] {
  refuseTooMany(args)
  return [command, ...args]
}

function refuseTooMany (args: string[]): void {
  if (args.length >= MAX_ARGUMENTS) throw new TooManyKeysError(args.length + 1, MAX_ARGUMENTS)
}

/** Answers with the options of one command to node-redis. */
function unsentOptions (): () => object {
  let options = {}
  let renewAt = 0
  return () => {
    const now = performance.now()
    if (now >= renewAt) {
      renewAt = now + SIGNAL_MS
      const abortSignal = AbortSignal.timeout(UNSENT_MS + SIGNAL_MS)
      setMaxListeners(0, abortSignal)
      options = { timeout: 0, abortSignal }
    }
    return options
  }
}

/** Whether the client says that nobody called its `connect()`. */
export function isNeverConnected (client: RedisClient): boolean {
  return (client as Parts).isOpen === false
}

/**
 * Keeps a lost connection from ending the process, as an 'error' event that
 * nobody listens to would. The commands that fail by it say so themselves.
 * Answers with the way to stop.
 */
export function surviveErrors (client: RedisClient): () => void {
  const { on, off } = client as Parts
  if (typeof on !== 'function' || typeof off !== 'function') return () => {}
  const ignore = () => {}
  on.call(client, 'error', ignore)
  return () => { off.call(client, 'error', ignore) }
}

/** A reply that is one value, as text: clients can be told to answer with Buffers, or with numbers as strings. */
export function toText (reply: unknown): string {
  return String(reply)
}

/** A reply that is a hash, as text: a flat list with RESP2, a map with RESP3, an object where the client makes one. */
export function toEntries (reply: unknown): Array<[field: string, value: string]> {
  if (reply instanceof Map) return [...reply].map(([field, value]) => [toText(field), toText(value)])
  if (!Array.isArray(reply)) return Object.entries(reply ?? {}).map(([field, value]) => [field, toText(value)])
  if (Array.isArray(reply[0])) return reply.map(([field, value]) => [toText(field), toText(value)])
  return Array.from({ length: reply.length / 2 }, (_, pair) => [toText(reply[2 * pair]), toText(reply[2 * pair + 1])])
}
