// `update` and `take` of one session: done at the store while the handler waits.
import { InvalidArgumentError, SessionEndedError, StoreError } from '../errors.js'
import { beginsAnew, type Layer } from '../session/layer.js'
import type { SessionHost, ValueStep } from '../session/session-host.js'
import type { SessionState } from '../session/session-state.js'
import type { Save } from '../store/save.js'
import { updateValue } from '../store/update-value.js'

type Host = Pick<SessionHost, 'save'>

/** Answers with what the store holds afterwards. */
export async function updateAtOnce (host: Host, save: Save, key: string, step: ValueStep): Promise<unknown> {
  const { state } = save
  refuseUnavailable(state)
  refuseOwnerKey('update()', key, state)
  if (replaces(state.sent)) await replacing(state)
  if (isReplaced(state) && isHidden(state, key)) return updatePending(host, state, key, step)
  if (isReplaced(state)) await host.save()
  return (await updateValue(save, key, step)).after
}

/** Answers with what the store held, to one request only. */
export async function takeAtOnce (host: Host, save: Save, key: string): Promise<unknown> {
  const { state } = save
  refuseUnavailable(state)
  refuseOwnerKey('take()', key, state)
  try {
    if (replaces(state.sent)) await replacing(state)
    if (isReplaced(state) && isHidden(state, key)) return await takePending(host, state, key)
    if (isReplaced(state)) await host.save()
    return (await updateValue(save, key, () => undefined)).before
  } catch (error) {
    if (error instanceof SessionEndedError) return undefined
    throw error
  }
}

function refuseUnavailable ({ status }: SessionState): void {
  if (status === 'unavailable') throw new StoreError()
}

/** The lists of owners have to know before. */
function refuseOwnerKey (call: string, key: string, { settings }: SessionState): void {
  if (key === settings.owner?.key) throw new InvalidArgumentError(`session.${call}`, `'${key}', by which sessions are listed`, 'use get(), set() and remove()')
}

/** Whether what is stored is to go, as a whole or into another session. */
function isReplaced ({ stored, sent, draft }: SessionState): boolean {
  return (stored !== null || sent !== null) && replaces(draft)
}

function replaces (layer: Layer | null): boolean {
  return layer !== null && (layer.scope !== 'all' || beginsAnew(layer))
}

/** A save that replaces it is under way, and may fail: then its changes are pending again. */
async function replacing (state: SessionState): Promise<void> {
  while (replaces(state.sent)) await state.saving
}

/** Whether what is stored under the key no longer counts. */
function isHidden ({ draft }: SessionState, key: string): boolean {
  return draft?.lookUp(key) !== undefined
}

/** Nobody else can have changed what this request alone knows of: the value is saved with the rest. */
async function updatePending (host: Host, state: SessionState, key: string, step: ValueStep): Promise<unknown> {
  const value = step(state.copyOf(key))
  state.set(key, value)
  if (!await host.save()) throw new SessionEndedError()
  return value
}

async function takePending (host: Host, state: SessionState, key: string): Promise<unknown> {
  const value = state.copyOf(key)
  if (!state.remove(key)) return undefined
  return await host.save() ? value : undefined
}
