// The store as the rest of this package sees it: it answers in time and in kind,
// or fails with a typed error that tells a client nothing.
import type { OwnerAddition, SessionOwners } from '../../types/owners.js'
import type { SessionStore } from '../../types/store.js'
import type { AnswerKind, BoundedCall } from './bounded-call.js'

// what is no record is told apart later, and counts as absent; a thenable that claims to be none might be waited for without a time limit
const noThenable: AnswerKind = { expected: 'a record, the mark of an ended session or null', isAnswer: (answer) => typeof answer !== 'object' || answer === null || !('then' in answer) }
const aBoolean: AnswerKind = { expected: 'a boolean', isAnswer: (answer) => typeof answer === 'boolean' }
const anUpdateResult = oneOf('done', 'missing', 'conflict', 'too-large')
const aTouchResult = oneOf('done', 'missing', 'stale')
const aDestroyResult = oneOf('done', 'missing', 'conflict')
const anAddition: AnswerKind = { expected: "{ result: 'done', 'refused' or 'ended', marked: a list of ids }", isAnswer: isAddition }
const ids: AnswerKind = { expected: 'a list of ids', isAnswer: isListOfIds }
const aSlice: AnswerKind = { expected: 'lists of ids', isAnswer: isSlice }
const anything: AnswerKind = { expected: 'nothing', isAnswer: () => true }

function isAddition (answer: unknown): boolean {
  const { result, marked } = (answer ?? {}) as Partial<OwnerAddition>
  return (result === 'done' || result === 'refused' || result === 'ended') && isListOfIds(marked)
}

function isSlice (answer: unknown): boolean {
  const { done, value } = answer as IteratorResult<unknown>
  return done === true || isListOfIds(value)
}

function isListOfIds (answer: unknown): boolean {
  return Array.isArray(answer) && answer.every((id) => typeof id === 'string')
}

function oneOf (...answers: readonly unknown[]): AnswerKind {
  return { expected: answers.map((each) => `'${String(each)}'`).join(' or '), isAnswer: (answer) => answers.includes(answer) }
}

/** A store whose every call is bounded. */
export function boundStore (store: SessionStore, call: BoundedCall): SessionStore {
  return {
    read: (id) => call('store.read()', noThenable, () => store.read(id)),
    create: (id, record) => call('store.create()', aBoolean, () => store.create(id, record), () => Object.values(record.values)),
    update: (id, changes) => call('store.update()', anUpdateResult, () => store.update(id, changes), () => Object.values(changes.set)),
    touch: (id, renewal) => call('store.touch()', aTouchResult, () => store.touch(id, renewal)),
    destroy: (id, condition) => call('store.destroy()', aDestroyResult, () => store.destroy(id, condition)),
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
    const { done, value } = await call('store.ids()', aSlice, next)
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
    add: (owner, id, entry) => call('store.owners.add()', anAddition, () => owners.add(owner, id, entry)),
    renew: (owner, id, expiresAt) => call('store.owners.renew()', aBoolean, () => owners.renew(owner, id, expiresAt)),
    mark: (owner, except) => call('store.owners.mark()', ids, () => owners.mark(owner, except)),
    remove: (owner, listed) => call('store.owners.remove()', anything, () => owners.remove(owner, listed)),
    list: (owner) => call('store.owners.list()', ids, () => owners.list(owner))
  }
}
