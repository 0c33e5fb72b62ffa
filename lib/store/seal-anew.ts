// A step-up begins the session's time anew, and it may come again and again: what older keys have sealed would outlive
// every deadline by which they are taken out. So before it, the first key seals that, each value only while it is what it was.
import { andThen } from '../awaitable.js'
import { storedValue } from '../record/apply-changes.js'
import { isSealed } from '../record/encryption.js'
import type { Layer } from '../session/layer.js'
import type { StoredSession } from '../session/layers.js'
import { sealedValue } from '../session/sealed.js'
import type { Awaitable } from '../../types/store.js'
import type { Save } from './save.js'

/** The keys whose values the step-up has to seal first. What cannot be opened stays as it is. */
export function keysToSeal ({ state }: Save, { record: { values } }: StoredSession, { identity, written }: Layer): readonly string[] {
  const { encryption } = state.settings
  if (encryption === null || identity !== 'reauthenticated') return []
  return Object.keys(values).filter((key) => !written.has(key) && !encryption.isNewest(values[key] as string) && state.openedText(key) !== null)
}

/** Seals them, one after the other. What another request has changed by now, it has sealed. */
export function sealAnew (save: Save, stored: StoredSession, [key, ...rest]: readonly string[]): Awaitable<void> {
  if (key === undefined) return
  const { context, state } = save
  const { values, generation } = stored.record
  const set = { [key]: sealedValue(state.settings, stored.id, key, state.openedText(key) as string) }
  const step = context.store.update(stored.id, { clear: false, set, remove: [], ifGeneration: generation, ifValue: { key, encoded: storedValue(values, key) } })
  return andThen(step, () => sealAnew(save, stored, rest))
}

/** The description, as it was given; `null` where there is nothing to seal. */
export function aboutToSeal ({ encryption }: Save['context']['settings'], { id, record: { about } }: StoredSession, { identity }: Layer): string | null {
  if (encryption === null || about === null || identity !== 'reauthenticated' || encryption.isNewest(about)) return null
  const text = encryption.openAbout(id, about)
  return isSealed(text) ? null : text
}
