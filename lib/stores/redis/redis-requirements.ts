// Whether a server can be used at all, found out at the start: better there than
// by the first user who logs in.
import { randomBytes } from 'node:crypto'
import { UnfitStoreError } from '../../errors.js'
import type { SessionOwners } from '../../../types/owners.js'
import type { SessionRecord, SessionStore } from '../../../types/store.js'
import { toText, type SendCommand } from './redis-client.js'

const MIN_VERSION = [6, 2] as const

const COMMANDS = 'HGETALL, EVALSHA, EVAL, DEL, and inside scripts EXISTS, HGET, HMGET, HKEYS, HSET, HDEL, HINCRBY, PEXPIRE'

const OWNER_COMMANDS = 'EVALSHA, EVAL, ZREM, ZRANGEBYSCORE, and inside scripts ZADD, ZSCORE, ZCOUNT, ZREMRANGEBYSCORE, PTTL, PEXPIRE'

/** Throws an `UnfitStoreError` when no waiting would fix it; a server that is away or busy is no reason. */
export async function checkServer (send: SendCommand, store: SessionStore, prefix: string): Promise<void> {
  const id = `keep-probe-${randomBytes(9).toString('base64url')}`
  const key = prefix + id
  try {
    refuseOld(await serverInfo(send))
    await tryEveryStep(store, id)
    // needed when the server has forgotten its scripts
    await send(key, 'EVAL', ['return 1', '1', key])
    // the mark would stay for a minute
    await send(key, 'DEL', [key])
  } catch (error) {
    refuseUnfit(error, COMMANDS)
  }
}

/** The same for the lists of owners. */
export async function checkOwners (owners: SessionOwners): Promise<void> {
  const owner = `keep-probe-${randomBytes(9).toString('base64url')}`
  const expiresAt = Date.now() + 10_000
  try {
    await owners.add(owner, 'probe', { expiresAt, limit: 1 })
    await owners.add(owner, 'probe 2', { expiresAt, limit: 1 })
    await owners.renew(owner, 'probe 2', expiresAt + 1)
    await owners.list(owner)
    await owners.mark(owner, [])
    await owners.remove(owner, ['probe', 'probe 2'])
  } catch (error) {
    refuseUnfit(error, OWNER_COMMANDS)
  }
}

function refuseUnfit (error: unknown, commands: string): void {
  if (error instanceof UnfitStoreError) throw error
  const { message } = error as Error
  if (isRefusal(message)) throw new UnfitStoreError(`Redis refused a command with '${message}'; allow the user ${commands} on the keys that begin with the store's prefix`, { cause: error })
  if (isMissingLogin(message)) throw new UnfitStoreError(`Redis refused the login with '${message}'; give the client its username and password`, { cause: error })
}

/** What the server says of itself; nothing where that alone is forbidden. */
async function serverInfo (send: SendCommand): Promise<string> {
  try {
    return toText(await send(null, 'INFO', ['server']))
  } catch (error) {
    if (isRefusal((error as Error).message)) return ''
    throw error
  }
}

function refuseOld (info: string): void {
  const [, version = '', major, minor] = /^redis_version:((\d+)\.(\d+)\S*)/m.exec(info) ?? []
  if (version === '') return
  const isOld = Number(major) < MIN_VERSION[0] || (Number(major) === MIN_VERSION[0] && Number(minor) < MIN_VERSION[1])
  if (isOld) throw new UnfitStoreError(`the server is Redis ${version}; use Redis ${MIN_VERSION.join('.')} or newer, or Valkey`)
}

/** One short session from its first step to its last. */
async function tryEveryStep (store: SessionStore, id: string): Promise<void> {
  const now = Date.now()
  const expiresAt = now + 10_000
  const record: SessionRecord = {
    values: { probe: '1' }, createdAt: now, expiresAt, absoluteExpiresAt: expiresAt, version: 0, owner: null, about: null, lifetime: null, verifier: '', earlier: [], generation: 0, shown: true
  }
  const renewal = { renewTo: expiresAt, atMost: expiresAt + 1, tolerance: 0, ifLifetime: null, ifAbsoluteExpiresAt: expiresAt }
  await store.create(id, record)
  await store.update(id, { clear: true, set: { probe: '2' }, remove: ['probe'], ifValue: { key: 'probe', encoded: '1' }, maxSize: 100, renewal: { ...renewal, renewTo: expiresAt + 1 } })
  await store.touch(id, { ...renewal, atMost: expiresAt - 1 })
  await store.read(id)
  await store.destroy(id, { ifVersion: 1 })
  // takes the place of the mark, which would stay for a minute
  await store.create(id, { ...record, expiresAt: 0 })
  await store.destroy(id)
}

function isRefusal (message: string): boolean {
  return /^NOPERM|unknown command|ACL failure|can't run this command|no permissions/i.test(message)
}

function isMissingLogin (message: string): boolean {
  return /^(NOAUTH|WRONGPASS)/.test(message)
}
