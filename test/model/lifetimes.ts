// When a session must still be there, and when it must not any more. Both sides
// are cautious: between them lies what the promises leave open.
import type { Act, Facts, Line, Track } from './track.js'
import type { Visit } from './history.js'
import { DEFAULTS, LIFETIMES } from './schedule.js'

interface Limits { readonly idle: number, readonly absolute: number }

/** What is known of one session's deadlines, while the history is read. */
class Deadlines {
  readonly line: Line
  /** Last use that counts for certain; a clock set back takes it along. */
  lastUse: number
  created: number
  /** The latest the clock has shown while the session was in use, and when it was made. */
  latest: number
  createdAtMost: number
  /** From when to when it may have expired. */
  readonly doubts: Array<{ from: number, to: number }> = []
  readonly #sinceLifetime = new Map<Act, number>()

  constructor (line: Line, clock: number) {
    this.line = line
    // its request counts from arrival
    this.lastUse = this.created = Math.min(clock, line.by.arrival)
    this.latest = this.createdAtMost = clock
  }

  /** The lifetimes that may hold at that event. */
  limits (now: number): Limits[] {
    const set = lifetimesOf(this.line).filter((act) => act.at <= now && act.fate !== 'dropped')
    const confirmed = set.filter((act) => act.confirmedAt <= now)
    const open = set.filter((act) => !confirmed.some((later) => later !== act && later.lo < Infinity && later.lo > act.hi && act.fate !== 'pending' && (act.confirmedAt <= now || act.fate === 'unknown')))
    const own = open.map(({ deed: { op } }) => op.does === 'lifetime' ? LIFETIMES[op.to] : DEFAULTS)
    return confirmed.length > 0 ? own : [DEFAULTS, ...inherited(this.line), ...own]
  }

  aliveUntil (now: number): number {
    const limits = this.limits(now)
    return Math.min(this.lastUse + Math.min(...limits.map(({ idle }) => idle)) / 2, this.created + Math.min(...limits.map(({ absolute }) => absolute)))
  }

  /** From then on it has expired, whatever happened. */
  deadFrom (now: number): number {
    const limits = this.limits(now)
    return Math.min(this.latest + Math.max(...limits.map(({ idle }) => idle)), this.createdAtMost + Math.max(...limits.map(({ absolute }) => absolute)))
  }

  /** The clock shows this while requests of the session are under way. */
  inUse (clock: number): void {
    this.latest = Math.max(this.latest, clock)
    for (const [act, latest] of this.#sinceLifetime) this.#sinceLifetime.set(act, Math.max(latest, clock))
  }

  lifetimeCalled (act: Act, clock: number): void {
    this.lastUse = Math.min(this.lastUse, act.visit.arrival)
    this.#sinceLifetime.set(act, clock)
  }

  /** What was deduced before it no longer counts, where nothing else can hold. */
  lifetimeConfirmed (act: Act, now: number): void {
    if (this.limits(now).length === 1) this.latest = this.#sinceLifetime.get(act) ?? this.latest
  }
}

export interface Clocks {
  /** Whether it may have expired at some moment between these events. */
  mayHaveExpired (line: Line, from: number, to: number): boolean
  /** Who found a session that had expired, whatever happened. */
  readonly surelyExpired: ReadonlyArray<{ readonly name: string, readonly line: Line }>
}

export function readClocks ({ history, tracks, lines, lineOf }: Facts): Clocks {
  const all = new Map<Line, Deadlines>()
  const surelyExpired: Array<{ name: string, line: Line }> = []
  const clockAt = (index: number) => history[index]?.clock ?? 0
  let before = 0

  for (const [now, event] of history.entries()) {
    const { clock, what } = event
    for (const line of lines) if (line.bornAt === now) all.set(line, new Deadlines(line, clock))
    if (what === 'sent') {
      for (const track of tracks) if (track.sentAt === now && track.via !== null) check(track, now)
    }
    if (what === 'probed' && event.view.found) {
      const line = lineOf(event.token)
      const times = line === null ? undefined : all.get(line)
      if (line !== null && times !== undefined && clock >= times.deadFrom(now)) surelyExpired.push({ name: 'the look at the end', line })
    }
    for (const track of tracks) if (track.loadedAt === now && track.view?.found === true && track.line !== undefined) use(track, now)
    for (const [line, times] of all) {
      if (clock < before) {
        times.lastUse = Math.min(times.lastUse, clock)
        times.created = Math.min(times.created, clock)
      }
      if (line.tokens.length === 0 || (line.tokens[0]?.at ?? 0) >= now) times.createdAtMost = Math.max(times.createdAtMost, clock)
      for (const act of lifetimesOf(line)) {
        if (act.at === now) times.lifetimeCalled(act, clock)
        if (act.confirmedAt === now) times.lifetimeConfirmed(act, now)
      }
      if (isInUse(line, now)) times.inUse(clock)
      if (what === 'applied' && isOverdue(event.visit, line, now, Math.min(...times.limits(now).map(({ idle }) => idle)))) times.doubts.push({ from: now, to: Infinity })
      const last = times.doubts.at(-1)
      if (clock >= times.aliveUntil(now)) {
        if (last === undefined || last.to !== Infinity) times.doubts.push({ from: now, to: Infinity })
      } else if (last?.to === Infinity && wasFound(line, last.from, now)) last.to = now
    }
    before = clock
  }
  return {
    surelyExpired,
    mayHaveExpired: (line, from, to) => all.get(line)?.doubts.some((doubt) => doubt.from <= to && doubt.to >= from) ?? true
  }

  /** Found alive: from its arrival it has half the idle timeout. */
  function use (track: Track, now: number): void {
    const line = track.via
    const times = line === null ? undefined : all.get(line)
    if (line === null || times === undefined) return
    const failed = track.failed.some((at) => at < now)
    const isDisturbed = lifetimesOf(line).some((act) => act.at <= now && act.at >= 0 && (act.confirmedAt > track.sentAt))
    const wentBack = history.slice(track.sentAt, now).some((event, i) => i > 0 && event.clock < clockAt(track.sentAt + i - 1))
    if (!failed && !isDisturbed && !wentBack) times.lastUse = Math.max(times.lastUse, track.visit.arrival)
  }

  /** What is asked for and takes longer than the idle timeout to reach the store writes a deadline that has passed. */
  function isOverdue (visit: Visit, line: Line, now: number, idle: number): boolean {
    const track = tracks.find((each) => each.visit === visit) as Track
    const begun = history.slice(0, now).findLastIndex((event) => (event.what === 'did' || event.what === 'sent') && event.visit === visit)
    const earliest = Math.min(...history.slice(Math.max(begun, 0), now).map(({ clock }) => clock))
    return begun >= 0 && isInUseBy(track, line) && clockAt(now) - earliest >= idle
  }

  /** Somebody found it: it has not expired, whatever the clock showed. */
  function wasFound (line: Line, since: number, now: number): boolean {
    return tracks.some((track) => track.loadedAt === now && track.sentAt > since && track.via === line && track.view?.found === true)
  }

  function check (track: Track, now: number): void {
    if (track.view?.found !== true || track.loadedAt === Infinity || track.via === null) return
    const times = all.get(track.via)
    const earliest = Math.min(...history.slice(now, track.loadedAt + 1).map((event) => event.clock))
    const others = tracks.some((each) => each !== track && each.via === track.via && each.sentAt < track.loadedAt && each.answeredAt > now && !each.visit.isDead)
    if (times !== undefined && !others && earliest >= times.deadFrom(now)) surelyExpired.push({ name: `request #${track.visit.n}`, line: track.via })
  }

  function isInUse (line: Line, now: number): boolean {
    return tracks.some((track) => track.sentAt <= now && lastSignOf(track) >= now && isInUseBy(track, line))
  }
}

function isInUseBy (track: Track, line: Line): boolean {
  return track.via === line || line.by === track.visit || track.acts.some((act) => act.line === line)
}

/** Orphaned calls of a failed or dead request may still be applied. */
function lastSignOf (track: Track): number {
  return Math.max(track.answeredAt === Infinity ? (track.visit.isDead ? 0 : Infinity) : track.answeredAt, ...track.applied)
}

function lifetimesOf (line: Line): Act[] {
  return line.acts.filter(({ deed }) => deed.op.does === 'lifetime')
}

/** What a regenerated session may have brought along. */
function inherited (line: Line): Limits[] {
  if (line.parent === null) return []
  const own = lifetimesOf(line.parent).map(({ deed: { op } }) => op.does === 'lifetime' ? LIFETIMES[op.to] : DEFAULTS)
  return [...own, ...inherited(line.parent)]
}
