// Encryption at rest: what the store holds of values, of descriptions and of tokens, under the keys of the app.
// AES-256-GCM, bound to the registration, the session and the name of the value, so that none can be put in another's place.
// decisions/encryption.md says why.
import type { CheckedKey } from '../encryption-option.js'
import { isStackOverflow } from '../stack-overflow.js'
import { EncryptionKey } from './encryption-key.js'
import { plainVerifierOf, type Verifiers } from './token.js'

// No JSON begins with it, nor does what devalue writes
const SEALED = '$'

// The store decides what it says there, and it may be logged
const sealedBy = /^\$([\w-]{1,32})\$/
const madeBy = /^([\w-]{1,32})\$/

/** The name of a session's description; names of values are JSON texts, and begin with a quote. */
const ABOUT = 'about'

/** What is sealed reads as it is stored where it cannot be opened: as a text that nothing is encoded as, so it is corrupt. */
export function isSealed (text: string): boolean {
  return text.startsWith(SEALED)
}

/** The id of the key that a stored text names; `'plain'` where it is not sealed, and empty where it names none. */
export function sealingKeyOf (text: string): string {
  return isSealed(text) ? sealedBy.exec(text)?.[1] ?? '' : 'plain'
}

/** The id of the key that made the verifier, where this process lacks it; `null` where it has it. */
export function missingKeyOf (verifier: string, encryption: Encryption | null): string | null {
  const keyId = verifier.includes(SEALED) ? madeBy.exec(verifier)?.[1] ?? '' : 'plain'
  return (encryption === null ? keyId === 'plain' : encryption.hasKey(keyId)) ? null : keyId
}

export class Encryption implements Verifiers {
  readonly #namespace: string
  readonly #keys: ReadonlyArray<EncryptionKey | 'plain'>
  readonly #byId: ReadonlyMap<string, EncryptionKey | 'plain'>

  /** The first key seals, all of them open. */
  constructor (specs: readonly CheckedKey[], namespace: string) {
    this.#namespace = namespace
    this.#keys = specs.map((spec) => spec === 'plain' ? spec : new EncryptionKey(spec.id, spec.key))
    this.#byId = new Map(this.#keys.map((key) => [idOf(key), key]))
  }

  hasKey (id: string): boolean {
    return this.#byId.has(id)
  }

  /** Whether the first key has sealed the value. */
  isNewest (stored: string): boolean {
    return sealingKeyOf(stored) === idOf(this.#first)
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

  /** The value as it was encoded. Still sealed where no key of this process opens it in this place. */
  open (sessionId: string, key: string, stored: string): string {
    return this.#open(sessionId, JSON.stringify(key), stored)
  }

  sealAbout (sessionId: string, about: string): string {
    return this.#seal(sessionId, ABOUT, about)
  }

  openAbout (sessionId: string, stored: string): string {
    return this.#open(sessionId, ABOUT, stored)
  }

  get #first (): EncryptionKey | 'plain' {
    return this.#keys[0] as EncryptionKey | 'plain'
  }

  #seal (sessionId: string, name: string, text: string): string {
    const key = this.#first
    return key === 'plain' ? text : SEALED + key.id + SEALED + key.seal(this.#namespace + sessionId, name, text)
  }

  #open (sessionId: string, name: string, stored: string): string {
    const keyId = sealingKeyOf(stored)
    const key = this.#byId.get(keyId)
    if (key === undefined) return isSealed(stored) ? stored : SEALED + keyId + SEALED
    if (key === 'plain') return stored
    try {
      return key.open(this.#namespace + sessionId, name, stored.slice(keyId.length + 2)) ?? stored
    } catch (error) {
      if (isStackOverflow(error)) throw error
      return stored
    }
  }
}

function idOf (key: EncryptionKey | 'plain'): string {
  return key === 'plain' ? key : key.id
}

function verifierBy (key: EncryptionKey | 'plain', text: string): string {
  return key === 'plain' ? plainVerifierOf(text) : key.id + SEALED + key.verifierOf(text)
}
