// The split token: the cookie holds an id, the public handle under which the
// record lives, and a secret, of which the store knows only a hash. So neither
// a copy of the store nor the id opens a session (OWASP ASVS 5.0, 7.2.3 and 16.2.5).
import { hash, randomFillSync, timingSafeEqual } from 'node:crypto'

const ID_LENGTH = 24
const TOKEN_LENGTH = 64
const TOKEN_BYTES = 48

// No padding, and whole bytes: each token has one spelling
const tokenShape = /^[\w-]{64}$/
const idShape = /^[\w-]{24}$/

// A call for randomness costs more than the rest of a token, so one call serves many
const randomness = Buffer.alloc(128 * TOKEN_BYTES)
let offset = randomness.length

/** One token of a session. */
export interface Token {
  /** The session's public handle. */
  readonly id: string
  /** What the cookie holds: id and secret. */
  readonly value: string
  /** What the store holds of it. */
  readonly verifier: string
  /** What the store may hold of it instead, where it was made under an older key. */
  readonly others: readonly string[]
}

/** What makes verifiers under keys: of several keys each opens, and the first makes. */
export interface Verifiers {
  verifierOf (text: string): string
  /** Those by the other keys. */
  otherVerifiersOf (text: string): readonly string[]
}

const NO_OTHERS: readonly string[] = Object.freeze([])

/** The token of a new session: 144 random bits of id, 240 of secret. */
export function createToken (namespace: string, verifiers: Verifiers | null = null): Token {
  return tokenOf(namespace, randomToken(), verifiers)
}

/** Another token for the same session: a new secret. */
export function renewToken (namespace: string, id: string, verifiers: Verifiers | null = null): Token {
  return tokenOf(namespace, id + randomToken().slice(ID_LENGTH), verifiers)
}

/**
 * The names that follow from a cookie's value. The namespace, empty for the
 * default session, keeps two sessions that share a store apart: a cookie of
 * one, sent under the name of the other, opens nothing.
 */
export function tokenOf (namespace: string, value: string, verifiers: Verifiers | null = null): Token {
  const id = value.slice(0, ID_LENGTH)
  if (verifiers === null) return { id, value, verifier: plainVerifierOf(namespace + value), others: NO_OTHERS }
  return { id, value, verifier: verifiers.verifierOf(namespace + value), others: verifiers.otherVerifiersOf(namespace + value) }
}

/** The verifier without any key. */
export function plainVerifierOf (text: string): string {
  return hash('sha256', text, 'base64url')
}

/** Whether this could be a token of ours. What is not never reaches the store. */
export function isToken (value: string): boolean {
  return value.length === TOKEN_LENGTH && tokenShape.test(value)
}

/** Whether this could be the id of a session of ours. */
export function isId (value: unknown): value is string {
  return typeof value === 'string' && idShape.test(value)
}

/** Compares in constant time. */
export function isSameVerifier (one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one, 'latin1'), Buffer.from(other, 'latin1'))
}

/** Whether the verifier is one that the token may have. Compares with each of them, so that the time it takes says nothing. */
export function isVerifierOf ({ verifier, others }: Pick<Token, 'verifier' | 'others'>, stored: string): boolean {
  let isSame = isSameVerifier(stored, verifier)
  for (const other of others) isSame = isSameVerifier(stored, other) || isSame
  return isSame
}

function randomToken (): string {
  if (offset === randomness.length) {
    randomFillSync(randomness)
    offset = 0
  }
  const bytes = randomness.subarray(offset, offset + TOKEN_BYTES)
  offset += TOKEN_BYTES
  const token = bytes.toString('base64url')
  bytes.fill(0)
  return token
}
