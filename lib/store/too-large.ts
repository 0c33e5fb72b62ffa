// The store refused a change for its size. What makes it too large may have been
// stored by another request, so the error names what the store holds now.
import { andThen } from '../awaitable.js'
import { StoreError } from '../errors.js'
import { changedRecord, sizeOf } from '../record/apply-changes.js'
import { isRecord } from '../record/record.js'
import type { StoredSession } from '../session/layers.js'
import { sessionTooLarge } from '../session/size-limit.js'
import type { Awaitable, SessionChanges } from '../../types/store.js'
import type { Save } from './save.js'

/** Throws a `SessionTooLargeError`; a `StoreError` where the result would not have been too large. */
export function refuseResult ({ context, state }: Save, stored: StoredSession, changes: SessionChanges): Awaitable<never> {
  const { maxSize } = state.settings
  return andThen(context.store.read(stored.id), (found: unknown) => {
    const { values } = changedRecord(isRecord(found) ? found : stored.record, changes)
    if (sizeOf(values) > maxSize) throw sessionTooLarge(values, maxSize)
    throw new StoreError({ cause: new Error(`store.update() answered 'too-large' for ${sizeOf(values)} bytes`) })
  })
}
