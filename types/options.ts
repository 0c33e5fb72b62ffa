import type { FastifyRequest } from 'fastify'
import type { SessionStore } from './store.js'

type Milliseconds = 'ms' | 'msec' | 'msecs' | 'millisecond' | 'milliseconds'
type Seconds = 's' | 'sec' | 'secs' | 'second' | 'seconds'
type Minutes = 'm' | 'min' | 'mins' | 'minute' | 'minutes'
type Hours = 'h' | 'hr' | 'hrs' | 'hour' | 'hours'
type Days = 'd' | 'day' | 'days'
type Weeks = 'w' | 'wk' | 'wks' | 'week' | 'weeks'
type Years = 'y' | 'yr' | 'yrs' | 'year' | 'years'
type Unit = Milliseconds | Seconds | Minutes | Hours | Days | Weeks | Years

/**
 * Milliseconds, or a string with a unit: `'90s'`, `'30m'`, `'1.5h'`, `'7 days'`. At most 400 days.
 * A string from somewhere else, such as the environment, is checked at run time: write `value as Duration`.
 */
export type Duration = number | `${number}${'' | ' '}${Unit}`

/** Anything that tells the time in milliseconds since the epoch; `Date` does. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now (): number
}

/** The attributes of the session cookie (RFC 6265bis section 4.1.2). */
export interface SessionCookieAttributes {
  /** Default `'/'`. */
  path?: string
  /** Default none: the cookie belongs to this host alone (OWASP, Session Management, "Domain and Path"). */
  domain?: string
  /**
   * `'auto'` (default) marks the cookie Secure exactly when `request.protocol` is https.
   * `true` always does, and warns once when the request looks like plain http:
   * behind a proxy set Fastify's `trustProxy`.
   */
  secure?: boolean | 'auto'
  /** Default `'lax'`. `'none'` needs `secure: true`. `'strict'` breaks logins that come back from another site (OAuth). */
  sameSite?: 'lax' | 'strict' | 'none'
  /** Default `true`: no script can read the cookie. */
  httpOnly?: boolean
  /** Default `false`. `true` (CHIPS) needs `secure: true`. */
  partitioned?: boolean
  /** Default none. */
  priority?: 'low' | 'medium' | 'high'
}

/** The session cookie: its name and attributes. It has no max-age of its own; that follows from the session's deadlines. */
export interface SessionCookieOptions extends SessionCookieAttributes {
  /** Default `'sid'`. With the prefix `__Host-` or `__Secure-` the rules of RFC 6265bis 4.1.3 are checked at registration. */
  name?: string
}

/** What `describe` says about a browser: texts, which are cut at 256 characters, numbers, booleans and `null`; sixteen at most. */
export type SessionDescription = Readonly<Record<string, string | number | boolean | null>>

/** A key of `encryption`. */
export interface EncryptionKey {
  /** A short name, unique in the list: at most 32 letters, digits, `-` and `_`. It is stored with each value, so that the key is found again. */
  readonly id: string
  /** 32 random bytes: a `Buffer`, or a string in hex or base64. */
  readonly key: string | Uint8Array
}

/** Everything `app.register(session, options)` takes. Nothing is required; a bad option stops the start. */
export interface SessionOptions {
  /** Where sessions live. Default: a new `MemoryStore`, right for one process. */
  store?: SessionStore
  /** A session expires after this long without a request. At most `absoluteTimeout`. Default `'1h'` (NIST SP 800-63B-4, 2.2.3: at most 1 hour at AAL2). */
  idleTimeout?: Duration
  /** A session expires at this age, used or not. Default `'24h'` (NIST SP 800-63B-4, 2.2.3: at most 24 hours at AAL2). */
  absoluteTimeout?: Duration
  /** The session cookie. */
  cookie?: SessionCookieOptions
  /**
   * Signs the cookie, so that forged ones never reach the store. Optional: the secret
   * in it is 240 random bits. A string of at least 32 bytes, or a list of them:
   * the first signs, all open, and a cookie signed by an old one is renewed.
   */
  secret?: string | readonly string[]
  /** The request's property. Default `'session'`; a second session in one app needs its own, and its own cookie name. */
  property?: string
  /** `'always'` (default), or `'success'`: what a request changed is dropped when it is answered with a 5xx. A `destroy()` always takes effect. */
  saveOn?: 'always' | 'success'
  /**
   * `'fail'` (default) answers 503 when the store fails. `'anonymous'` goes on
   * without a session when it cannot be read: reads find nothing, guards deny, writes throw.
   */
  onStoreError?: 'fail' | 'anonymous'
  /**
   * What to do when one request brings two live sessions under the cookie's name, as
   * when a sibling domain planted one (RFC 6265bis 8.6). `'first'` (default) uses the
   * one the browser sent first; `'refuse'` goes on without a session. Both publish
   * `rejected` with the reason `'ambiguous'`. The prefix `__Host-` rules it out.
   */
  onAmbiguousCookie?: 'first' | 'refuse'
  /** How long the store may take for one answer. Default `'2s'`. */
  storeTimeout?: Duration
  /** What one session may hold, in bytes of encoded keys and values. Default 1 MiB. */
  maxSize?: number
  /**
   * The key whose value says whose session it is, such as `'userId'`: a string, or a whole number. With it `app.sessions` lists and
   * revokes all sessions of a user (ASVS 5.0, 7.4.2, 7.4.3, 7.5.2). Default none. `update` and `take` do not change it. A store that
   * cannot list sessions by owner, such as one made for express-session, stops the start.
   */
  ownerKey?: string
  /** How many sessions an owner may have at once. Default any number. Needs `ownerKey`. */
  maxPerOwner?: number
  /**
   * What a login beyond `maxPerOwner` does. `'end-oldest'` (default) ends those that would expire first: with equal lifetimes, those unused
   * for longest. `'refuse'` throws a `SessionLimitError` with status 409 at the save, and leaves the visitor as before: call `await session.save()` to catch it.
   */
  onLimit?: 'end-oldest' | 'refuse'
  /**
   * What to remember of the browser at a login, for `about` in `app.sessions.list`. Default nothing: addresses and user agents are
   * personal data. Where it throws, the login goes on without.
   */
  describe?: (request: FastifyRequest) => SessionDescription
  /**
   * Whether a request with a session may come from another site. `'deny'` (default) answers a request in an unsafe method (any but GET, HEAD, OPTIONS and
   * TRACE) or for a WebSocket with a `CrossSiteError`, status 403, before any handler: where `Sec-Fetch-Site` says so, or without it where `Origin` is not
   * the app's own. It takes the place of CSRF tokens (ASVS 5.0, 3.5.1). `'allow'` lets everything through; a route has its own with `config: { crossSite: 'allow' }`.
   */
  crossSite?: 'deny' | 'allow'
  /** Origins whose pages may act with a session of this app, each as its browser sends it: `['https://app.example.com']`. Default none. CORS is another matter. */
  trustedOrigins?: readonly string[]
  /**
   * What the browser is to forget with the response that ends its session, by `destroy()`, by `clear()` with nothing set after it, or by `validate`: sent as `Clear-Site-Data` (ASVS 5.0,
   * 14.3.1), which browsers obey over https only. `['cache', 'storage']` is what most apps want. `'cookies'` takes the cookies of the whole registrable domain, those of
   * your other apps, too. Default nothing. A header that the app has set stays.
   */
  clearSiteData?: ReadonlyArray<'cache' | 'storage' | 'cookies' | 'executionContexts' | 'prefetchCache' | 'prerenderCache' | 'clientHints'>
  /**
   * Whether a session fits the request that brought it (ASVS 5.0, 8.2.4), asked once a request, after loading; not without a session, and not by
   * `app.sessions.load`. `true` lets the request have it. `false` ends it, with the reason `'invalid'`, and the request goes on without one. `'rotate'` gives it a new cookie, as
   * `session.rotate()` does. When it throws, answers with anything else, or not within `storeTimeout`, the request is refused with a `ValidateFailedError`. Default: every session
   * fits. A second session has its type at the request: `(_, { adminSession }) => …`.
   */
  validate?: (session: FastifyRequest['session'], request: FastifyRequest) => boolean | 'rotate' | Promise<boolean | 'rotate'>
  /**
   * Encrypts every value and every description in the store (AES-256-GCM, bound to the session and the name of the value), and makes the
   * hashes of the tokens useless to everybody without a key. Default none. The first key seals, all of them open. `'plain'` stands for what is stored without
   * encryption, for the time in which it is turned on; where it is not in the list that counts as corrupt. docs/encryption.md says in which order keys are added and taken out.
   */
  encryption?: ReadonlyArray<EncryptionKey | 'plain'>
  /** Tells the time. Default `Date`; for tests. */
  clock?: Clock
}
