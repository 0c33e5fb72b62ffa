/**
 * Sessions in Redis or Valkey, for many processes and machines: one hash per
 * session, every condition checked inside the server, every key with a deadline.
 *
 * @packageDocumentation
 */
import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { InvalidOptionError } from '../../errors.js'
import type { Clock } from '../../../types/options.js'
import type { SessionOwners } from '../../../types/owners.js'
import type { DestroyResult, EndCondition, EndedSession, EndListener, SessionChanges, SessionRecord, SessionRenewal, SessionStore, TouchResult, UpdateResult } from '../../../types/store.js'
import { ENDED_FOR } from '../../record/record.js'
import { corruptRecord } from '../../record/corrupt-record.js'
import { endMessage, tellEnd } from '../end-messages.js'
import { commandSender, isNeverConnected, surviveErrors, toEntries, toText, type RedisClient, type SendCommand } from './redis-client.js'
import { asText, changedFields, fieldText, lifetimeText, recordFields, recordOf } from './redis-record.js'
import { RedisOwners } from './redis-owners.js'
import { checkServer } from './redis-requirements.js'
import { isReply, runScript, type RedisScript } from './redis-script.js'
import { scanIds } from './scan-ids.js'
import { subscribe } from './subscribe.js'
import { createScript, destroyScript, touchScript, updateScript } from './redis-scripts.js'

export type { IoRedisClient, NodeRedisClient, RedisClient } from './redis-client.js'

/** What `new RedisStore(options)` takes; only the client is required. */
export interface RedisStoreOptions {
  /** Your own client, of `redis` (node-redis) 5 or newer, connected, or of `ioredis` 5 or newer. Single, Sentinel or Cluster. */
  client: RedisClient
  /** What the name of every key begins with. Default `'keep:'`. Two apps on one server need two prefixes. */
  prefix?: string
  /** Tells the time. Default `Date`; for tests. */
  clock?: Clock
}

/** Keeps sessions in Redis 6.2 or newer, or Valkey. */
export class RedisStore implements SessionStore {
  /** Every process on any machine. */
  readonly atomicAcross = 'cluster'
  /** Redis as it comes may lose the last minutes in a power cut, with `appendfsync everysec` the last second, and in a failover what a replica did not have yet. */
  readonly durable = false
  /** Which sessions each owner has: one sorted set per owner, under `prefix` + `o:`. */
  readonly owners: SessionOwners
  readonly #client: RedisClient
  readonly #send: SendCommand
  readonly #prefix: string
  readonly #clock: Clock
  readonly #ignoreErrors: () => void

  /** @param options - Throws an `InvalidOptionError` for what cannot work. */
  constructor ({ client, prefix = 'keep:', clock = Date }: RedisStoreOptions) {
    const send = commandSender(client)
    if (send === null) throw new InvalidOptionError('client', inspect(client, { depth: -1 }), "give a client of 'redis' (createClient, createCluster, createSentinel) or of 'ioredis'")
    if (typeof prefix !== 'string') throw new InvalidOptionError('prefix', inspect(prefix), "give a string such as 'shop:'")
    this.#client = client
    this.#send = send
    this.#prefix = prefix
    this.#clock = clock
    this.owners = new RedisOwners(send, prefix, clock)
    this.#ignoreErrors = surviveErrors(client)
  }

  /**
   * Called at registration. Throws an `UnfitStoreError` when the server is too old or refuses
   * a command, an `InvalidOptionError` when the client was never connected. A server that is away is waited for later.
   */
  async open (): Promise<void> {
    if (isNeverConnected(this.#client)) throw new InvalidOptionError('client', 'not connected', 'call client.connect() before you register the session')
    await checkServer(this.#send, this, this.#prefix)
  }

  async read (id: string): Promise<SessionRecord | EndedSession | null> {
    const key = this.#key(id)
    try {
      const found = recordOf(toEntries(await this.#send(key, 'HGETALL', [key])))
      const isOver = found !== null && this.#clock.now() >= ('endedAt' in found ? found.endedAt + ENDED_FOR : found.expiresAt)
      return isOver ? null : found
    } catch (error) {
      // somebody else's key under this name
      if (isReply(error, 'WRONGTYPE')) return corruptRecord()
      throw error
    }
  }

  async create (id: string, record: SessionRecord): Promise<boolean> {
    return await this.#step(createScript, id, [this.#ttl(record.expiresAt), record.verifier, ...recordFields(record)]) === '1'
  }

  async update (id: string, changes: SessionChanges): Promise<UpdateResult> {
    const { ifGeneration, ifVerifier, ifLifetime, ifValue, clear, maxSize, verifier, expiresAt, renewal } = changes
    const { token, set, remove } = changedFields(changes)
    // what only removes keys is never too large, and needs no counting
    const isBounded = maxSize !== undefined && Object.keys(changes.set).length > 0
    return await this.#step(updateScript, id, [
      optional(ifGeneration),
      optional(ifVerifier),
      ifLifetime === undefined ? '' : '1',
      lifetimeText(ifLifetime),
      ifValue === undefined ? '' : asText(ifValue.key),
      typeof ifValue?.encoded === 'string' ? '1' : '',
      ifValue?.encoded ?? '',
      clear ? '1' : '',
      isBounded ? String(maxSize) : '',
      optional(verifier),
      ifValue === undefined ? '' : createNonce(),
      expiresAt === undefined ? '' : this.#ttl(expiresAt),
      ...(renewal === undefined ? ['', '', '', '', '', '', ''] : renewalArguments(renewal)),
      String(token.length),
      String(token.length + set.length),
      ...token,
      ...set,
      ...remove
    ]) as UpdateResult
  }

  async touch (id: string, renewal: SessionRenewal): Promise<TouchResult> {
    return await this.#step(touchScript, id, renewalArguments(renewal)) as TouchResult
  }

  async destroy (id: string, condition: EndCondition = {}): Promise<DestroyResult> {
    const { ifGeneration, ifVersion, reason } = condition
    try {
      return await this.#run(destroyScript, id, [optional(ifGeneration), optional(ifVersion), createNonce(), endedChannel(this.#prefix), endMessage(id, reason)]) as DestroyResult
    } catch (error) {
      if (!isReply(error, 'WRONGTYPE')) throw error
      // no session meets a condition here, and without one whatever it is makes way
      if (ifGeneration !== undefined || ifVersion !== undefined) return 'missing'
      await this.#send(this.#key(id), 'DEL', [this.#key(id)])
      return 'missing'
    }
  }

  async onEnded (listener: EndListener, signal: AbortSignal): Promise<void> {
    await subscribe(this.#client, endedChannel(this.#prefix), (message) => { tellEnd(message, listener) }, signal)
  }

  ids (): AsyncIterable<readonly string[]> {
    return scanIds(this.#client, this.#prefix)
  }

  /** Takes back the one listener it added to your client, which stays connected. */
  close (): void {
    this.#ignoreErrors()
  }

  /** Somebody else's key under this name is no session. */
  async #step (script: RedisScript, id: string, args: string[]): Promise<string> {
    try {
      return await this.#run(script, id, args)
    } catch (error) {
      if (isReply(error, 'WRONGTYPE')) return 'missing'
      throw error
    }
  }

  async #run (script: RedisScript, id: string, args: string[]): Promise<string> {
    return toText(await runScript(this.#send, script, this.#key(id), [String(this.#clock.now()), ...args]))
  }

  #key (id: string): string {
    return this.#prefix + id
  }

  /** From now, so that a server whose clock is off keeps it no shorter. Never 0: that would drop the key in the middle of a script. */
  #ttl (expiresAt: number): string {
    return String(Math.max(1, expiresAt - this.#clock.now()))
  }
}

function renewalArguments ({ renewTo, atMost, tolerance, ifLifetime, ifAbsoluteExpiresAt, ifOwner }: SessionRenewal): string[] {
  return [String(renewTo), String(atMost), String(tolerance), lifetimeText(ifLifetime), String(ifAbsoluteExpiresAt), ifOwner === undefined ? '' : '1', fieldText(ifOwner) ?? '']
}

/** Empty for what is left out. */
function optional (value: string | number | undefined): string {
  return value === undefined ? '' : String(value)
}

function createNonce (): string {
  return randomBytes(9).toString('base64url')
}

/** One for all sessions under the prefix. A process hears of ends that it does not care about, but sends no command for each session that it does. */
function endedChannel (prefix: string): string {
  return `${prefix}ended`
}
