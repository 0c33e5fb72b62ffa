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
  /** What a late request stores nothing of, unless it logs in or out. */
  readonly isLimbo: boolean
  readonly acts: Act[]
  readonly tokens: Token[]
}

export interface Token { readonly value: string, readonly at: number }

/** An operation, the session it concerns, and when it took effect. */
export interface Act {
  readonly visit: Visit
  readonly deed: Deed
  readonly line: Line
  /** When its request was sent. */
  readonly sentAt: number
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
  /** Its session or its token has ended: only a login or a logout acts. The package says so, the rules judge it. */
  isLate: boolean
  /** What puts another session, or an empty one, in the place of this one, and is pending. */
  replacing: Deed[]
  /** Saves under way: the first is at the store, the others wait for their turn. */
  readonly openSaves: Set<Deed>
  /** By save: the step before which it found everything pending when its turn came. */
  readonly turns: Map<Deed, number>
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
      tracks.set(visit, { visit, sentAt: now, loadedAt: Infinity, answeredAt: Infinity, view: null, via, line: null, stored: null, lineAt: new Map(), isLate: false, replacing: [], openSaves: new Set(), turns: new Map(), acts: [], asked: [], applied: [], failed: [] })
      continue
    }
    const track = tracks.get(visit) as Track
    switch (event.what) {
      case 'loaded':
        track.loadedAt = now
        track.view = event.view
        track.line = track.stored = event.view.found ? track.via : null
        track.isLate = event.isLate
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
    const line: Line = { name: `session ${lines.length}`, parent, keep, by: track.visit, bornAt: at, isLimbo: track.isLate, acts: [], tokens: [] }
    lines.push(line)
    return line
  }

  function did (track: Track, deed: Deed, at: number): void {
    takeIn(track, deed, at)
    track.lineAt.set(deed.n, track.line)
    if (deed.op.does !== 'save' || !deed.isAsync) return
    track.openSaves.add(deed)
    if (track.openSaves.size === 1) takeTurn(track, deed, deed.n)
  }

  /** A save sends what is pending now. From here on a cleared session with nothing set after is left behind, where it was stored. */
  function takeTurn (track: Track, save: Deed, before: number): void {
    track.turns.set(save, before)
    track.lineAt.set(save.n, track.line)
    const pending = track.acts.filter((act) => act.fate === 'pending')
    if (track.line !== null && track.line === track.stored && leavesNothing(pending, track.line)) track.line = null
  }

  function takeIn (track: Track, deed: Deed, at: number): void {
    if (deed.error !== undefined && !deed.isAsync) return
    const { does } = deed.op
    if (does === 'get' || does === 'save' || does === 'reload') return
    if (CONTENT.has(does) || does === 'lifetime') track.line ??= begin(track, at, null, [])
    if (ENDS.has(does)) track.isLate = false
    if ((ENDS.has(does) || does === 'clear') && (track.stored !== null || track.openSaves.size > 0)) track.replacing.push(deed)
    // a logout with a token that no longer opens still ends what it belonged to
    const line = does === 'destroy' ? track.line ?? (track.stored === null ? track.via : null) : track.line
    if (line !== null) {
      const act: Act = { visit: track.visit, deed, line, sentAt: track.sentAt, at, confirmedAt: Infinity, fate: 'pending', lo: Infinity, hi: -Infinity, ends: ENDS.has(does) }
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
      // what a save has sent stays sent
      const saving = [...track.openSaves].findLast((save) => save.n < deed.n)
      for (const act of track.acts) if (act.fate === 'pending' && act.deed.n < deed.n && !(saving !== undefined && act.deed.n < saving.n)) act.fate = 'dropped'
      const saved = saving === undefined ? null : track.lineAt.get(saving.n) ?? null
      track.line = deed.result === 'nothing' ? null : saved ?? track.stored ?? track.via
      track.isLate = deed.isLate === true
      track.replacing = []
    } else if (does === 'save') {
      const before = track.turns.get(deed) ?? deed.n
      track.openSaves.delete(deed)
      if (deed.error === undefined) track.replacing = track.replacing.filter(({ n }) => n >= before)
      const pending = track.acts.filter((act) => (act.fate === 'pending' || (act.fate === 'unknown' && act.deed.error === undefined)) && act.deed.n < before && act !== own)
      const outcome = deed.error !== undefined ? 'unknown' : deed.result === true ? 'confirmed' : 'dropped'
      // what did not reach a session that has ended is pending again, below the new one that was begun since
      const isPendingAgain = outcome === 'dropped' && track.acts.some((act) => act.deed.n >= before && ENDS.has(act.deed.op.does))
      if (!isPendingAgain) close(track, pending, outcome, track.lineAt.get(deed.n) ?? null, now)
      // and nothing stored is left that it could replace
      else track.replacing = []
      const [next] = track.openSaves
      if (next !== undefined && !track.turns.has(next)) takeTurn(track, next, Math.max(...track.lineAt.keys()) + 1)
    } else if (own !== undefined && own.fate === 'pending') {
      const outcome = deed.error === undefined ? 'confirmed' : isStoreFailure(deed.error) ? 'unknown' : 'dropped'
      const before = track.acts.filter((act) => act.fate === 'pending' && act.deed.n < deed.n)
      // what is pending where the session is replaced is saved with it, or before
      if (savesFirst(track.replacing, own)) {
        close(track, [...before, own], outcome, track.lineAt.get(deed.n) ?? null, now)
        if (deed.error === undefined) track.replacing = []
      // what is stored at once says so itself, and what begins a session waits for the save
      } else if (outcome !== 'confirmed' || own.line === track.stored) close(track, [own], outcome, own.line, now)
    }
  }

  function answered (track: Track, now: number): void {
    const { response } = track.visit
    track.answeredAt = now
    const pending = track.acts.filter((act) => act.fate === 'pending' && !act.deed.isOpen)
    const { stored } = track
    close(track, pending, response?.status !== 200 ? 'unknown' : response.isEnded ? 'dropped' : 'confirmed', track.line, now)
    // a session that has ended was not followed by another: the cookie of an earlier save is the old one's
    if (response?.isEnded === true) track.stored = stored
    leaveOpen(track)
    for (const value of response?.cookies ?? []) {
      if (value === '' || owners.has(value)) continue
      track.stored ??= begin(track, now, null, [])
      owners.set(value, track.stored)
      track.stored.tokens.push({ value, at: now })
    }
  }

  function close (track: Track, acts: readonly Act[], fate: Act['fate'], line: Line | null, now: number): void {
    const { stored } = track
    for (const act of acts) {
      // a save that says no after all may have stored something
      const isUnsure = (fate === 'dropped' && track.applied.some((at) => at >= act.at)) || (fate === 'confirmed' && isSuperseded(act, acts))
      act.fate = isUnsure ? 'unknown' : fate
      if (act.fate === 'confirmed') act.confirmedAt = now
      if (act.deed.op.does === 'clear') act.ends = act.line === stored && leavesNothing(acts.filter((each) => each.at >= act.at || each.line !== act.line), act.line)
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

/** A step-up that a login of the same save comes after: the login may end the session, or find that it has ended. */
function isSuperseded (act: Act, acts: readonly Act[]): boolean {
  return act.deed.op.does === 'reauthenticated' && acts.some((later) => later.at > act.at && later.deed.op.does === 'regenerate')
}

/** A clear, and nothing set after it. One that regenerate() begins in the same save stays, and is empty. */
function leavesNothing (all: readonly Act[], line: Line): boolean {
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
function savesFirst (replacing: readonly Deed[], { deed }: Act): boolean {
  if (replacing.length === 0) return false
  // of what is not there any more nothing can be taken
  return deed.op.does === 'update' || deed.result !== undefined || replacing.every(({ op }) => op.does === 'regenerate' && op.keep === 'all')
}

/** Between which applied calls an act took effect. */
function narrow (track: Track, act: Act): void {
  const last = act.fate === 'confirmed' ? act.confirmedAt : Infinity
  const calls = act.fate === 'dropped' ? [] : track.applied.filter((at) => at >= act.at && at <= last)
  act.lo = calls[0] ?? Infinity
  act.hi = calls.at(-1) ?? -Infinity
}
