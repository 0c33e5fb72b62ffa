// The two names of a session: the token that only the browser's cookie holds,
// and the id, its SHA-256, that stores, logs and lists see. A copy of the store
// opens no session (OWASP ASVS 5.0, 7.2.3 and 16.2.5).
import { hash, randomFillSync } from 'node:crypto'

const TOKEN_BYTES = 32

// A call for randomness costs more than the rest of a token, so one call serves many
const randomness = Buffer.alloc(128 * TOKEN_BYTES)
let used = randomness.length

// 32 bytes in base64url: the last character carries 4 bits, so only 16 of the 64 can stand there
const tokenShape = /^[\w-]{42}[AEIMQUYcgkosw048]$/

/** The two names of one session. */
export interface SessionIdentity {
  readonly token: string
  readonly id: string
}

/** The names of a new session. */
export function createIdentity (namespace: string): SessionIdentity {
  const token = createToken()
  return { token, id: sessionIdOf(token, namespace) }
}

/** A secret of 256 random bits. */
function createToken (): string {
  if (used === randomness.length) {
    randomFillSync(randomness)
    used = 0
  }
  const bytes = randomness.subarray(used, used + TOKEN_BYTES)
  used += TOKEN_BYTES
  const token = bytes.toString('base64url')
  bytes.fill(0)
  return token
}

/** Whether this could be a token of ours. What is not never reaches the store. */
export function isToken (value: string): boolean {
  return tokenShape.test(value)
}

/**
 * The id under which a token's session is stored. The namespace, empty for the
 * default session, keeps two sessions that share a store apart: a cookie of
 * one, sent under the name of the other, opens nothing.
 */
export function sessionIdOf (token: string, namespace: string): string {
  return hash('sha256', namespace + token, 'base64url')
}
