// The page a guard sends people to: it is never guarded itself, and no redirect
// leads from it to itself.
import type { FastifyRequest } from 'fastify'
import { returnPathIn, withReturnPath } from './return-path.js'
import { decodedPath, isAt, isPrefixedTo } from './routed-path.js'

const HERE = 'http://here.invalid'

export class LoginPage {
  /** For a Location header. */
  readonly #address: string
  readonly #path: string
  /** Of a page on another site; `null` for one of this app. */
  readonly #host: string | null

  private constructor (url: URL, host: string | null) {
    this.#path = url.pathname
    this.#host = host
    this.#address = host === null ? url.pathname + url.search + url.hash : url.href
  }

  /** From `'/login'` or `'https://login.example/'`; `null` when the address is neither. */
  static at (address: unknown): LoginPage | null {
    if (typeof address !== 'string' || !/^(\/(?![/\\])|https?:\/\/)/i.test(address) || !URL.canParse(address, HERE)) return null
    const url = new URL(address, HERE)
    return new LoginPage(url, url.origin === HERE ? null : url.host)
  }

  /** Whether the request is for this page, in any method. What is on another site never is: `Host` is the client's claim. */
  isAskedForBy (request: FastifyRequest): boolean {
    return this.#host === null && (isAt(request, this.#path) || isPrefixedTo(request, this.#path))
  }

  /** The address with the way back to what was asked for, or `null` when it would lead to where the request already is. */
  locationFor (request: FastifyRequest): string | null {
    return this.#isWhere(request) || hasBeenHere(request.originalUrl) ? null : withReturnPath(this.#address, request.originalUrl)
  }

  #isWhere ({ host, originalUrl }: FastifyRequest): boolean {
    return (this.#host ?? host) === host && decodedPath(originalUrl) === decodedPath(this.#path)
  }
}

/** A path that is to be returned to its own path was sent round in a circle: by a proxy that changes paths, or by two guards. */
function hasBeenHere (url: string): boolean {
  const here = decodedPath(url)
  for (let next = returnPathIn(url); next !== null; next = returnPathIn(next)) {
    if (decodedPath(next) === here) return true
  }
  return false
}
