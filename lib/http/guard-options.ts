// What users write for a guard becomes what the guard uses: every default and every check, once, where it is made.
import { inspect } from 'node:util'
import type { FastifyRequest } from 'fastify'
import { didYouMean } from '../did-you-mean.js'
import { DURATION_FIX, toMilliseconds } from '../duration.js'
import { InvalidOptionError } from '../errors.js'
import { EXEMPT_FIX, isExemptPath } from './exempt-paths.js'
import { LoginPage } from './login-page.js'
import type { Session } from '../session/session.js'
import type { Duration } from '../../types/options.js'
import type { SessionData } from '../../types/session-data.js'

/** Decides by the session, and if need be the request, whether to let it through: `true`, or a promise of `true`, does. */
export type SessionPredicate<Data = SessionData> = (session: Session<Data>, request: FastifyRequest) => boolean | Promise<boolean>

/** How a guard treats the requests it turns away, and which it leaves alone. */
export interface GuardOptions {
  /** The status of the error, from 400 to 599. Default 401. */
  statusCode?: number
  /**
   * Where a browser that opens a page is sent instead of the error: usually the login page, a path such as
   * `'/login'` or an address such as `'https://login.example/'`. Default none. The way back comes along as
   * `?returnTo=`, to be read with `returnPath`. A path of this app is itself never guarded, in any method.
   * Only navigations are redirected: GET and HEAD that name `text/html` in `Accept`, with
   * `Sec-Fetch-Mode: navigate` where that is sent. Everything else gets the error.
   */
  redirectTo?: string
  /** How recent the login has to be, by `createdAt`. Default: any. For what ASVS 5.0, 7.5.1 and 7.5.3 ask to log in again for. */
  fresh?: Duration
  /**
   * What this guard leaves alone: paths (`'/health'`), route patterns (`'/files/:id'`), and with `/*` at the
   * end every route whose pattern begins like that. Default none. A path is what the router sees, after `rewriteUrl`.
   */
  except?: readonly string[]
  /**
   * Whether the answers are kept out of every cache by `Cache-Control: no-store` (ASVS 5.0, 14.3.2), so that the back button shows nothing
   * after a logout. Default `false`. What this guard leaves alone is left as it is, and so is a header that the handler sets.
   */
  noStore?: boolean
  /** The session's property, where it is not `'session'`. */
  property?: string
}

/** A guard's settings, complete. */
export interface GuardSettings {
  /** The keys to ask for; `null` when a function decides. */
  readonly keys: readonly string[] | null
  /** Only where there are no keys. Users write functions that answer anything. */
  readonly predicate: (session: Session, request: FastifyRequest) => unknown
  /** In milliseconds; `null` for any age. */
  readonly fresh: number | null
  readonly statusCode: number
  readonly loginPage: LoginPage | null
  readonly except: readonly string[]
  readonly noStore: boolean
  readonly property: string
}

const names = ['statusCode', 'redirectTo', 'fresh', 'except', 'noStore', 'property'] satisfies Array<keyof GuardOptions>

/** Checks the options and fills in the rest. Throws an `InvalidOptionError` that names the option, its value and the fix. */
export function resolveGuard (condition: unknown, options: GuardOptions): GuardSettings {
  refuseUnknown(options)
  const { statusCode = 401, redirectTo, fresh, except = [], noStore = false, property = 'session' } = options
  if (!Number.isInteger(statusCode) || statusCode < 400 || statusCode > 599) refuse('statusCode', statusCode, 'give a status from 400 to 599')
  if (!Array.isArray(except) || !except.every(isExemptPath)) refuse('except', except, EXEMPT_FIX)
  if (typeof noStore !== 'boolean') refuse('noStore', noStore, 'give true or false')
  if (typeof property !== 'string' || property === '') refuse('property', property, "give the session's property, such as 'adminSession'")
  return {
    keys: typeof condition === 'function' ? null : keysOf(condition),
    predicate: condition as SessionPredicate,
    fresh: fresh === undefined ? null : toMilliseconds(fresh) ?? refuse('fresh', fresh, DURATION_FIX),
    statusCode,
    loginPage: redirectTo === undefined ? null : LoginPage.at(redirectTo) ?? refuse('redirectTo', redirectTo, "give a path such as '/login', or a whole address such as 'https://login.example/'"),
    except: [...except] as string[],
    noStore,
    property
  }
}

function keysOf (condition: unknown): readonly string[] {
  const keys = [condition].flat()
  if (keys.length === 0 || keys.some((key) => typeof key !== 'string')) refuse('condition', condition, 'give a key, a list of keys or a function')
  return keys as string[]
}

function refuseUnknown (options: unknown): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) refuse('options', options, "give an object such as { redirectTo: '/login' }")
  for (const [name, value] of Object.entries(options)) {
    if ((names as string[]).includes(name)) continue
    const meant = didYouMean(name, names)
    refuse(name, value, `there is no such option; ${meant === null ? '' : `did you mean '${meant}'? `}the options are ${names.join(', ')}`)
  }
}

function refuse (option: string, value: unknown, fix: string): never {
  throw new InvalidOptionError(`requireSession ${option}`, inspect(value, { depth: 1, maxStringLength: 80 }), fix)
}
