// Signs cookies exactly as @fastify/cookie's Signer does, at about half the cost or
// less: that one makes an HMAC object for every check, which costs more than all
// the rest of a read. An HMAC is two hashes, each over a prefix that follows from
// the secret alone (RFC 2104 section 2); the prefixes are made once, and the
// hashes are one-shot.
import { hash, timingSafeEqual } from 'node:crypto'

const BLOCK_BYTES = 64
const DIGEST_BYTES = 32

// 32 bytes in base64, without the padding that cookies cannot hold
const signatureShape = /^[A-Za-z\d+/]{43}$/
const SIGNATURE_LENGTH = 43

/** What became of one signed value. */
export interface Verdict {
  /** What was signed; `null` when no secret that was tried has signed it. */
  readonly value: string | null
  /** Signed by a secret that is no longer the first. */
  readonly renew: boolean
  /** How many secrets it took to find out: one HMAC each. */
  readonly checks: number
}

export class CookieSigner {
  readonly #keys: readonly HmacKey[]

  /** The first secret signs, all of them open. */
  constructor (secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => new HmacKey(secret))
  }

  get secretCount (): number {
    return this.#keys.length
  }

  sign (value: string): string {
    return `${value}.${(this.#keys[0] as HmacKey).signatureOf(value)}`
  }

  /** Tries one secret after the other, `maxChecks` of them at most. */
  verify (signed: string, maxChecks: number): Verdict {
    const dot = signed.lastIndexOf('.')
    const signature = signed.slice(dot + 1)
    if (dot === -1 || !signatureShape.test(signature)) return { value: null, renew: false, checks: 0 }
    const value = signed.slice(0, dot)
    const limit = Math.min(maxChecks, this.#keys.length)
    for (let index = 0; index < limit; index++) {
      if ((this.#keys[index] as HmacKey).hasSigned(value, signature)) return { value, renew: index > 0, checks: index + 1 }
    }
    return { value: null, renew: false, checks: limit }
  }
}

/** One secret, ready to sign. */
class HmacKey {
  /** The inner prefix, and room for a value. */
  #inner: Buffer
  #valueBytes = 0
  /** The outer prefix, and room for the inner hash. */
  readonly #outer: Buffer
  readonly #expected = Buffer.alloc(SIGNATURE_LENGTH)
  readonly #given = Buffer.alloc(SIGNATURE_LENGTH)

  constructor (secret: string) {
    const bytes = Buffer.from(secret)
    const key = Buffer.alloc(BLOCK_BYTES)
    if (bytes.length > BLOCK_BYTES) key.write(hash('sha256', bytes, 'binary'), 'latin1')
    else bytes.copy(key)
    this.#inner = Buffer.from(key.map((byte) => byte ^ 0x36))
    this.#outer = Buffer.concat([key.map((byte) => byte ^ 0x5c)], BLOCK_BYTES + DIGEST_BYTES)
  }

  signatureOf (value: string): string {
    const valueBytes = Buffer.byteLength(value)
    if (valueBytes !== this.#valueBytes) this.#makeRoom(valueBytes)
    // as many bytes as characters: all ASCII, which latin1 writes faster
    this.#inner.write(value, BLOCK_BYTES, valueBytes === value.length ? 'latin1' : 'utf8')
    this.#outer.write(hash('sha256', this.#inner, 'binary'), BLOCK_BYTES, 'latin1')
    return hash('sha256', this.#outer, 'base64').slice(0, SIGNATURE_LENGTH)
  }

  /** In constant time. */
  hasSigned (value: string, signature: string): boolean {
    this.#expected.write(this.signatureOf(value), 'latin1')
    this.#given.write(signature, 'latin1')
    return timingSafeEqual(this.#expected, this.#given)
  }

  /** Once, for all tokens are equally long. */
  #makeRoom (valueBytes: number): void {
    this.#inner = Buffer.concat([this.#inner.subarray(0, BLOCK_BYTES)], BLOCK_BYTES + valueBytes)
    this.#valueBytes = valueBytes
  }
}
