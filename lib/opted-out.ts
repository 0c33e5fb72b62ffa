// What stands in the session's place on a route with `config: { session: false }`.
import { NotCoveredError } from './errors.js'

/** Throws at the first touch, and says why. */
export function optedOutSession (property: string): object {
  function refuse (): never {
    throw new NotCoveredError(property, 'the route opted out with config: { session: false }')
  }
  return new Proxy({}, { get: refuse, set: refuse, has: refuse, deleteProperty: refuse, ownKeys: refuse })
}
