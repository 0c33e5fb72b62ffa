// The functions of a store: what each may answer, and what that says of the call.
import { isEnded, isRecord } from '../record/record.js'
import type { OwnerAddition } from '../../types/owners.js'
import type { StoreCallOutcome, StoreFunctionName } from '../../types/store-call.js'

/** A function of the store. */
export interface StoreFunction {
  readonly name: StoreFunctionName
  /** What it has to answer, in words. */
  readonly expected: string
  isAnswer (answer: unknown): boolean
  /** What became of the call, by an answer that is one. */
  outcomeOf (answer: unknown): StoreCallOutcome
}

// what is no record is told apart later, and counts as absent; a thenable that claims to be none might be waited for without a time limit
export const read: StoreFunction = {
  name: 'read',
  expected: 'a record, the mark of an ended session or null',
  isAnswer: (answer) => typeof answer !== 'object' || answer === null || !('then' in answer),
  outcomeOf (answer) {
    if (answer === null || answer === undefined) return 'missing'
    if (isRecord(answer)) return 'done'
    return isEnded(answer) ? 'ended' : 'corrupt'
  }
}
export const create = yesOrNo('create', 'taken')
export const update = oneOf('update', 'done', 'missing', 'conflict', 'too-large')
export const touch = oneOf('touch', 'done', 'missing', 'stale')
export const destroy = oneOf('destroy', 'done', 'missing', 'conflict')
export const ids: StoreFunction = { name: 'ids', expected: 'lists of ids', isAnswer: isSlice, outcomeOf: done }

export const add: StoreFunction = {
  name: 'owners.add',
  expected: "{ result: 'done', 'refused' or 'ended', marked: a list of ids }",
  isAnswer: isAddition,
  outcomeOf: (answer) => (answer as OwnerAddition).result
}
export const renew = yesOrNo('owners.renew', 'missing')
export const mark: StoreFunction = { name: 'owners.mark', expected: 'a list of ids', isAnswer: isListOfIds, outcomeOf: done }
export const remove: StoreFunction = { name: 'owners.remove', expected: 'nothing', isAnswer: () => true, outcomeOf: done }
export const list: StoreFunction = { ...mark, name: 'owners.list' }

function done (): StoreCallOutcome {
  return 'done'
}

function oneOf (name: StoreFunctionName, ...answers: readonly StoreCallOutcome[]): StoreFunction {
  return {
    name,
    expected: answers.map((each) => `'${each}'`).join(' or '),
    isAnswer: (answer) => (answers as readonly unknown[]).includes(answer),
    outcomeOf: (answer) => answer as StoreCallOutcome
  }
}

function yesOrNo (name: StoreFunctionName, no: StoreCallOutcome): StoreFunction {
  return {
    name,
    expected: 'a boolean',
    isAnswer: (answer) => typeof answer === 'boolean',
    outcomeOf: (answer) => answer === true ? 'done' : no
  }
}

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
