// Which sessions each owner has: one sorted set per owner, and every step on one key.
import type { Clock } from '../../../types/options.js'
import type { OwnerAddition, OwnerEntry, SessionOwners } from '../../../types/owners.js'
import { addScript, markScript, renewScript } from './owner-scripts.js'
import { toText, type SendCommand } from './redis-client.js'
import { checkOwners } from './redis-requirements.js'
import { isReply, runScript, type RedisScript } from './redis-script.js'

const MAX_AT_ONCE = 1000

export class RedisOwners implements SessionOwners {
  readonly #send: SendCommand
  readonly #prefix: string
  readonly #clock: Clock

  constructor (send: SendCommand, prefix: string, clock: Clock) {
    this.#send = send
    this.#prefix = prefix
    this.#clock = clock
  }

  async open (): Promise<void> {
    await checkOwners(this)
  }

  async add (owner: string, id: string, { expiresAt, limit, onLimit, replaces = '', isSuccessor = false }: OwnerEntry): Promise<OwnerAddition> {
    const [result, ...marked] = await this.#run(addScript, owner, [
      id, String(expiresAt), limit === undefined ? '' : String(limit), onLimit === 'refuse' ? '1' : '', replaces, isSuccessor ? '1' : ''
    ])
    return { result: result as OwnerAddition['result'], marked }
  }

  async renew (owner: string, id: string, expiresAt: number): Promise<boolean> {
    return (await this.#run(renewScript, owner, [id, String(expiresAt)]))[0] === '1'
  }

  mark (owner: string, except: readonly string[]): Promise<readonly string[]> {
    return this.#run(markScript, owner, except)
  }

  async remove (owner: string, ids: readonly string[]): Promise<void> {
    const key = this.#key(owner)
    for (let first = 0; first < ids.length; first += MAX_AT_ONCE) await this.#send(key, 'ZREM', [key, ...ids.slice(first, first + MAX_AT_ONCE)])
  }

  async list (owner: string): Promise<readonly string[]> {
    const key = this.#key(owner)
    return texts(await this.#send(key, 'ZRANGEBYSCORE', [key, `(${this.#clock.now()}`, '+inf']))
  }

  async #run (script: RedisScript, owner: string, args: readonly string[]): Promise<string[]> {
    const run = async () => texts(await runScript(this.#send, script, this.#key(owner), [String(this.#clock.now()), ...args]))
    try {
      return await run()
    } catch (error) {
      // its slot is on its way to another server, and the list that the script has just emptied is there now; each step may be taken twice
      if (!isReply(error, 'non local key')) throw error
      return await run()
    }
  }

  /** No id holds a colon. */
  #key (owner: string): string {
    return `${this.#prefix}o:${owner}`
  }
}

function texts (reply: unknown): string[] {
  return [reply].flat().map(toText)
}
