// The sessions of one owner: ids with their deadlines, and apart from them those that are about to be ended.
import type { OwnerEntry } from '../../../types/owners.js'
import { compact } from './string-size.js'

const NONE: ReadonlySet<string> = new Set()

export class OwnerList {
  readonly #live = new Map<string, number>()
  #marked: Set<string> | null = null

  get marked (): ReadonlySet<string> { return this.#marked ?? NONE }

  get isEmpty (): boolean { return this.#live.size === 0 && this.marked.size === 0 }

  /** Looks through the whole list, which may hold a million: only where somebody wants to know. */
  liveIds (now: number): string[] {
    for (const [id, expiresAt] of this.#live) if (expiresAt <= now) this.#live.delete(id)
    return [...this.#live.keys()]
  }

  add (id: string, { expiresAt, limit = Infinity, onLimit = 'end-oldest', replaces, isSuccessor = false }: OwnerEntry, now: number): 'done' | 'refused' | 'ended' {
    if (isSuccessor && this.marked.has(replaces as string)) return 'ended'
    if (limit !== Infinity) {
      const others = this.liveIds(now).filter((each) => each !== id && each !== replaces)
      const tooMany = others.length + 1 - limit
      if (tooMany > 0 && onLimit === 'refuse') return 'refused'
      if (tooMany > 0) this.#mark(this.#soonestFirst(others).slice(0, tooMany))
    }
    if (!this.marked.has(id)) this.#live.set(this.#live.has(id) ? id : compact(id), expiresAt)
    return 'done'
  }

  renew (id: string, expiresAt: number, now: number): boolean {
    const current = this.#live.get(id)
    if (current === undefined) return this.marked.has(id)
    if (current <= now) return false
    if (current < expiresAt) this.#live.set(id, expiresAt)
    return true
  }

  markAllBut (except: readonly string[], now: number): void {
    const kept = new Set(except)
    this.#mark(this.liveIds(now).filter((id) => !kept.has(id)))
  }

  remove (id: string): void {
    this.#live.delete(id)
    this.#marked?.delete(id)
  }

  #mark (ids: readonly string[]): void {
    this.#marked ??= new Set()
    for (const id of ids) {
      this.#live.delete(id)
      this.#marked.add(id)
    }
  }

  #soonestFirst (ids: string[]): string[] {
    return ids.sort((one, other) => (this.#live.get(one) as number) - (this.#live.get(other) as number))
  }
}
