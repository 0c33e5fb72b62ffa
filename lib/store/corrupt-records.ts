// What cannot be understood is absent for this request, and stays where it is: a
// newer process may understand it. It is logged once by its id, since a browser
// comes back with the same cookie again and again.
import { logLine } from '../log-line.js'
import type { SessionLog, StoreContext } from './store-context.js'

const MAX_REMEMBERED = 1000

const logged = new WeakMap<object, Set<string>>()

/** Publishes that a record, or a value in it, is corrupt; logs it the first time. */
export function reportCorrupt ({ events }: Pick<StoreContext, 'events'>, id: string, what: 'record' | 'value', log: SessionLog): void {
  events.emit('rejected', id, { reason: 'corrupt' })
  const ids = logged.get(events) ?? new Set()
  logged.set(events, ids)
  if (ids.has(id)) return
  ids.add(id)
  if (ids.size > MAX_REMEMBERED) ids.delete(ids.values().next().value as string)
  logLine(log, 'warn', { sessionId: id }, what === 'record'
    ? 'a session record cannot be decoded; it counts as absent and is left as it is'
    : 'a value in a session record cannot be decoded; it counts as absent and is left as it is')
}
