// One key of the app. Two keys are derived from it (RFC 5869), one for verifiers and one for values; and from that one another
// for each session, so that random nonces are as safe as they are for one session's values (NIST SP 800-38D, 8.3: 2^32 of them).
import { createCipheriv, createDecipheriv, hkdfSync, randomFillSync } from 'node:crypto'
import { HmacKey } from '../hmac-key.js'

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const TAG = { authTagLength: TAG_BYTES }

// A call for randomness costs more than the rest of a nonce, so one call serves many
const randomness = Buffer.alloc(256 * NONCE_BYTES)
let offset = randomness.length

export class EncryptionKey {
  readonly id: string
  readonly #verifying: HmacKey
  readonly #deriving: HmacKey
  /** The key of the session that was asked for last: a request seals and opens the values of one. */
  #session: string | null = null
  #sessionKey: Buffer | null = null

  constructor (id: string, key: Uint8Array) {
    this.id = id
    this.#verifying = new HmacKey(derived(key, 'verifiers'))
    this.#deriving = new HmacKey(derived(key, 'values'))
  }

  verifierOf (text: string): string {
    return this.#verifying.digestOf(text, 'base64url')
  }

  /** Nonce, ciphertext and tag in base64url. A session is named together with its registration. */
  seal (session: string, name: string, text: string): string {
    const nonce = newNonce()
    const cipher = createCipheriv(ALGORITHM, this.#keyOf(session), nonce, TAG)
    cipher.setAAD(Buffer.from(session + name))
    const sealed = cipher.update(text, 'utf8')
    cipher.final()
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url')
  }

  /** The text; `null` or an error for what this key has not sealed in this place. */
  open (session: string, name: string, sealed: string): string | null {
    const bytes = Buffer.from(sealed, 'base64url')
    // one spelling: the decoder skips what is no base64
    if (bytes.length < NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== sealed) return null
    const decipher = createDecipheriv(ALGORITHM, this.#keyOf(session), bytes.subarray(0, NONCE_BYTES), TAG)
    decipher.setAAD(Buffer.from(session + name))
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
  }

  #keyOf (session: string): Buffer {
    if (this.#sessionKey === null || this.#session !== session) {
      this.#sessionKey = Buffer.from(this.#deriving.digestOf(session, 'binary'), 'latin1')
      this.#session = session
    }
    return this.#sessionKey
  }
}

function derived (key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', `fastify-keep ${purpose}`, 32))
}

function newNonce (): Buffer {
  if (offset === randomness.length) {
    randomFillSync(randomness)
    offset = 0
  }
  offset += NONCE_BYTES
  // a copy: the cipher may look at it later
  return Buffer.from(randomness.subarray(offset - NONCE_BYTES, offset))
}
