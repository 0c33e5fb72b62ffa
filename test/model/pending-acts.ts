// What the pending operations of a request come to, together.
import type { Deed } from './history.js'
import type { Act, Line } from './track.js'

/** A step-up that a login of the same save comes after: the login may end the session, or find that it has ended. */
export function isSuperseded (act: Act, acts: readonly Act[]): boolean {
  return act.deed.op.does === 'reauthenticated' && acts.some((later) => later.at > act.at && later.deed.op.does === 'regenerate')
}

/** A clear, and nothing set after it. One that regenerate() begins in the same save stays, and is empty. */
export function leavesNothing (all: readonly Act[], line: Line): boolean {
  if (line.parent !== null && all.some(({ deed, at }) => deed.op.does === 'regenerate' && at === line.bornAt)) return false
  const acts = all.filter((act) => act.line === line)
  const last = acts.findLastIndex(({ deed }) => deed.op.does === 'clear')
  return last >= 0 && keysSetBy(acts.slice(last + 1)).size === 0
}

function keysSetBy (acts: readonly Act[]): Set<string> {
  const keys = new Set<string>()
  for (const { deed: { op } } of acts) {
    if (op.does === 'set') keys.add(op.key)
    else if (op.does === 'update') keys.add('n')
    else if (op.does === 'remove' || op.does === 'pop') keys.delete(op.key)
  }
  return keys
}

/** Whether a pending clear(), regenerate() or destroy() is saved at once, so that `own` can be. */
export function savesFirst (replacing: readonly Deed[], { deed }: Act): boolean {
  if (replacing.length === 0) return false
  // of what is not there any more nothing can be taken
  return deed.op.does === 'update' || deed.result !== undefined || replacing.every(({ op }) => op.does === 'regenerate' && op.keep === 'all')
}
