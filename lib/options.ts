// What users write becomes what we use: every default, every check, once, at
// registration. The user's own object is only read.
import { inspect } from 'node:util'
import { clearSiteDataHeader } from './clear-site-data.js'
import { cookieAttributeNames, resolveCookieAttributes, type CookieAttributes } from './cookie-attributes.js'
import { CookieSigner } from './cookie-signer.js'
import { deadlineFix, DURATION_FIX, toDeadline, toMilliseconds } from './duration.js'
import { encryptionKeys, type CheckedKey } from './encryption-option.js'
import { InvalidOptionError } from './errors.js'
import { MemoryStore } from './stores/memory/memory-store.js'
import { trustedOrigins } from './origin-options.js'
import { ownerOptions, type OwnerSettings } from './owner-options.js'
import { unknownName } from './unknown-names.js'
import type { Clock, SessionOptions } from '../types/options.js'
import type { SessionLifetime, SessionStore } from '../types/store.js'

/** One registration's settings, complete and frozen. */
export interface SessionConfig {
  readonly property: string
  readonly store: SessionStore
  /** The lifetime of a session that has none of its own. */
  readonly lifetime: SessionLifetime
  readonly cookieName: string
  readonly cookie: CookieAttributes
  readonly signer: CookieSigner | null
  readonly saveOn: 'always' | 'success'
  readonly onStoreError: 'fail' | 'anonymous'
  readonly onAmbiguousCookie: 'first' | 'refuse'
  readonly storeTimeout: number
  readonly maxSize: number
  readonly clock: Clock
  /** How sessions are listed by their owners; `null` where they are not. */
  readonly owner: OwnerSettings | null
  readonly describe: SessionOptions['describe']
  readonly crossSite: 'deny' | 'allow'
  /** The header of an answer that ends the session; `null` for none. */
  readonly clearSiteData: string | null
  readonly trustedOrigins: ReadonlySet<string>
  /** `null` where every session fits every request. */
  readonly validate: NonNullable<SessionOptions['validate']> | null
  /** `null` where what is stored is not encrypted. */
  readonly encryption: readonly CheckedKey[] | null
}

const MIB = 1024 * 1024
const MIN_SECRET = 32

// The longest value we send: a token of 64 characters, a dot and a signature of 43.
const MAX_COOKIE_VALUE = 108

// Browsers ignore a cookie whose name and value are longer (RFC 6265bis 5.6).
const MAX_COOKIE = 4096

// A token as RFC 9110 5.6.2 has it
const cookieNameShape = /^[\w!#$%&'*+.^`|~-]+$/

const storeFunctions = ['read', 'create', 'update', 'touch', 'destroy'] as const

const known = new Set([
  'store', 'idleTimeout', 'absoluteTimeout', 'cookie', 'secret', 'property', 'saveOn', 'onStoreError', 'onAmbiguousCookie', 'storeTimeout', 'maxSize', 'clock', 'ownerKey', 'maxPerOwner', 'onLimit', 'describe', 'crossSite', 'trustedOrigins', 'validate', 'clearSiteData', 'encryption',
  // Fastify's own options of register()
  'prefix', 'logLevel', 'logSerializers', 'encapsulate'
])

const knownCookie = new Set(['name', ...cookieAttributeNames])

// What people bring along from other session libraries, and what does it here.
const elsewhere: Record<string, string> = {
  cookieName: 'write cookie: { name }',
  name: 'write cookie: { name }',
  ttl: 'write idleTimeout and absoluteTimeout',
  maxAge: 'write idleTimeout and absoluteTimeout; for a cookie that outlives the browser call session.lifetime({ persistent: true })',
  expires: 'write idleTimeout and absoluteTimeout; for a cookie that outlives the browser call session.lifetime({ persistent: true })',
  signed: 'write secret',
  saveUninitialized: 'leave it out: nothing is saved before something is stored',
  resave: 'leave it out: only what changed is saved',
  rolling: 'leave it out: the idle timeout renews itself',
  idGenerator: 'leave it out: ids and secrets are random',
  genid: 'leave it out: ids and secrets are random',
  algorithm: 'leave it out: signatures are HMAC-SHA256',
  cookiePrefix: 'leave it out: the value is only an id',
  encode: 'leave it out: the value needs no encoding',
  proxy: 'leave it out, and set the Fastify option trustProxy',
  unset: 'leave it out, and call session.destroy()',
  secrets: 'write secret: [newest, older]',
  key: 'write encryption: [{ id, key }] to encrypt what is stored, or secret to sign the cookie'
}

/** Checks the options and fills in the rest. Throws an `InvalidOptionError` that names the option, its value and what to write instead. */
export function resolveOptions (options: SessionOptions): SessionConfig {
  refuseUnknown(options, known, '')
  const {
    store, secret, cookie = {}, property = 'session', clock = Date, maxSize = MIB,
    idleTimeout = '1h', absoluteTimeout = '24h', storeTimeout = '2s', saveOn = 'always', onStoreError = 'fail', onAmbiguousCookie = 'first', describe, encryption, crossSite = 'deny', validate
  } = options
  if (typeof cookie !== 'object' || cookie === null) refuse('cookie', cookie, 'give an object such as { name, path, secure }')
  refuseUnknown(cookie, knownCookie, 'cookie.')
  if (typeof clock?.now !== 'function') refuse('clock', clock, 'give an object with a function now(), such as Date')
  if (typeof property !== 'string' || property === '') refuse('property', property, "give a name such as 'adminSession'")
  if (!Number.isSafeInteger(maxSize) || maxSize <= 0) refuse('maxSize', maxSize, 'give a whole number of bytes above 0')
  const { name = 'sid', ...attributes } = cookie
  refuseBadCookieName(name)

  if (describe !== undefined && typeof describe !== 'function') refuse('describe', describe, "give a function such as (request) => ({ agent: request.headers['user-agent'] ?? '' })")
  if (validate !== undefined && typeof validate !== 'function') refuse('validate', validate, 'give a function (session, request) => boolean or \'rotate\'')
  const usedStore = store === undefined ? new MemoryStore({ clock }) : checkedStore(store)
  return Object.freeze({
    property,
    store: usedStore,
    lifetime: lifetimeOption(idleTimeout, absoluteTimeout),
    cookieName: name,
    cookie: resolveCookieAttributes(name, attributes, (attribute, value, fix) => refuse(`cookie.${attribute}`, value, fix)),
    signer: secret === undefined ? null : signer(secret),
    saveOn: choice('saveOn', saveOn, ['always', 'success']),
    onStoreError: choice('onStoreError', onStoreError, ['fail', 'anonymous']),
    onAmbiguousCookie: choice('onAmbiguousCookie', onAmbiguousCookie, ['first', 'refuse']),
    storeTimeout: Math.min(duration('storeTimeout', storeTimeout), 0x7fffffff),
    maxSize,
    clock,
    owner: ownerOptions(options, usedStore, refuse),
    describe,
    crossSite: choice('crossSite', crossSite, ['deny', 'allow']),
    trustedOrigins: trustedOrigins(options.trustedOrigins ?? [], refuse),
    validate: validate ?? null,
    clearSiteData: clearSiteDataHeader(options.clearSiteData, refuse),
    encryption: encryption === undefined ? null : encryptionKeys(encryption)
  })
}

function refuse (option: string, value: unknown, fix: string): never {
  // depth -1 names an object's class and shows nothing inside: there may be passwords
  const shown = /secret|encrypt|^key$/i.test(option) ? `of type ${typeof value}` : inspect(value, { depth: -1, maxStringLength: 80 })
  throw new InvalidOptionError(option, shown, fix)
}

function refuseUnknown (given: object, names: ReadonlySet<string>, prefix: string): void {
  const unknown = unknownName(given, names, elsewhere)
  if (unknown !== null) refuse(prefix + unknown.name, (given as Record<string, unknown>)[unknown.name], unknown.fix)
}

/** An idle timeout beyond the absolute one could never take effect. */
function lifetimeOption (idleTimeout: unknown, absoluteTimeout: unknown): SessionLifetime {
  const idle = deadline('idleTimeout', idleTimeout)
  const absolute = deadline('absoluteTimeout', absoluteTimeout)
  if (idle > absolute) refuse('idleTimeout', idleTimeout, `it is longer than absoluteTimeout, ${inspect(absoluteTimeout)}: give absoluteTimeout, too`)
  return Object.freeze({ idle, absolute, persistent: false })
}

function refuseBadCookieName (name: unknown): void {
  if (typeof name !== 'string' || !cookieNameShape.test(name)) {
    refuse('cookie.name', name, "give a name such as 'sid', of letters, digits and !#$%&'*+-.^_`|~ (RFC 6265bis 4.1.1)")
  }
  if (name.length + MAX_COOKIE_VALUE > MAX_COOKIE) refuse('cookie.name', name, 'browsers ignore so long a cookie (RFC 6265bis 5.6)')
}

function checkedStore (store: SessionStore): SessionStore {
  const missing = storeFunctions.filter((name) => typeof store?.[name] !== 'function')
  if (missing.length === 0) return withKnownReach(store)
  const hint = typeof (store as { get?: unknown } | null)?.get === 'function' ? "; for a store made for express-session write fromExpressStore(store), from 'fastify-keep/express-store'" : ''
  return refuse('store', store, `a store needs the function${missing.length > 1 ? 's' : ''} ${missing.join(', ')}${hint}`)
}

function withKnownReach (store: SessionStore): SessionStore {
  if (store.atomicAcross !== undefined) choice('store.atomicAcross', store.atomicAcross, ['process', 'machine', 'cluster'])
  if (store.durable !== undefined && typeof store.durable !== 'boolean') refuse('store.durable', store.durable, 'give true or false, or leave it out')
  return store
}

function duration (option: string, value: unknown): number {
  return toMilliseconds(value) ?? refuse(option, value, DURATION_FIX)
}

function deadline (option: string, value: unknown): number {
  return toDeadline(value) ?? refuse(option, value, deadlineFix(value))
}

function choice<T extends string> (option: string, value: T, choices: readonly T[]): T {
  return choices.includes(value) ? value : refuse(option, value, `give ${choices.map((each) => `'${each}'`).join(' or ')}`)
}

function signer (secret: string | readonly string[]): CookieSigner {
  const secrets = Array.isArray(secret) ? [...secret] : [secret]
  if (secrets.length === 0) refuse('secret', secret, 'give at least one secret, or leave it out')
  for (const each of secrets) {
    if (typeof each === 'string' && Buffer.byteLength(each) >= MIN_SECRET) continue
    throw new InvalidOptionError('secret', typeof each === 'string' ? `${Buffer.byteLength(each)} bytes long` : `of type ${typeof each}`, `give a random string of at least ${MIN_SECRET} bytes, or a list of them`)
  }
  return new CookieSigner(secrets)
}
