// Second half of a request: from the pending changes to the store. The only
// writer. Every change of a record that is there is conditional, so a slow
// request can neither bring back what another ended nor undo what it stored.
import { andThen, isPromise } from './awaitable.js'
import { CorruptValueError } from './record/codec.js'
import { absoluteExpiresAt, nextExpiresAt } from './deadlines.js'
import { ConflictError, StoreError } from './errors.js'
import { planSave, type SavePlan } from './save-plan.js'
import type { SessionContext, SessionLog } from './session-context.js'
import { isExpired, isRecord, newRecord } from './session-record.js'
import type { Checkpoint, SessionState, StoredSession } from './session-state.js'
import type { Awaitable, SessionRecord } from '../types/store.js'

/** What the response has to do about the cookie. */
export type CookieAction = 'send' | 'clear' | 'keep'

// Somebody wins every round, so this many requests can change one session at once.
const MOST_ROUNDS = 1000

// Two equal random ids mean a store that refuses everything.
const MOST_NEW_IDS = 3

/**
 * Carries out what is pending, after a save of the same session that is on its way.
 * Answers with what that means for the cookie; throws when the store fails, and then nothing was confirmed.
 */
export function saveSession (context: SessionContext, state: SessionState, log: SessionLog): Awaitable<CookieAction> {
  const next = () => saveSession(context, state, log)
  if (state.saving !== null) return state.saving.then(next)
  const plan = planSave(state)
  if (plan.step === 'nothing') return unlessDue(state)
  const action = new Save(context, state, log).run(plan)
  if (isPromise(action)) {
    const through = () => { state.saving = null }
    state.saving = action.then(through, through)
  }
  return action
}

/** Nothing was stored; the cookie may still have to be sent again, signed anew or with other attributes. */
function unlessDue (state: SessionState): CookieAction {
  return state.cookieDue && state.stored !== null && state.status === 'kept' ? 'send' : 'keep'
}

/** One save, with the rounds it takes when other requests are faster. */
class Save {
  readonly #context: SessionContext
  readonly #state: SessionState
  readonly #log: SessionLog
  #rounds = 0
  #newIds = 0

  constructor (context: SessionContext, state: SessionState, log: SessionLog) {
    this.#context = context
    this.#state = state
    this.#log = log
  }

  run (plan: SavePlan): Awaitable<CookieAction> {
    switch (plan.step) {
      case 'nothing': return unlessDue(this.#state)
      case 'create': return this.#create()
      case 'touch': return this.#touch(plan.expiresAt)
      case 'update': return this.#update(plan)
      case 'replace': return this.#replace(plan.ifVersion)
      case 'destroy': return this.#destroy(plan.ifVersion)
      case 'destroy-and-create': return andThen(this.#destroy(undefined), () => this.#create())
    }
  }

  #create (): Awaitable<CookieAction> {
    const since = this.#state.checkpoint()
    const next = this.#next()
    return andThen(this.#context.store.create(next.id, next.record), (created) => {
      if (!created) return this.#createUnderAnotherId()
      this.#state.saved(next, since)
      this.#context.events.emit('created', next.id)
      return 'send'
    })
  }

  #createUnderAnotherId (): Awaitable<CookieAction> {
    if (++this.#newIds === MOST_NEW_IDS) throw new StoreError({ cause: new Error('the store says that every new id is taken') })
    this.#state.renameNew()
    return this.#create()
  }

  #touch (expiresAt: number): Awaitable<CookieAction> {
    const since = this.#state.checkpoint()
    const stored = this.#stored
    return andThen(this.#context.store.touch(stored.id, expiresAt), (found) => {
      if (!found) return this.#ended(since)
      this.#state.saved({ ...stored, record: { ...stored.record, expiresAt } }, since)
      return this.#state.lifetime.persistent ? 'send' : unlessDue(this.#state)
    })
  }

  #update ({ changes, ifVersion }: Extract<SavePlan, { step: 'update' }>): Awaitable<CookieAction> {
    const state = this.#state
    const since = state.checkpoint()
    const { token, id, record: { createdAt, expiresAt: wasUntil, owner, version } } = this.#stored
    const { lifetimeChanged, ownLifetime: lifetime } = state
    const record: SessionRecord = {
      values: state.values.send(changes),
      createdAt,
      expiresAt: nextExpiresAt(state),
      absoluteExpiresAt: absoluteExpiresAt(state),
      version: version + 1,
      owner,
      lifetime
    }
    const { expiresAt, absoluteExpiresAt: absolute } = record
    const moved = expiresAt !== wasUntil
    const answer = this.#context.store.update(id, {
      clear: changes.clear,
      set: changes.set,
      remove: changes.remove,
      ...((moved || lifetimeChanged) && { expiresAt }),
      ...(lifetimeChanged && { absoluteExpiresAt: absolute, lifetime }),
      ...(ifVersion !== undefined && { ifVersion })
    })
    return andThen(answer, (result) => {
      if (result === 'missing') return this.#ended(since)
      if (result === 'conflict') return this.#again(since)
      state.saved({ token, id, record }, since)
      this.#context.events.emit('saved', id)
      return lifetimeChanged || (moved && state.lifetime.persistent) ? 'send' : unlessDue(this.#state)
    })
  }

  #replace (ifVersion: number | undefined): Awaitable<CookieAction> {
    const since = this.#state.checkpoint()
    const old = this.#stored
    const next = this.#next()
    return andThen(this.#context.store.replace(old.id, next.id, next.record, ifVersion), (replaced) => {
      if (!replaced) return ifVersion === undefined ? this.#ended(since) : this.#again(since)
      this.#state.saved(next, since)
      this.#context.events.emit('regenerated', next.id, { previousId: old.id })
      return 'send'
    })
  }

  #destroy (ifVersion: number | undefined): Awaitable<CookieAction> {
    const since = this.#state.checkpoint()
    const { id } = this.#stored
    const { broken } = this.#state
    return andThen(this.#context.store.destroy(id, ifVersion), (answer) => {
      if (answer === false && ifVersion !== undefined) return this.#again(since)
      if (broken) this.#log.warn({ sessionId: id }, 'removed a session record that cannot be understood')
      this.#context.events.emit(broken ? 'rejected' : 'destroyed', id, broken ? { reason: 'broken' } : {})
      this.#state.destroyed(since)
      return 'clear'
    })
  }

  /** Another request was faster: takes in what it stored and decides anew. */
  #again (since: Checkpoint): Awaitable<CookieAction> {
    if (++this.#rounds === MOST_ROUNDS) throw new ConflictError()
    return andThen(this.#context.store.read(this.#stored.id), (record: unknown) => {
      if (!isRecord(record) || isExpired(record, this.#state.now())) return this.#ended(since)
      try {
        this.#state.rebase(record, since)
      } catch (error) {
        if (error instanceof CorruptValueError) return this.#ended(since)
        throw error
      }
      return this.run(planSave(this.#state))
    })
  }

  /** The record is gone. The changes go with it, and the cookie is left alone: a parallel response may have set a newer one. */
  #ended (since: Checkpoint): CookieAction {
    this.#log.debug({ sessionId: this.#stored.id }, 'the session ended elsewhere; the changes of this request are dropped')
    this.#state.ended(since)
    return 'keep'
  }

  /** The session as it will be under its new id. */
  #next (): StoredSession {
    const state = this.#state
    const { token, id } = state.identity()
    return { token, id, record: newRecord(state, state.values.send(state.values.changes())) }
  }

  get #stored (): StoredSession {
    return this.#state.stored as StoredSession
  }
}
