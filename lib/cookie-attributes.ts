// The rules a session cookie has to keep, checked before one is ever sent:
// browsers drop a cookie that breaks them without a word.
import type { SessionCookieAttributes } from '../types/options.js'

/** Every attribute decided. */
export interface CookieAttributes {
  readonly path: string
  readonly domain: string | undefined
  readonly secure: boolean | 'auto'
  readonly sameSite: 'lax' | 'strict' | 'none'
  readonly httpOnly: boolean
  readonly partitioned: boolean
  readonly priority: 'low' | 'medium' | 'high' | undefined
}

/** Throws the caller's error for one attribute. */
export type RefuseAttribute = (attribute: string, value: unknown, fix: string) => never

const defaults: CookieAttributes = {
  path: '/', domain: undefined, secure: 'auto', sameSite: 'lax', httpOnly: true, partitioned: false, priority: undefined
}

// RFC 6265bis 4.1.1: what may stand in an attribute, and how a host is written
const pathShape = /^\/[\x20-\x3A\x3C-\x7E]*$/
const domainShape = /^\.?[a-z\d]([a-z\d-]*[a-z\d])?(\.[a-z\d]([a-z\d-]*[a-z\d])?)*$/i

// "If an attribute value is longer than 1024 octets, ignore the attribute" (RFC 6265bis 5.6)
const LONGEST_ATTRIBUTE = 1024

const allowed = {
  path: [isPath, "give a path such as '/' or '/app'"],
  domain: [isDomain, "give a host name such as 'example.com', or leave it out"],
  secure: [oneOf(true, false, 'auto'), "give true, false or 'auto'"],
  sameSite: [oneOf('lax', 'strict', 'none'), "give 'lax', 'strict' or 'none'"],
  httpOnly: [oneOf(true, false), 'give true or false'],
  partitioned: [oneOf(true, false), 'give true or false'],
  priority: [oneOf(undefined, 'low', 'medium', 'high'), "give 'low', 'medium' or 'high', or leave it out"]
} as const satisfies Record<keyof CookieAttributes, readonly [(value: unknown) => boolean, string]>

/** The names of the attributes there are. */
export const cookieAttributeNames: readonly string[] = Object.keys(allowed)

/** Decides every attribute of the cookie with this name; what is not given comes from `base`. */
export function resolveCookieAttributes (
  name: string, given: SessionCookieAttributes, refuse: RefuseAttribute, base: CookieAttributes = defaults
): CookieAttributes {
  const attributes = Object.freeze({ ...base, ...withoutUndefined(given) })
  for (const [attribute, [isAllowed, fix]] of Object.entries(allowed)) {
    const value = attributes[attribute as keyof CookieAttributes]
    if (!isAllowed(value)) refuse(attribute, value, fix)
  }
  refuseUnsafe(name.toLowerCase(), attributes, refuse)
  return attributes
}

/** The rules that tie attributes to each other and to the name; prefixes match in any letter case (RFC 6265bis 4.1.3). */
function refuseUnsafe (name: string, { secure, sameSite, partitioned, path, domain, httpOnly }: CookieAttributes, refuse: RefuseAttribute): void {
  const needsSecure = (reason: string): void => {
    if (secure !== true) refuse('secure', secure, `${reason} needs secure: true`)
  }
  if (sameSite === 'none') needsSecure("sameSite 'none'")
  if (partitioned) needsSecure('a partitioned cookie')
  if (/^__(host|secure|http)-/.test(name)) needsSecure('the prefix of the cookie name')
  if (name.startsWith('__host-') && path !== '/') refuse('path', path, "the prefix __Host- needs path '/'")
  if (name.startsWith('__host-') && domain !== undefined) refuse('domain', domain, 'the prefix __Host- allows no domain')
  if (/^__(host-)?http-/.test(name) && !httpOnly) refuse('httpOnly', httpOnly, 'the prefix of the cookie name needs httpOnly: true')
}

function isPath (value: unknown): boolean {
  return typeof value === 'string' && pathShape.test(value) && value.length <= LONGEST_ATTRIBUTE
}

function isDomain (value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && domainShape.test(value) && value.length <= LONGEST_ATTRIBUTE)
}

function oneOf (...values: unknown[]): (value: unknown) => boolean {
  return (value) => values.includes(value)
}

function withoutUndefined (given: SessionCookieAttributes): object {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
