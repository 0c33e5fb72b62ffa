// Whose session it is: a value of the session, as the name of a list of sessions.
import { hash } from 'node:crypto'
import { InvalidOwnerError } from '../errors.js'
import { CorruptValueError, decode } from './codec.js'

/**
 * The owner's name in the store; `null` where the encoded value names nobody. A hash, so that it has one length and no
 * store sees whose it is; with the namespace, so that two registrations with one store have lists of their own.
 */
export function ownerOf (namespace: string, encoded: string | null): string | null {
  const text = encoded === null ? null : textOf(decoded(encoded))
  return text === null ? null : nameOf(namespace, text)
}

/** The same of a value that an app gives. Throws an `InvalidOwnerError` for one that names nobody. */
export function ownerNamed (namespace: string, value: unknown): string {
  const text = textOf(value)
  if (text === null) throw new InvalidOwnerError(shown(value))
  return nameOf(namespace, text)
}

/** Throws an `InvalidOwnerError` for a value that could be neither an owner nor the lack of one. */
export function refuseOwner (value: unknown): void {
  if (value !== undefined && value !== null && textOf(value) === null) throw new InvalidOwnerError(shown(value))
}

/** A user's number arrives as text in a path, so `42` and `'42'` are one owner. */
function textOf (value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : value
  return typeof value === 'bigint' || Number.isSafeInteger(value) ? String(value) : null
}

function nameOf (namespace: string, text: string): string {
  return hash('sha256', JSON.stringify([namespace, text]), 'base64url')
}

function decoded (encoded: string): unknown {
  try {
    return decode(encoded)
  } catch (error) {
    if (error instanceof CorruptValueError) return null
    throw error
  }
}

function shown (value: unknown): string {
  if (value === '') return 'an empty string'
  return typeof value === 'number' ? String(value) : value === null ? 'null' : `of type ${typeof value}`
}
