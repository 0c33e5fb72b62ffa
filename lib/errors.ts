// Every error this package throws, one place each. A code is never reused and
// never renamed; the README lists them with what to do.
import { createError } from '@fastify/error'

/** Raised at registration when an option cannot work: the option, its value and what to write instead are in the message. */
export const InvalidOptionError = createError<'FST_KEEP_INVALID_OPTION', 500, [option: string, value: string, fix: string]>(
  'FST_KEEP_INVALID_OPTION', 'session option %s is %s: %s', 500, TypeError)

/** Raised at registration when another session of the same app already has the property or the cookie. */
export const DuplicateSessionError = createError<'FST_KEEP_DUPLICATE_SESSION', 500, [what: string, fix: string]>(
  'FST_KEEP_DUPLICATE_SESSION', '%s is already in use by another session of this app: %s', 500)

/** Raised when a session's method is called with something it cannot work with. */
export const InvalidArgumentError = createError<'FST_KEEP_INVALID_ARGUMENT', 500, [call: string, value: string, fix: string]>(
  'FST_KEEP_INVALID_ARGUMENT', '%s was given %s: %s', 500, TypeError)

/** Raised by `update` and `take` when no key of this process opens the stored value; nothing was stored. The `cause` names the key of the session, and that of `encryption`. */
export const SealedValueError = createError<'FST_KEEP_SEALED_VALUE', 503, [options?: ErrorOptions]>(
  'FST_KEEP_SEALED_VALUE', 'The session cannot be changed here at the moment', 503)

/** Raised by `session['save'] = …`: the name is a member of the session. */
export const ReservedKeyError = createError<'FST_KEEP_RESERVED_KEY', 500, [key: string, key: string]>(
  'FST_KEEP_RESERVED_KEY', "session['%s'] is a member of the session: store this key with session.set('%s', value)", 500, TypeError)

/** Raised by `set` or by the save when a value cannot be kept as it is. */
export const UnstorableValueError = createError<'FST_KEEP_UNSTORABLE_VALUE', 500, [path: string, reason: string, options?: ErrorOptions]>(
  'FST_KEEP_UNSTORABLE_VALUE', 'session value %s cannot be stored: %s', 500, TypeError)

/** Raised by `set` or by the save when a session outgrows `maxSize`. */
export const SessionTooLargeError = createError<'FST_KEEP_TOO_LARGE', 500, [size: number, limit: number, keys: string]>(
  'FST_KEEP_TOO_LARGE', 'the session takes %d bytes and maxSize is %d; the largest keys are %s', 500)

/** Raised by `getOrThrow` when the key is absent. The message goes to the client; the `cause` names the key. */
export const MissingKeyError = createError<'FST_KEEP_MISSING_KEY', 401, [options?: ErrorOptions]>(
  'FST_KEEP_MISSING_KEY', 'This needs a session; log in first', 401)

/** Raised by `requireSession` when the session does not have what the guard asks for. */
export const SessionRequiredError = createError<'FST_KEEP_SESSION_REQUIRED', 401, []>(
  'FST_KEEP_SESSION_REQUIRED', 'This needs a session; log in first', 401)

/** Raised by `requireSession(…, { fresh })` when the login is older than that. */
export const StaleLoginError = createError<'FST_KEEP_STALE_LOGIN', 401, []>(
  'FST_KEEP_STALE_LOGIN', 'This needs a recent login; log in again', 401)

/** Raised when the session is used on a route that opted out, or before the plugin's hook has run. */
export const NotCoveredError = createError<'FST_KEEP_NOT_COVERED', 500, [property: string, fix: string]>(
  'FST_KEEP_NOT_COVERED', 'request.%s is not available here: %s', 500)

/** Raised by `save()` when a new cookie is due and nothing can carry it any more. */
export const CookieNotDeliverableError = createError<'FST_KEEP_COOKIE_NOT_DELIVERABLE', 500, [fix: string]>(
  'FST_KEEP_COOKIE_NOT_DELIVERABLE', 'a new session cookie is due and cannot be delivered: %s', 500)

/** Raised when the store failed; the `cause` names the function and says what went wrong, without what it was given. The client is told nothing of it. */
export const StoreError = createError<'FST_KEEP_STORE', 503, [options?: ErrorOptions]>(
  'FST_KEEP_STORE', 'The session store is unavailable', 503)

/** Raised by a store of a bounded size that has no room left, as the `cause` of the `StoreError` that a request fails with; reading goes on. */
export const StoreFullError = createError<'FST_KEEP_STORE_FULL', 503, [why: string, options?: ErrorOptions]>(
  'FST_KEEP_STORE_FULL', 'the session store is full: %s', 503)

/** Raised when the store did not answer within `storeTimeout`; the `cause` names the function. */
export const StoreTimeoutError = createError<'FST_KEEP_STORE_TIMEOUT', 503, [options?: ErrorOptions]>(
  'FST_KEEP_STORE_TIMEOUT', 'The session store did not answer in time', 503)

/** Raised when `update` lost to other requests too many times in a row. */
export const ConflictError = createError<'FST_KEEP_CONFLICT', 503, []>(
  'FST_KEEP_CONFLICT', 'The session is being changed by too many requests at once', 503)

/** Raised at registration by a store that can never work: the wrong server, or one that refuses what the store needs. */
export const UnfitStoreError = createError<'FST_KEEP_UNFIT_STORE', 500, [why: string, options?: ErrorOptions]>(
  'FST_KEEP_UNFIT_STORE', 'the session store cannot be used: %s', 500)

/** Raised when an app registers @fastify/cookie after the session, which then has registered it already. */
export const CookieOrderError = createError<'FST_KEEP_COOKIE_ORDER', 500, []>(
  'FST_KEEP_COOKIE_ORDER', '@fastify/cookie was registered after the session, which had to register it itself: register @fastify/cookie before the session, or leave it out', 500)

/** Raised by `requireSession` when the function that decides failed with something that is no error; the `cause` has it. */
export const GuardFailedError = createError<'FST_KEEP_GUARD_FAILED', 500, [options?: ErrorOptions]>(
  'FST_KEEP_GUARD_FAILED', 'It could not be decided whether to let this request through', 500)

/** Raised by the save when one change has more keys than the store takes at once; nothing was sent. */
export const TooManyKeysError = createError<'FST_KEEP_TOO_MANY_KEYS', 500, [needed: number, most: number]>(
  'FST_KEEP_TOO_MANY_KEYS', 'this save has too many keys for one command of the store (%d arguments of at most %d): store them as one value, such as an object or a Map', 500)

/**
 * Raised by `update` and `reauthenticated` when the session has ended: what must not be lost in silence was not stored. And the `reason` of an
 * aborted `session.signal`, whose own `reason` says why the session ended.
 */
export const SessionEndedError = createError<'FST_KEEP_SESSION_ENDED', 401, []>(
  'FST_KEEP_SESSION_ENDED', 'The session has ended; log in again', 401)

/** Raised by a request of another site, before any handler: it would have acted with the session of whose browser it came from. The `cause` says what showed it, and how to let such a request in. */
export const CrossSiteError = createError<'FST_KEEP_CROSS_SITE', 403, [options?: ErrorOptions]>(
  'FST_KEEP_CROSS_SITE', 'This request came from another site', 403)

/** Raised when the option `validate` failed, answered with something else than `true`, `false` or `'rotate'`, or did not answer in time; the `cause` says which. Nothing was opened. */
export const ValidateFailedError = createError<'FST_KEEP_VALIDATE_FAILED', 500, [options?: ErrorOptions]>(
  'FST_KEEP_VALIDATE_FAILED', 'It could not be decided whether the session fits this request', 500)

/** Raised where a session, or a call of `app.sessions`, is given an owner that cannot be one. */
export const InvalidOwnerError = createError<'FST_KEEP_INVALID_OWNER', 500, [value: string]>(
  'FST_KEEP_INVALID_OWNER', 'the owner of sessions is %s: give a string that is not empty, or a whole number', 500, TypeError)

/** Raised by a login beyond `maxPerOwner` where `onLimit` is `'refuse'`; nothing was stored, and the visitor's session is as it was. */
export const SessionLimitError = createError<'FST_KEEP_SESSION_LIMIT', 409, []>(
  'FST_KEEP_SESSION_LIMIT', 'There are too many sessions of this user; log out somewhere else first', 409)

/** Raised by a call of `app.sessions` that needs the option `ownerKey`, or a store that can do it. */
export const NotListedError = createError<'FST_KEEP_NOT_LISTED', 500, [call: string, fix: string]>(
  'FST_KEEP_NOT_LISTED', 'sessions.%s is not available here: %s', 500)
