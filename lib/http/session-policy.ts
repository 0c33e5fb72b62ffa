// `app.sessions.policy()`: the limits in force, for somebody who has to check them. Never a key.
import type { SessionConfig } from '../options.js'

/** The limits of one registration, as they are in force. Plain data that survives `JSON.stringify`; times in milliseconds. */
export interface SessionPolicy {
  /** The request's property. */
  readonly property: string
  /** A session expires after this long without a request, unless `session.lifetime()` gave it another limit. */
  readonly idleTimeout: number
  /** A session expires at this age, unless `session.lifetime()` gave it another limit. */
  readonly absoluteTimeout: number
  /** The session cookie. */
  readonly cookie: {
    /** Its name. */
    readonly name: string
    /** Its path. */
    readonly path: string
    /** Its domain; `null`: this host alone. */
    readonly domain: string | null
    /** `'auto'`: Secure where the request came over https. */
    readonly secure: boolean | 'auto'
    /** Which requests of other sites carry it. */
    readonly sameSite: 'lax' | 'strict' | 'none'
    /** Whether scripts are kept from it. */
    readonly httpOnly: boolean
    /** Whether each site that embeds this one has its own. */
    readonly partitioned: boolean
    /** What a browser drops first; `null`: nothing is said. */
    readonly priority: 'low' | 'medium' | 'high' | null
    /** Whether it is signed. */
    readonly isSigned: boolean
  }
  /** The store. */
  readonly store: {
    /** The name of its class; `null` where it has none. */
    readonly kind: string | null
    /** Between whose calls its steps are atomic; `null`: it does not say. */
    readonly atomicAcross: 'process' | 'machine' | 'cluster' | null
    /** Whether what it confirmed survives a power cut; `null`: it does not say. */
    readonly durable: boolean | null
    /** How long it may take for one answer. */
    readonly timeout: number
    /** What happens when it fails: `'fail'` answers 503, `'anonymous'` goes on without a session. */
    readonly onError: 'fail' | 'anonymous'
  }
  /** What one session may hold, in bytes of encoded keys and values. */
  readonly maxSize: number
  /** Whether what a request changed is stored when it is answered with a 5xx: `'success'` drops it. */
  readonly saveOn: 'always' | 'success'
  /** What happens when a request brings two live sessions under the cookie's name. */
  readonly onAmbiguousCookie: 'first' | 'refuse'
  /** How sessions are listed by their users; `null` where they are not. */
  readonly owners: {
    /** The key that says whose session it is. */
    readonly key: string
    /** How many sessions a user may have at once; `null`: any number. */
    readonly limit: number | null
    /** What a login beyond that does. */
    readonly onLimit: 'end-oldest' | 'refuse'
    /** Whether the app says something about the browser at a login. */
    readonly isDescribed: boolean
  } | null
  /** Whether requests of other sites may act with a session, where the route does not say. */
  readonly crossSite: 'deny' | 'allow'
  /** The origins that may act all the same. */
  readonly trustedOrigins: readonly string[]
  /** Whether `validate` is asked about each session that is loaded. */
  readonly isValidated: boolean
  /** Whether what is stored is encrypted. */
  readonly isEncrypted: boolean
  /** The header `Clear-Site-Data` of an answer that ends a session; `null`: none. */
  readonly clearSiteData: string | null
}

/** The policy of a registration, frozen. */
export function policyOf (config: SessionConfig): SessionPolicy {
  const { property, lifetime, cookieName, cookie, signer, store, storeTimeout, onStoreError, maxSize, saveOn, onAmbiguousCookie, owner, describe, crossSite, trustedOrigins, validate, encryption, clearSiteData } = config
  const { path, domain = null, secure, sameSite, httpOnly, partitioned, priority = null } = cookie
  return Object.freeze({
    property,
    idleTimeout: lifetime.idle,
    absoluteTimeout: lifetime.absolute,
    cookie: Object.freeze({ name: cookieName, path, domain, secure, sameSite, httpOnly, partitioned, priority, isSigned: signer !== null }),
    store: Object.freeze({ kind: kindOf(store), atomicAcross: store.atomicAcross ?? null, durable: store.durable ?? null, timeout: storeTimeout, onError: onStoreError }),
    maxSize,
    saveOn,
    onAmbiguousCookie,
    owners: owner && Object.freeze({ ...owner, isDescribed: describe !== undefined }),
    crossSite,
    trustedOrigins: Object.freeze([...trustedOrigins].sort()),
    isValidated: validate !== null,
    isEncrypted: encryption !== null,
    clearSiteData
  })
}

/** A plain object is of no class. */
function kindOf (store: object): string | null {
  const name: unknown = (Object.getPrototypeOf(store) as { constructor?: { name?: unknown } } | null)?.constructor?.name
  return typeof name === 'string' && name !== '' && name !== 'Object' ? name : null
}
