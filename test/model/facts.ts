// First reading of a history: which session each token opens, each operation
// concerns, and between which events each one reached the store.
import { isStoreFailure } from './ask.js'
import { isRead } from './gated-store.js'
import type { Deed, Event, View, Visit } from './history.js'

/** A session: a rotated one is the same, after regenerate() it is another. */
export interface Line {
  readonly name: string
  /** The one that regenerate() left, and what was to come along. */
  readonly parent: Line | null
  readonly keep: readonly string[] | 'all'
  readonly by: Visit
  readonly bornAt: number
  readonly acts: Act[]
  readonly tokens: Token[]
}

export interface Token { readonly value: string, readonly at: number }

/** An operation, the session it concerns, and when it took effect. */
export interface Act {
  readonly visit: Visit
  readonly deed: Deed
  readonly line: Line
  /** When it was called. */
  readonly at: number
  /** When the request knew that it was stored; Infinity: never. */
  confirmedAt: number
  fate: 'pending' | 'confirmed' | 'dropped' | 'unknown'
  /** The first and the last store call that can have applied it. */
  lo: number
  hi: number
  /** It leaves no session behind: destroy, regenerate, and a clear with nothing set after. */
  ends: boolean
}

/** A request, seen through its session. */
export interface Track {
  readonly visit: Visit
  readonly sentAt: number
  loadedAt: number
  answeredAt: number
  view: View | null
  /** The session its token belongs to, found or not. */
  readonly via: Line | null
  /** The session it works on. */
  line: Line | null
  /** The last session it knows to be stored. */
  stored: Line | null
  /** By step of the script: the session that it left the request with. */
  readonly lineAt: Map<number, Line | null>
  openSaves: number
  /** What its saves confirm depends on their order: nothing is asked of its cookie. */
  isUnclear: boolean
  readonly acts: Act[]
  readonly asked: number[]
  readonly applied: number[]
  readonly failed: number[]
}

export interface Facts {
  readonly history: readonly Event[]
  readonly tracks: readonly Track[]
  readonly lines: readonly Line[]
  lineOf (token: string | null): Line | null
}

const CONTENT = new Set(['set', 'update'])
const ENDS = new Set(['destroy', 'regenerate'])

export function readFacts (history: readonly Event[]): Facts {
  const tracks = new Map<Visit, Track>()
  const lines: Line[] = []
  const owners = new Map<string, Line>()
  const lineOf = (token: string | null) => token === null ? null : owners.get(token) ?? null

  for (const [now, event] of history.entries()) {
    if (event.what === 'clock' || event.what === 'probed') continue
    const { visit } = event
    if (event.what === 'sent') {
      const via = lineOf(visit.token)
      tracks.set(visit, { visit, sentAt: now, loadedAt: Infinity, answeredAt: Infinity, view: null, via, line: null, stored: null, lineAt: new Map(), openSaves: 0, isUnclear: false, acts: [], asked: [], applied: [], failed: [] })
      continue
    }
    const track = tracks.get(visit) as Track
    switch (event.what) {
      case 'loaded':
        track.loadedAt = now
        track.view = event.view
        track.line = track.stored = event.view.found ? track.via : null
        break
      case 'asked': if (!isRead(event.call)) track.asked.push(now); break
      case 'applied': if (!isRead(event.call)) track.applied.push(now); break
      case 'failed': track.failed.push(now); break
      case 'did': did(track, event.deed, now); break
      case 'settled': settled(track, event.deed, now); break
      case 'answered': answered(track, now); break
      case 'died': leaveOpen(track); break
    }
  }
  for (const track of tracks.values()) for (const act of track.acts) narrow(track, act)
  return { history, tracks: [...tracks.values()], lines, lineOf }

  function begin (track: Track, at: number, parent: Line | null, keep: Line['keep']): Line {
    const line: Line = { name: `session ${lines.length}`, parent, keep, by: track.visit, bornAt: at, acts: [], tokens: [] }
    lines.push(line)
    return line
  }

  function did (track: Track, deed: Deed, at: number): void {
    takeIn(track, deed, at)
    track.lineAt.set(deed.n, track.line)
    if (deed.op.does !== 'save' || !deed.isAsync) return
    // from here on a cleared session with nothing set after is left behind
    const pending = track.acts.filter((act) => act.fate === 'pending' && act.line === track.line)
    if (leavesNothing(pending)) track.line = null
    if (track.openSaves++ > 0) track.isUnclear = true
  }

  function takeIn (track: Track, deed: Deed, at: number): void {
    if (deed.error !== undefined) return
    const { does } = deed.op
    if (does === 'get' || does === 'save' || does === 'reload') return
    if (CONTENT.has(does) || does === 'lifetime') track.line ??= begin(track, at, null, [])
    // a logout with a token that no longer opens still ends what it belonged to
    const line = does === 'destroy' ? track.line ?? (track.stored === null ? track.via : null) : track.line
    if (line !== null) {
      const act: Act = { visit: track.visit, deed, line, at, confirmedAt: Infinity, fate: 'pending', lo: Infinity, hi: -Infinity, ends: ENDS.has(does) }
      track.acts.push(act)
      line.acts.push(act)
    }
    if (deed.op.does === 'regenerate') track.line = begin(track, at, track.line, deed.op.keep)
    if (does === 'destroy') track.line = null
  }

  function settled (track: Track, deed: Deed, now: number): void {
    const own = track.acts.find((act) => act.deed === deed)
    const { does } = deed.op
    if (does === 'reload' && deed.error === undefined) {
      for (const act of track.acts) if (act.fate === 'pending' && act.deed.n < deed.n) act.fate = 'dropped'
      track.line = deed.result === 'nothing' ? null : track.stored
    } else if (does === 'save') {
      track.openSaves--
      const pending = track.acts.filter((act) => (act.fate === 'pending' || act.fate === 'unknown') && act.deed.n < deed.n && act !== own)
      const outcome = deed.error !== undefined ? 'unknown' : deed.result === true ? 'confirmed' : 'dropped'
      close(track, pending, outcome, track.lineAt.get(deed.n) ?? null, now)
    } else if (own !== undefined && own.fate === 'pending') {
      // what is stored at once says so itself
      close(track, [own], deed.error === undefined ? 'confirmed' : isStoreFailure(deed.error) ? 'unknown' : 'dropped', own.line, now)
    }
  }

  function answered (track: Track, now: number): void {
    const { response } = track.visit
    track.answeredAt = now
    const pending = track.acts.filter((act) => act.fate === 'pending' && !act.deed.isOpen)
    close(track, pending, response?.status !== 200 ? 'unknown' : response.isEnded ? 'dropped' : 'confirmed', track.line, now)
    leaveOpen(track)
    for (const value of response?.cookies ?? []) {
      if (value === '' || owners.has(value)) continue
      track.stored ??= begin(track, now, null, [])
      owners.set(value, track.stored)
      track.stored.tokens.push({ value, at: now })
    }
  }

  function close (track: Track, acts: readonly Act[], fate: Act['fate'], line: Line | null, now: number): void {
    for (const act of acts) {
      // a save that says no after all may have stored something
      act.fate = fate === 'dropped' && track.applied.some((at) => at >= act.at) ? 'unknown' : fate
      if (fate === 'confirmed') act.confirmedAt = now
      if (act.deed.op.does === 'clear') act.ends = leavesNothing(acts.filter((each) => each.line === act.line && each.at >= act.at))
    }
    if (fate === 'dropped' && acts.some((act) => act.fate === 'unknown')) track.stored = line
    if (fate !== 'confirmed') return
    const isCleared = acts.some((act) => act.deed.op.does === 'clear' && act.ends && act.line === line)
    track.stored = isCleared ? null : line
    if (isCleared && track.line === line) track.line = null
  }

  function leaveOpen (track: Track): void {
    for (const act of track.acts) if (act.fate === 'pending') act.fate = 'unknown'
  }
}

/** A clear, and nothing after it that needs the session. */
function leavesNothing (acts: readonly Act[]): boolean {
  const last = acts.findLastIndex(({ deed }) => deed.op.does === 'clear')
  return last >= 0 && acts.slice(last + 1).every(({ deed }) => deed.op.does === 'touch')
}

/** Between which applied calls an act took effect. */
function narrow (track: Track, act: Act): void {
  const last = act.fate === 'confirmed' ? act.confirmedAt : Infinity
  const calls = act.fate === 'dropped' ? [] : track.applied.filter((at) => at >= act.at && at <= last)
  act.lo = calls[0] ?? Infinity
  act.hi = calls.at(-1) ?? -Infinity
}
