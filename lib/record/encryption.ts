// Encryption at rest: what the store holds of values, of descriptions and of tokens, under the keys of the app.
// AES-256-GCM, bound to the session and to the name of the value, so that none can be put in another's place.
// decisions/encryption.md says why.
import type { CheckedKey } from '../encryption-option.js'
import { isStackOverflow } from '../stack-overflow.js'
import { EncryptionKey } from './encryption-key.js'
import { plainVerifierOf, type Verifiers } from './token.js'

/** What a value reads as that cannot be opened: no value is encoded like this, so it is corrupt. */
export const UNOPENED = ''

// No JSON begins with it, nor does what devalue writes
const SEALED = '$'

/** The name of a session's description; names of values are JSON texts, and begin with a quote. */
const ABOUT = 'about'

export class Encryption implements Verifiers {
  readonly keyIds: readonly string[]
  readonly #keys: ReadonlyArray<EncryptionKey | 'plain'>
  readonly #byId: ReadonlyMap<string, EncryptionKey>

  /** The first key seals, all of them open. */
  constructor (specs: readonly CheckedKey[]) {
    this.#keys = specs.map((spec) => spec === 'plain' ? spec : new EncryptionKey(spec.id, spec.key))
    this.keyIds = this.#keys.map((key) => key === 'plain' ? key : key.id)
    this.#byId = new Map(this.#keys.flatMap((key) => key === 'plain' ? [] : [[key.id, key]]))
  }

  verifierOf (text: string): string {
    return verifierBy(this.#first, text)
  }

  otherVerifiersOf (text: string): readonly string[] {
    return this.#keys.slice(1).map((key) => verifierBy(key, text))
  }

  /** The value as the store is to hold it. */
  seal (sessionId: string, key: string, encoded: string): string {
    return this.#seal(sessionId, JSON.stringify(key), encoded)
  }

  /** The value as it was encoded; `UNOPENED` where no key of this process opens it in this place. */
  open (sessionId: string, key: string, stored: string): string {
    return this.#open(sessionId, JSON.stringify(key), stored)
  }

  sealAbout (sessionId: string, about: string | null): string | null {
    return about === null ? null : this.#seal(sessionId, ABOUT, about)
  }

  openAbout (sessionId: string, about: string | null): string | null {
    return about === null ? null : this.#open(sessionId, ABOUT, about)
  }

  get #first (): EncryptionKey | 'plain' {
    return this.#keys[0] as EncryptionKey | 'plain'
  }

  #seal (sessionId: string, name: string, text: string): string {
    const key = this.#first
    return key === 'plain' ? text : SEALED + key.id + SEALED + key.seal(sessionId, name, text)
  }

  #open (sessionId: string, name: string, stored: string): string {
    const keyId = sealingKeyOf(stored)
    if (keyId === 'plain') return this.#keys.includes('plain') ? stored : UNOPENED
    const key = this.#byId.get(keyId)
    if (key === undefined) return UNOPENED
    try {
      return key.open(sessionId, name, stored.slice(keyId.length + 2)) ?? UNOPENED
    } catch (error) {
      if (isStackOverflow(error)) throw error
      return UNOPENED
    }
  }
}

/** The id of the key that a stored value names; `'plain'` for none. */
export function sealingKeyOf (stored: string): string {
  return stored.startsWith(SEALED) ? stored.slice(1, Math.max(1, stored.indexOf(SEALED, 1))) : 'plain'
}

/** The id of the key that a verifier names; `'plain'` for none. */
export function verifyingKeyOf (verifier: string): string {
  const end = verifier.indexOf(SEALED)
  return end === -1 ? 'plain' : verifier.slice(0, end)
}

function verifierBy (key: EncryptionKey | 'plain', text: string): string {
  return key === 'plain' ? plainVerifierOf(text) : key.id + SEALED + key.verifierOf(text)
}
