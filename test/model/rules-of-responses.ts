// What a request sees of its own session, and what its response carries.
import { isStoreFailure, mayBeEnded, mayHaveSteppedUp, touches, type Fault } from './ask.js'
import type { Facts, Track } from './track.js'
import type { Clocks } from './lifetimes.js'
import type { Deed, Visit } from './history.js'

const CHANGES_ID = new Set(['rotate', 'regenerate', 'reauthenticated', 'destroy', 'clear', 'reload'])
const SENDS_COOKIE = new Set(['rotate', 'regenerate', 'reauthenticated', 'lifetime'])

export function * checkResponses (facts: Facts, clocks: Clocks): Iterable<Fault> {
  for (const track of facts.tracks) {
    yield * checkStatus(track)
    yield * checkCookie(track)
    yield * checkIdentity(facts, track)
    yield * checkOwnReads(facts, track, clocks)
    yield * checkDrops(facts, track, clocks)
  }
}

function * checkStatus ({ visit, failed, acts }: Track): Iterable<Fault> {
  if (visit.response === null) return
  const { status, code } = visit.response
  if (status === 200) return
  const isOwn = code?.startsWith('FST_KEEP_') === true
  if (!isOwn) yield { kind: 'crash', text: `request #${visit.n} is answered ${status} ${code}` }
  else if (isStoreFailure(code as string) && failed.length === 0) yield { kind: 'failure without cause', text: `request #${visit.n} is answered ${status} ${code}, and the store never failed it` }
  else if (!isStoreFailure(code as string) && !acts.some(({ deed }) => deed.op.does === 'update' || deed.op.does === 'regenerate') && !visit.ops.some(({ does }) => does === 'reauthenticated' || does === 'update')) yield { kind: 'crash', text: `request #${visit.n} is answered ${status} ${code}` }
}

/** At most one; one for every new session; none without a reason. */
function * checkCookie (track: Track): Iterable<Fault> {
  const { visit, line, view } = track
  if (visit.response === null) return
  const { cookies, status } = visit.response
  const name = `request #${visit.n}`
  if (cookies.length > 1) yield { kind: 'two cookies', text: `${name} sets ${cookies.length} session cookies` }
  const sent = cookies.find((each) => each !== '')
  const isNew = line !== null && line.by === visit
  if (sent !== undefined && line === null && track.stored?.acts.length === 0) yield { kind: 'cookie for nothing', text: `${name} sets a cookie, and stored nothing` }
  if (sent !== undefined && !isNew && view?.found === true && !visit.ops.some(({ does }) => SENDS_COOKIE.has(does))) yield { kind: 'needless cookie', text: `${name} sets a cookie, and did nothing that needs one` }
  if (sent === undefined && cookies.length > 0 && view !== null && !visit.ops.some(({ does }) => does === 'destroy' || does === 'clear' || does === 'regenerate')) yield { kind: 'needless clearing', text: `${name} clears the cookie, and did not log out` }
  // a session that began here and has ended since leaves no cookie behind
  if (status !== 200 || sent !== undefined || !isNew || visit.response.isEnded) return
  const content = line.acts.filter((act) => act.visit === visit && act.deed.op.does === 'set' && act.fate === 'confirmed')
  const stands = content.some((act) => !line.acts.some((later) => later.visit === visit && later.at > act.at && later.deed.op.does !== 'set' && touches(later, keyOf(act.deed))))
  const isLogin = visit.ops.some(({ does }) => does === 'regenerate' || does === 'destroy')
  if (stands && (isLogin || visit.token === null)) yield { kind: isLogin ? 'login dropped' : 'new session without a cookie', text: `${name} is answered 200 and began ${line.name}, and no cookie is sent` }
}

/** After a save that succeeded, nothing changes the id or the cookie but what asks for it. */
function * checkIdentity ({ history }: Facts, { visit, line, failed }: Track): Iterable<Fault> {
  let save: Deed | null = null
  let asked = -1
  for (const event of history) {
    if (event.what === 'did' && event.visit === visit && CHANGES_ID.has(event.deed.op.does)) asked = event.deed.n
    if (event.what === 'settled' && event.visit === visit && event.deed.op.does === 'save' && event.deed.error === undefined) save = event.deed
  }
  const { response } = visit
  if (save === null || asked > save.n || response === null || response.identity === null || save.identity === undefined || line === null) return
  // one that could not be stored may be stored all the same: the next attempt takes another id
  const hasFailed = failed.length > 0 && line.by === visit
  if (save.result === true && !hasFailed && response.identity.id !== save.identity.id) yield { kind: 'id changes by itself', text: `request #${visit.n} has another id after its save, and nothing asked for one` }
  else if (response.status === 200 && !['', null].includes(save.identity.cookie) && response.identity.cookie !== save.identity.cookie && !(response.isEnded && response.identity.cookie === null)) yield { kind: 'cookie changes by itself', text: `request #${visit.n} sends another cookie than its save made` }
}

/** A request reads what it wrote itself. */
function * checkOwnReads ({ history }: Facts, track: Track, clocks: Clocks): Iterable<Fault> {
  let isSure = true
  const own = new Map<string, string | undefined>()
  for (const [now, event] of history.entries()) {
    if (!('visit' in event) || event.visit !== track.visit) continue
    if (event.what === 'settled') {
      if (event.deed.error !== undefined || event.deed.result === false || event.deed.op.does === 'reload') isSure = false
    }
    if (event.what !== 'did') continue
    const { op, value, error, result } = event.deed
    if (error !== undefined) { isSure = false; continue }
    if (op.does === 'set') own.set(op.key, value)
    else if (op.does === 'remove') own.set(op.key, undefined)
    else if (op.does === 'clear' || op.does === 'destroy') for (const key of ['a', 'b', 'c', 'flash', 'user']) own.set(key, undefined)
    else if (op.does === 'regenerate') { for (const key of own.keys()) if (op.keep !== 'all' && !op.keep.includes(key)) own.set(key, undefined) } else if (op.does === 'get' || op.does === 'pop') {
      const isKnown = own.has(op.key)
      const expected = own.get(op.key)
      const line = track.acts.findLast((act) => act.at <= now)?.line ?? null
      const mayBeOver = line === null || line.acts.some((act) => act.visit !== track.visit && act.at <= now) || mayBeEnded(line, now) || clocks.mayHaveExpired(line, track.sentAt, now)
      if (isSure && isKnown && result !== expected && !(mayBeOver && result === undefined)) yield { kind: 'own write not read', text: `request #${track.visit.n} reads ${op.key} = ${String(result)} and wrote ${String(expected)}` }
      if (op.does === 'pop') own.set(op.key, undefined)
    }
  }
}

/** `save()` answers false, or `update` throws, only where something may have ended the session. */
function * checkDrops ({ history }: Facts, track: Track, clocks: Clocks): Iterable<Fault> {
  let hasHeardOfEnd = false
  for (const [now, event] of history.entries()) {
    if (event.what !== 'settled' || event.visit !== track.visit) continue
    const { deed } = event
    const isDropped = deed.op.does === 'save' ? deed.result === false : deed.op.does === 'update' && deed.error !== undefined && !isStoreFailure(deed.error)
    const line = track.lineAt.get(deed.n) ?? null
    const isFirst = !hasHeardOfEnd
    if (isDropped) hasHeardOfEnd = true
    // from the first answer that said so the request's session has ended, whatever it set since
    if (!isDropped || !isFirst || line === null || line.isLimbo) continue
    if (wentBackDuring(history, event.visit, now)) continue
    // what this request made itself, or what it found, whoever ended that
    const over = [line, ...(line.by === track.visit && line.parent !== null ? [line.parent] : [])]
    if (over.some((each) => mayBeEnded(each, now) || mayHaveSteppedUp(each, track.visit, track.sentAt, now) || clocks.mayHaveExpired(each, track.sentAt, now))) continue
    yield { kind: 'dropped without cause', text: `request #${track.visit.n} is told that ${line.name} has ended, and it has not` }
  }
}

/** A call brings the time at which it was asked along: to a clock set back since, what lives by the new time has expired. */
function wentBackDuring (history: Facts['history'], visit: Visit, now: number): boolean {
  const asked = history.slice(0, now).findLastIndex((event) => event.what === 'asked' && event.visit === visit)
  return history.slice(Math.max(asked, 0), now).some((event, i, all) => i > 0 && event.clock < (all[i - 1] as { clock: number }).clock)
}

function keyOf ({ op }: Deed): string {
  return 'key' in op ? op.key : ''
}
