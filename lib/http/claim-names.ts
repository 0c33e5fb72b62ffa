// Which sessions an app has, so that two of them never answer for each other.
import type { FastifyInstance } from 'fastify'
import { DuplicateSessionError } from '../errors.js'
import { namespaceOf } from './namespace.js'
import type { SessionConfig } from '../options.js'
import type { SessionStore } from '../../types/store.js'

interface Claim {
  readonly scope: FastifyInstance
  readonly property: string
  readonly cookieName: string
  readonly namespace: string
  readonly store: SessionStore
}

// By server, which all scopes of an app share: two apps may well use one store for the same sessions
const claimsOf = new WeakMap<object, Claim[]>()

/**
 * Takes property, cookie and namespace for one registration. Throws a
 * `DuplicateSessionError` where another one of the same app has them: the property
 * and the cookie in the same scope or one around or inside it, the namespace on the same store anywhere.
 */
export function claimNames (scope: FastifyInstance, config: SessionConfig): void {
  const { property, cookieName, store } = config
  if (scope.hasRequestDecorator(property) || scope.hasDecorator(`${property}s`)) refuseProperty(property)
  const claim: Claim = { scope, property, cookieName, namespace: namespaceOf(config), store }
  const claims = claimsOf.get(scope.server) ?? []
  for (const other of claims) refuseClash(claim, other)
  claimsOf.set(scope.server, [...claims, claim])
}

function refuseClash (claim: Claim, other: Claim): void {
  if (seesTheOther(claim.scope, other.scope)) {
    if (claim.property === other.property) refuseProperty(claim.property)
    if (claim.cookieName === other.cookieName) {
      throw new DuplicateSessionError(`the cookie '${claim.cookieName}'`, "give this one a cookie of its own, such as cookie: { name: 'admin' }")
    }
  }
  if (claim.store === other.store && claim.namespace === other.namespace) {
    throw new DuplicateSessionError(
      `the cookie '${claim.cookieName}' with this property, path, domain and store`,
      "register the session once, in the scope around both; or give this one a cookie of its own, such as cookie: { name: 'admin' }, or a store of its own"
    )
  }
}

/** Requests of the inner scope pass the hooks of both; a scope inherits from the one around it. */
function seesTheOther (scope: object, other: object): boolean {
  return scope === other || Object.prototype.isPrototypeOf.call(scope, other) || Object.prototype.isPrototypeOf.call(other, scope)
}

function refuseProperty (property: string): never {
  throw new DuplicateSessionError(`request.${property}`, "give this one a property of its own, such as property: 'adminSession'")
}
