// What the store is to hold: sealed where the app has keys for that, and as it is otherwise.
import type { SessionRecord, SessionChanges } from '../../types/store.js'
import type { SessionSettings } from './session-values.js'

type Settings = Pick<SessionSettings, 'encryption'>

/** The value for the session with this id. */
export function sealedValue ({ encryption }: Settings, id: string, key: string, encoded: string): string {
  return encryption === null ? encoded : encryption.seal(id, key, encoded)
}

/** The values for the session with this id. */
export function sealedValues ({ encryption }: Settings, id: string, values: SessionRecord['values']): SessionRecord['values'] {
  return encryption === null ? values : Object.fromEntries(Object.entries(values).map(([key, encoded]) => [key, encryption.seal(id, key, encoded)]))
}

export function sealedAbout ({ encryption }: Settings, id: string, about: string | null): string | null {
  return encryption === null || about === null ? about : encryption.sealAbout(id, about)
}

/** The changes, sealed once: the same step sent twice must say the same. */
export function sealedChanges (settings: Settings, id: string, changes: SessionChanges): SessionChanges {
  if (settings.encryption === null) return changes
  const { set, about } = changes
  return { ...changes, set: sealedValues(settings, id, set), ...(about !== undefined && { about: sealedAbout(settings, id, about) }) }
}
