// Who must still find a session, and who must not.
import { deadTokenSince, endedAt, logsIn, logsOut, mayBeEnded, mayCount, tokenChanges, type Fault } from './ask.js'
import type { Facts, Line, Track } from './track.js'
import type { Clocks } from './lifetimes.js'
import { MINUTE } from './schedule.js'

/** A look at a session by one of its tokens: a request's, or the one at the end. */
interface Look {
  readonly name: string
  readonly line: Line
  readonly token: string
  readonly from: number
  readonly to: number
  readonly found: boolean
  readonly mayFail: boolean
}

export function looksOf ({ history, tracks, lineOf }: Facts): Look[] {
  const looks: Look[] = []
  for (const { visit, via, view, sentAt, loadedAt, failed } of tracks) {
    if (via === null || view === null) continue
    looks.push({ name: `request #${visit.n}`, line: via, token: visit.token as string, from: sentAt, to: loadedAt, found: view.found, mayFail: failed.some((at) => at < loadedAt) || changesLifetime(via, sentAt, loadedAt) })
  }
  for (const [now, event] of history.entries()) {
    const line = event.what === 'probed' ? lineOf(event.token) : null
    if (event.what === 'probed' && line !== null) looks.push({ name: 'the look at the end', line, token: event.token, from: now, to: now, found: event.view.found, mayFail: false })
  }
  return looks
}

/** Not judged: who reads the session before another request prolongs it, and is answered after it would have expired. */
function changesLifetime (line: Line, from: number, to: number): boolean {
  return line.acts.some(({ deed, at, confirmedAt }) => deed.op.does === 'lifetime' && at <= to && confirmedAt >= from)
}

export function * checkEndings (facts: Facts, clocks: Clocks): Iterable<Fault> {
  for (const track of facts.tracks) {
    if (track.view?.found === true && track.via === null) yield { kind: 'foreign session', text: `request #${track.visit.n} finds a session by a token that nobody sent` }
  }
  for (const look of looksOf(facts)) {
    const { line, token, from, to, found, name } = look
    if (found && endedAt(line, clocks) < from) yield { kind: 'ended session opens', text: `${name} finds ${line.name}, which had ended` }
    if (found && deadTokenSince(line, token) < from) yield { kind: 'dead token opens', text: `${name} finds ${line.name} by a token from before reauthenticated()` }
    if (found || look.mayFail || mayBeEnded(line, to) || clocks.mayHaveExpired(line, from, to)) continue
    const changed = opensNoMore(facts, look)
    if (changed === 'yes') continue
    yield { kind: changed === 'rotated' ? 'rotated token does not open' : 'session lost', text: `${name} does not find ${line.name}, which is alive` }
  }
  for (const { name, line } of clocks.surelyExpired) yield { kind: 'expired session opens', text: `${name} finds ${line.name}, which had expired` }
  yield * checkLate(facts, clocks)
  yield * checkIsLate(facts, clocks)
}

/** Whether a change of the token may have taken its power: a rotation within its minute has not. */
function opensNoMore ({ history, tracks }: Facts, { line, token, from, to }: Look): 'yes' | 'no' | 'rotated' {
  const issued = line.tokens.find(({ value }) => value === token)?.at ?? Infinity
  // a token may have been overtaken before its own response was sent
  const maker = tracks.find((track) => track.answeredAt === issued)
  const changes = tokenChanges(line).filter((act) => act.at <= to && act.fate !== 'dropped' && (act.hi > (maker?.sentAt ?? 0)))
  if (changes.some(({ deed }) => deed.op.does === 'reauthenticated')) return 'yes'
  const others = changes.filter((act) => act.visit !== maker?.visit)
  if (others.length === 0) return 'no'
  if (changes.length > 4) return 'yes'
  const since = Math.min(...others.map((act) => act.at))
  const clocks = history.slice(since, to + 1).map(({ clock }) => clock)
  const isBack = clocks.some((clock, i) => i > 0 && clock < (clocks[i - 1] as number))
  const isOld = (clocks.at(-1) as number) - (clocks[0] as number) >= MINUTE
  return isBack || isOld || from > to ? 'yes' : 'rotated'
}

/** For a minute, a request with a dead token stores nothing, and gets no cookie. */
function * checkLate ({ history, tracks }: Facts, clocks: Clocks): Iterable<Fault> {
  for (const track of tracks) {
    const { via, visit, sentAt } = track
    if (via === null || visit.response === null || logsIn(track) || logsOut(track)) continue
    const dead = Math.min(endedAt(via, clocks), deadTokenSince(via, visit.token as string))
    // what had expired before is unknown, not late
    if (dead >= sentAt || clocks.mayHaveExpired(via, firstSign(via, dead), dead)) continue
    const times = history.slice(firstSign(via, dead), track.answeredAt + 1).map(({ clock }) => clock)
    if (Math.max(...times) - Math.min(...times) >= MINUTE) continue
    if (visit.response.cookies.length > 0) yield { kind: 'late request gets a cookie', text: `request #${visit.n} came late with a dead token, and its response sets a cookie` }
  }
}

/** What a request calls late must be: judged by its arrival. And it finds nothing, takes nothing, counts nothing. */
function * checkIsLate ({ history, tracks }: Facts, clocks: Clocks): Iterable<Fault> {
  for (const [now, event] of history.entries()) {
    if (event.what !== 'loaded' || !event.isLate) continue
    const { visit, view } = event
    const { via, sentAt } = tracks.find((track) => track.visit === visit) as Track
    if (view.found) yield { kind: 'late request finds something', text: `request #${visit.n} is late, and finds a session` }
    if (via === null) yield { kind: 'late without cause', text: `request #${visit.n} is late, and its token belongs to no session` }
    if (via === null || tokenChanges(via).some(({ at }) => at <= now) || clocks.mayHaveExpired(via, sentAt, now)) continue
    const ends = via.acts.filter((act) => act.at <= now && mayCount(act) && (act.ends || act.deed.op.does === 'clear'))
    // an end whose moment is not known, or that is under way, may be a minute old or none
    const latest = Math.max(...ends.map(({ at, confirmedAt }) => confirmedAt < sentAt ? Math.max(...history.slice(at, confirmedAt + 1).map(({ clock }) => clock)) : Infinity))
    if (visit.arrival >= latest + MINUTE) yield { kind: 'late without cause', text: `request #${visit.n} is late, and nothing has ended ${via.name} within a minute` }
  }
  for (const { acts } of tracks) {
    for (const { line, deed, visit } of acts) {
      const isDone = deed.isAsync && deed.error === undefined && deed.result !== undefined
      if (line.isLimbo && isDone && (deed.op.does === 'update' || deed.op.does === 'take')) yield { kind: 'late request counts', text: `request #${visit.n} came late, and its ${deed.op.does}() answers ${String(deed.result)}` }
    }
  }
}

/** The first event of what killed the token. */
function firstSign (line: Line, dead: number): number {
  return Math.min(...line.acts.filter((act) => act.confirmedAt === dead).map((act) => act.at))
}

export type { Look, Track }
