// What a look into a session must show, and what it must not.
import { mayEndNothing, mayCount, touches, type Fault } from './ask.js'
import type { Act, Facts, Line, Track } from './track.js'
import type { View } from './history.js'
import type { Clocks } from './lifetimes.js'

interface Sight {
  readonly name: string
  readonly line: Line
  readonly from: number
  readonly to: number
  readonly data: View['data']
}

export function * checkValues (facts: Facts, clocks: Clocks): Iterable<Fault> {
  const writers = new Map<string, Act>()
  for (const line of facts.lines) for (const act of line.acts) if (act.deed.op.does === 'set') writers.set(act.deed.value, act)
  for (const sight of sightsOf(facts)) {
    yield * checkKept(sight, clocks, facts)
    yield * checkOrigin(sight, writers, clocks, facts)
    yield * checkCount(sight, clocks)
  }
  yield * checkTaken(facts)
}

function * sightsOf ({ history, tracks, lineOf }: Facts): Iterable<Sight> {
  for (const { visit, via, view, sentAt, loadedAt } of tracks) {
    if (view?.found === true && via !== null) yield { name: `request #${visit.n}`, line: via, from: sentAt, to: loadedAt, data: view.data }
  }
  for (const [now, event] of history.entries()) {
    const line = event.what === 'probed' ? lineOf(event.token) : null
    if (event.what === 'probed' && event.view.found && line !== null) yield { name: 'the look at the end', line, from: now, to: now, data: event.view.data }
  }
}

/** What was confirmed is there, unless something that may have come later took it away. */
function * checkKept ({ name, line, from, to, data }: Sight, clocks: Clocks, { tracks }: Facts): Iterable<Fault> {
  for (const act of line.acts) {
    const { op, value } = act.deed
    if (op.does !== 'set' || act.fate !== 'confirmed' || act.confirmedAt > from || data[op.key] === value) continue
    if (clocks.mayHaveExpired(line, act.at, act.confirmedAt)) continue
    const isExcused = line.acts.some((other) => other !== act && touches(other, op.key) && mayCount(other) && other.at <= to &&
      (other.visit === act.visit ? other.deed.n > act.deed.n : other.hi >= act.lo))
    // the handler went on after a save that failed, and its response was no error
    const hadFailed = tracks.some(({ visit, failed }) => visit === act.visit && failed.some((at) => at < act.confirmedAt))
    if (!isExcused) yield { kind: hadFailed ? 'write lost after a failure' : 'write lost', text: `${name} does not see ${op.key} = ${value} in ${line.name}, which request #${act.visit.n} stored` }
  }
}

/** Every value was stored in this session, or came along with a regenerate() that named its key; and nothing comes back. */
function * checkOrigin (sight: Sight, writers: ReadonlyMap<string, Act>, clocks: Clocks, { tracks }: Facts): Iterable<Fault> {
  for (const [key, value] of Object.entries(sight.data)) {
    const act = writers.get(String(value))
    if (key === 'n') continue
    if (act === undefined) {
      yield { kind: 'foreign value', text: `${sight.name} sees ${key} = ${String(value)} in ${sight.line.name}, which nobody stored` }
      continue
    }
    const isKept = comesAlong(act.line, sight.line, key)
    if (isKept !== 'yes') yield { kind: isKept === 'left' ? 'key not kept comes along' : 'foreign value', text: `${sight.name} sees ${key} = ${String(value)} in ${sight.line.name}, stored in ${act.line.name}` }
    else if (keptFromTheDead(act, sight.line, clocks, tracks)) yield { kind: 'kept from an ended session', text: `${sight.name} sees ${key} = ${String(value)} in ${sight.line.name}, kept from ${act.line.name} after that had ended` }
    const later = act.line.acts.find((other) => other !== act && isLater(other, act, key, tracks) && other.confirmedAt <= (act.line === sight.line ? sight.from : sight.line.bornAt))
    if (later !== undefined) yield { kind: 'value comes back', text: `${sight.name} sees ${key} = ${String(value)} in ${sight.line.name}, which request #${later.visit.n} had taken away` }
  }
}

function comesAlong (from: Line, to: Line, key: string): 'yes' | 'left' | 'foreign' {
  let isLeft = false
  for (let line: Line | null = to; line !== null; line = line.parent) {
    if (line === from) return isLeft ? 'left' : 'yes'
    if (line.keep !== 'all' && !line.keep.includes(key)) isLeft = true
  }
  return 'foreign'
}

/** A stored key came along although the session it came from had ended before. */
function keptFromTheDead (act: Act, to: Line, clocks: Clocks, tracks: readonly Track[]): boolean {
  for (let line: Line | null = to; line !== null && line !== act.line; line = line.parent) {
    const maker = tracks.find(({ visit }) => visit === line?.by) as Track
    if (maker.visit === act.visit) return false
    const firstAsk = Math.min(Infinity, ...maker.asked.filter((at) => at >= (line as Line).bornAt))
    if (line.parent?.acts.some((end) => end.ends && end.visit !== maker.visit && end.confirmedAt < firstAsk && !mayEndNothing(end, clocks))) return true
  }
  return false
}

/** Whether it surely took the value away after it was stored. */
function isLater (other: Act, act: Act, key: string, tracks: readonly Track[]): boolean {
  if (other.fate !== 'confirmed' || !touches(other, key) || !(other.lo > act.hi) || other.lo === Infinity || other.visit === act.visit) return false
  const own = other.line.acts.filter(({ visit }) => visit === other.visit)
  if (own.some((each) => each.at > other.at && (touches(each, key)))) return false
  const { does } = other.deed.op
  if (does === 'set') return true
  if (does === 'clear') return true
  if (does !== 'remove' && does !== 'pop') return false
  const track = tracks.find(({ visit }) => visit === other.visit) as Track
  return own.find((each) => touches(each, key)) === other && track.view?.data[key] !== undefined && track.line !== null
}

/** Confirmed updates count once each. */
function * checkCount ({ name, line, from, to, data }: Sight, clocks: Clocks): Iterable<Fault> {
  const updates = line.acts.filter(({ deed }) => deed.op.does === 'update')
  if (updates.length === 0 || line.parent !== null) return
  const clears = line.acts.filter((act) => act.deed.op.does === 'clear' && mayCount(act))
  const certain = updates.filter((act) => act.fate === 'confirmed' && act.confirmedAt <= from && !clears.some((clear) => clear.visit === act.visit || clear.hi >= act.lo) && !clocks.mayHaveExpired(line, act.at, act.confirmedAt))
  const possible = updates.filter((act) => act.at <= to && mayCount(act))
  const n = data.n === undefined ? 0 : Number(data.n)
  if (n < certain.length || n > possible.length) yield { kind: n < certain.length ? 'count lost' : 'counted twice', text: `${name} sees n = ${n} in ${line.name}; at least ${certain.length} and at most ${possible.length} were counted` }
}

/** Each coupon is taken once. */
function * checkTaken ({ tracks }: Facts): Iterable<Fault> {
  const seen = new Set<unknown>()
  for (const { acts } of tracks) {
    for (const { deed } of acts) {
      if (deed.op.does !== 'take' || deed.result === undefined) continue
      if (seen.has(deed.result)) yield { kind: 'taken twice', text: `the coupon ${String(deed.result)} was taken twice` }
      seen.add(deed.result)
    }
  }
}
