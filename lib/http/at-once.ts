// `update` and `take` of one session: done at the store while the handler waits.
import { SessionEndedError, StoreError } from '../errors.js'
import { beginsAnew } from '../session/layer.js'
import type { SessionHost, ValueStep } from '../session/session-host.js'
import type { SessionState } from '../session/session-state.js'
import type { Save } from '../store/save.js'
import { updateValue } from '../store/update-value.js'

type Host = Pick<SessionHost, 'save'>

/** Answers with what the store holds afterwards. */
export async function updateAtOnce (host: Host, save: Save, key: string, step: ValueStep): Promise<unknown> {
  await savePending(host, save.state)
  return (await updateValue(save, key, step)).after
}

/** Answers with what the store held, to one request only. */
export async function takeAtOnce (host: Host, save: Save, key: string): Promise<unknown> {
  try {
    await savePending(host, save.state)
    return (await updateValue(save, key, () => undefined)).before
  } catch (error) {
    if (error instanceof SessionEndedError) return undefined
    throw error
  }
}

/** What concerns the session as a whole comes first: the key is to be changed in what results. */
async function savePending (host: Host, { status, draft }: SessionState): Promise<void> {
  if (status === 'unavailable') throw new StoreError()
  if (draft !== null && (draft.scope !== 'all' || beginsAnew(draft))) await host.save()
}
