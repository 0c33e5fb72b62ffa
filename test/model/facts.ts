// First reading of a history: which session each token opens, each operation
// concerns, and between which events each one reached the store.
import { isStoreFailure } from './ask.js'
import { isRead } from './gated-store.js'
import type { Deed, Event, Visit } from './history.js'
import { isSuperseded, leavesNothing, savesFirst } from './pending-acts.js'
import type { Act, Facts, Line, Track } from './track.js'

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

/** Between which applied calls an act took effect. */
function narrow (track: Track, act: Act): void {
  const last = act.fate === 'confirmed' ? act.confirmedAt : Infinity
  const calls = act.fate === 'dropped' ? [] : track.applied.filter((at) => at >= act.at && at <= last)
  act.lo = calls[0] ?? Infinity
  act.hi = calls.at(-1) ?? -Infinity
}
