// Which sessions each owner has in this process.
import type { Clock } from '../../../types/options.js'
import type { OwnerAddition, OwnerEntry, SessionOwners } from '../../../types/owners.js'
import { OwnerList } from './owner-list.js'
import { ShardedMap } from './sharded-map.js'
import { compact } from './string-size.js'

export class OwnerLists implements SessionOwners {
  readonly #lists = new ShardedMap<OwnerList>()
  readonly #clock: Clock

  constructor (clock: Clock) {
    this.#clock = clock
  }

  add (owner: string, id: string, entry: OwnerEntry): OwnerAddition {
    const list = this.#lists.get(owner) ?? this.#begin(owner)
    const result = list.add(id, entry, this.#clock.now())
    this.#dropEmpty(owner, list)
    return { result, marked: [...list.marked] }
  }

  renew (owner: string, id: string, expiresAt: number): boolean {
    return this.#lists.get(owner)?.renew(id, expiresAt, this.#clock.now()) ?? false
  }

  mark (owner: string, except: readonly string[]): readonly string[] {
    const list = this.#lists.get(owner)
    if (list === undefined) return []
    list.markAllBut(except, this.#clock.now())
    this.#dropEmpty(owner, list)
    return [...list.marked]
  }

  remove (owner: string, ids: readonly string[]): void {
    const list = this.#lists.get(owner)
    if (list === undefined) return
    for (const id of ids) list.remove(id)
    this.#dropEmpty(owner, list)
  }

  list (owner: string): readonly string[] {
    const list = this.#lists.get(owner)
    if (list === undefined) return []
    const ids = list.liveIds(this.#clock.now())
    this.#dropEmpty(owner, list)
    return ids
  }

  #begin (owner: string): OwnerList {
    const list = new OwnerList()
    this.#lists.set(compact(owner), list)
    return list
  }

  #dropEmpty (owner: string, list: OwnerList): void {
    if (list.isEmpty) this.#lists.delete(owner)
  }
}
