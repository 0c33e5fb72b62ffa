// The sessions of one owner, from outside of any request: listed and revoked.
import { setImmediate as betweenOtherWork } from 'node:timers/promises'
import { isSealed } from '../record/encryption.js'
import { isEnded, isExpired, isRecord } from '../record/record.js'
import type { SessionOwners } from '../../types/owners.js'
import type { SessionRecord, SessionStore } from '../../types/store.js'
import { reportCorruptValue } from './corrupt-records.js'
import { endMany, endOne } from './end-listed.js'
import type { SessionLog, StoreContext } from './store-context.js'

const AT_ONCE = 50
// Each ends what moved from server to server while the one before was looking, and who logged in since.
const MAX_PASSES = 10

/** A session with its record. */
export interface OwnedSession {
  readonly id: string
  readonly record: SessionRecord
  /** What was said about its browser at the login, as JSON. */
  readonly about: string | null
}

/** The live sessions of the owner. Those that have no record any more are dropped from the list. */
export async function ownedSessions (context: StoreContext, owners: SessionOwners, owner: string, log: SessionLog): Promise<OwnedSession[]> {
  const { store, settings: { clock } } = context
  const ids = await owners.list(owner)
  const sessions: OwnedSession[] = []
  const absent: string[] = []
  for (let first = 0; first < ids.length; first += AT_ONCE) {
    if (first > 0) await betweenOtherWork()
    await Promise.all(ids.slice(first, first + AT_ONCE).map(async (id) => {
      const found: unknown = await store.read(id)
      if (found === null || found === undefined || isEnded(found)) absent.push(id)
      // a session that is just changing hands is in two lists, and its record decides
      else if (isRecord(found) && found.owner === owner && !isExpired(found, clock.now())) sessions.push({ id, record: found, about: openedAbout(context, id, found, log) })
    }))
  }
  if (absent.length > 0) await owners.remove(owner, absent)
  return sessions
}

/** `null` also where it cannot be opened. */
function openedAbout (context: StoreContext, id: string, { about }: SessionRecord, log: SessionLog): string | null {
  if (about === null) return null
  const text = context.settings.encryption?.openAbout(id, about) ?? about
  if (!isSealed(text)) return text
  reportCorruptValue(context, id, text, log)
  return null
}

/** Ends one session; only if it is this owner's, where one is named. False when there was nothing to end. */
export async function revokeOne (context: StoreContext, id: string, owner: string | null, log: SessionLog): Promise<boolean> {
  const found: unknown = await context.store.read(id)
  if (!isRecord(found)) return false
  if (owner !== null && found.owner !== owner) return false
  return await endOne(context, { id, owner: found.owner, reason: 'revoked' }, log) === 'done'
}

/**
 * Ends every session of the owner but these, and answers with how many it ended. All are marked first: what succeeds
 * one of them ends with it, and what this process leaves undone when it dies is finished by the next one that looks.
 */
export async function revokeOwned (context: StoreContext, owners: SessionOwners, owner: string, except: readonly string[]): Promise<number> {
  return endMany(context, owner, await owners.mark(owner, except), 'revoked')
}

/** Ends every session in the store, and answers with how many it ended. Looks again until it finds none. */
export async function revokeEvery (context: StoreContext, ids: NonNullable<SessionStore['ids']>, log: SessionLog): Promise<number> {
  let ended = 0
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const before = ended
    for await (const slice of ids()) {
      for (let first = 0; first < slice.length; first += AT_ONCE) {
        const some = await Promise.all(slice.slice(first, first + AT_ONCE).map((id) => endAny(context, id, log)))
        ended += some.filter((isDone) => isDone).length
        await betweenOtherWork()
      }
    }
    if (ended === before) break
  }
  return ended
}

/** Also one that this process cannot understand: another may. */
async function endAny (context: StoreContext, id: string, log: SessionLog): Promise<boolean> {
  const found: unknown = await context.store.read(id)
  if (found === null || isEnded(found)) return false
  return await endOne(context, { id, owner: isRecord(found) ? found.owner : null, reason: 'revoked' }, log) === 'done'
}
