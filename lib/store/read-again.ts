// A condition did not hold: what does the store hold now?
import { andThen } from '../awaitable.js'
import { isExpired, isRecord } from '../record/record.js'
import { isVerifierOf, tokenOf } from '../record/token.js'
import type { StoredSession } from '../session/layers.js'
import type { Awaitable } from '../../types/store.js'
import type { Save } from './save.js'

/** Takes in what other requests stored. False when the session has ended, or its user has stepped up since this request loaded it. */
export function readAgain ({ context, state }: Pick<Save, 'context' | 'state'>, stored: StoredSession): Awaitable<boolean> {
  return andThen(context.store.read(stored.id), (found: unknown) => {
    if (!isRecord(found) || isExpired(found, state.now()) || found.generation !== stored.record.generation) return false
    const { namespace, encryption } = state.settings
    state.refresh({ ...stored, record: found, isCurrent: isVerifierOf(tokenOf(namespace, stored.cookieToken, encryption), found.verifier) })
    return true
  })
}
