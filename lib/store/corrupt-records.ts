// What cannot be understood is absent for this request, and stays where it is: a
// newer process may understand it. It is logged once by its id, since a browser
// comes back with the same cookie again and again.
import { logLine } from '../log-line.js'
import { isSealed, sealingKeyOf } from '../record/encryption.js'
import type { SessionLog, StoreContext } from './store-context.js'

const MAX_REMEMBERED = 1000

const logged = new WeakMap<object, Set<string>>()

const lines = {
  record: 'a session record cannot be decoded; it counts as absent and is left as it is',
  value: 'a value in a session record cannot be decoded; it counts as absent and is left as it is',
  'sealed value': 'no key in `encryption` opens a value in a session record; it counts as absent and is left as it is',
  'sealed record': 'a session record was begun under a key that is not in `encryption`; it counts as absent and is left as it is'
}

/** Reports a value as corrupt: it cannot be decoded, or not be opened. */
export function reportCorruptValue (context: Pick<StoreContext, 'events'>, id: string, value: string, log: SessionLog): void {
  if (isSealed(value)) reportCorrupt(context, id, 'sealed value', log, sealingKeyOf(value))
  else reportCorrupt(context, id, 'value', log)
}

/** Publishes that a record, or a value in it, is corrupt; logs it the first time, with the key that would open it. */
export function reportCorrupt ({ events }: Pick<StoreContext, 'events'>, id: string, what: keyof typeof lines, log: SessionLog, encryptionKey?: string): void {
  events.emit('rejected', id, { reason: 'corrupt' })
  const ids = logged.get(events) ?? new Set()
  logged.set(events, ids)
  if (ids.has(id)) return
  ids.add(id)
  if (ids.size > MAX_REMEMBERED) ids.delete(ids.values().next().value as string)
  logLine(log, 'warn', { sessionId: id, ...(encryptionKey !== undefined && { encryptionKey }) }, lines[what])
}
