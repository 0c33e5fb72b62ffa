// Signs cookies exactly as @fastify/cookie's Signer does, at about half the cost or
// less: that one makes an HMAC object for every check, which costs more than all
// the rest of a read.
import { timingSafeEqual } from 'node:crypto'
import { HmacKey } from './hmac-key.js'

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
  readonly #keys: readonly Secret[]

  /** The first secret signs, all of them open. */
  constructor (secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => new Secret(secret))
  }

  get secretCount (): number {
    return this.#keys.length
  }

  sign (value: string): string {
    return `${value}.${(this.#keys[0] as Secret).signatureOf(value)}`
  }

  /** Tries one secret after the other, `maxChecks` of them at most. */
  verify (signed: string, maxChecks: number): Verdict {
    const dot = signed.lastIndexOf('.')
    const signature = signed.slice(dot + 1)
    if (dot === -1 || !signatureShape.test(signature)) return { value: null, renew: false, checks: 0 }
    const value = signed.slice(0, dot)
    const limit = Math.min(maxChecks, this.#keys.length)
    for (let index = 0; index < limit; index++) {
      if ((this.#keys[index] as Secret).hasSigned(value, signature)) return { value, renew: index > 0, checks: index + 1 }
    }
    return { value: null, renew: false, checks: limit }
  }
}

/** One secret, ready to sign. */
class Secret {
  readonly #key: HmacKey
  readonly #expected = Buffer.alloc(SIGNATURE_LENGTH)
  readonly #given = Buffer.alloc(SIGNATURE_LENGTH)

  constructor (secret: string) {
    this.#key = new HmacKey(secret)
  }

  signatureOf (value: string): string {
    return this.#key.digestOf(value, 'base64').slice(0, SIGNATURE_LENGTH)
  }

  /** In constant time. */
  hasSigned (value: string, signature: string): boolean {
    this.#expected.write(this.signatureOf(value), 'latin1')
    this.#given.write(signature, 'latin1')
    return timingSafeEqual(this.#expected, this.#given)
  }
}
