// The store as the rest of this package sees it: it answers in time and in kind,
// or fails with a typed error that tells a client nothing.
import type { SessionOwners } from '../../types/owners.js'
import type { SessionStore } from '../../types/store.js'
import type { BoundedCall } from './bounded-call.js'
import * as functions from './store-functions.js'

/** A store whose every call is bounded. */
export function boundStore (store: SessionStore, call: BoundedCall): SessionStore {
  return {
    read: (id) => call(functions.read, () => store.read(id), id),
    create: (id, record) => call(functions.create, () => store.create(id, record), id, () => Object.values(record.values)),
    update: (id, changes) => call(functions.update, () => store.update(id, changes), id, () => Object.values(changes.set)),
    touch: (id, renewal) => call(functions.touch, () => store.touch(id, renewal), id),
    destroy: (id, condition) => call(functions.destroy, () => store.destroy(id, condition), id),
    ...(store.ids !== undefined && { ids: () => boundedSlices(store as SlicedStore, call) })
  }
}

type SlicedStore = SessionStore & Required<Pick<SessionStore, 'ids'>>
type Slices = Iterator<readonly string[]> | AsyncIterator<readonly string[]>

/** Each slice in time. */
async function * boundedSlices (store: SlicedStore, call: BoundedCall): AsyncGenerator<readonly string[]> {
  let slices: Slices | undefined
  const next = () => {
    slices ??= iterate(store.ids())
    return slices.next()
  }
  while (true) {
    const { done, value } = await call(functions.ids, next, null)
    if (done === true) return
    yield value
  }
}

function iterate (slices: Iterable<readonly string[]> | AsyncIterable<readonly string[]>): Slices {
  return Symbol.asyncIterator in slices ? slices[Symbol.asyncIterator]() : slices[Symbol.iterator]()
}

/** Its lists of owners, too. */
export function boundOwners (owners: SessionOwners, call: BoundedCall): SessionOwners {
  return {
    add: (owner, id, entry) => call(functions.add, () => owners.add(owner, id, entry), id),
    renew: (owner, id, expiresAt) => call(functions.renew, () => owners.renew(owner, id, expiresAt), id),
    mark: (owner, except) => call(functions.mark, () => owners.mark(owner, except), null),
    remove: (owner, listed) => call(functions.remove, () => owners.remove(owner, listed), null),
    list: (owner) => call(functions.list, () => owners.list(owner), null)
  }
}
