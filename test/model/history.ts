// What happened in one run, in order. The world writes it; the oracle reads it.
// The place in the list is the time of an event; the clock only says what was read from it.
import type { Op } from './schedule.js'

export interface View {
  readonly found: boolean
  readonly data: Readonly<Record<string, unknown>>
}

export type Happening =
  | { readonly what: 'sent', readonly visit: Visit }
  | { readonly what: 'loaded', readonly visit: Visit, readonly view: View, readonly isLate: boolean }
  | { readonly what: 'did', readonly visit: Visit, readonly deed: Deed }
  | { readonly what: 'settled', readonly visit: Visit, readonly deed: Deed }
  | { readonly what: 'asked', readonly visit: Visit, readonly call: string }
  | { readonly what: 'applied', readonly visit: Visit, readonly call: string }
  | { readonly what: 'failed', readonly visit: Visit, readonly call: string }
  | { readonly what: 'answered', readonly visit: Visit }
  | { readonly what: 'died', readonly visit: Visit }
  | { readonly what: 'clock' }
  | { readonly what: 'probed', readonly token: string, readonly view: View }

export type Event = Happening & { readonly clock: number }

/** One operation of one request, and what came of it. */
export interface Deed {
  readonly op: Op
  /** Its place in the script. */
  readonly n: number
  /** The value that a `set` stored: no two are equal. */
  readonly value: string
  /** What it returned, or what its promise became. */
  result?: unknown
  /** The code of what it threw. */
  error?: string
  thrown?: unknown
  /** It returned a promise. */
  isAsync: boolean
  /** Its promise is under way. */
  isOpen: boolean
  /** `session.isEnded` once its promise had settled. */
  isLate?: boolean
  /** After a save: the id and the cookie that the response had then. */
  identity?: Identity
}

export interface Identity {
  readonly id: string
  readonly cookie: string | null
}

/** One request. */
export interface Visit {
  readonly n: number
  readonly who: string
  readonly process: number
  readonly token: string | null
  readonly arrival: number
  readonly ops: readonly Op[]
  readonly catches: boolean
  response: Response | null
  isDead: boolean
}

export interface Response {
  readonly status: number
  readonly code: string | null
  /** The session cookies that it sets; `''` clears. */
  readonly cookies: readonly string[]
  readonly identity: Identity | null
  /** `session.isEnded`, where there is such a thing. */
  readonly isEnded: boolean
}

/** A line of the log for people. */
export function told (event: Event): string {
  const seconds = `${event.clock / 1000} s`.padStart(8)
  if (event.what === 'clock') return `${seconds}  the clock moves`
  if (event.what === 'probed') return `${seconds}  at the end ${event.token.slice(0, 6)} opens ${event.view.found ? JSON.stringify(event.view.data) : 'nothing'}`
  const { visit } = event
  return `${seconds}  ${`#${visit.n}`.padEnd(3)} ${what()}`

  function what (): string {
    switch (event.what) {
      case 'sent': return `${visit.who} sends a request to process ${visit.process} with ${visit.token?.slice(0, 6) ?? 'no cookie'}`
      case 'loaded': return event.view.found ? `finds ${JSON.stringify(event.view.data)}` : `finds no session${event.isLate ? ', and is late' : ''}`
      case 'did': return `session.${asCalled(event.deed)}${event.deed.isAsync ? '' : outcome(event.deed)}`
      case 'settled': return `${event.deed.op.does}() of step ${event.deed.n} settles${outcome(event.deed)}`
      case 'asked': return `  asks the store to ${event.call}`
      case 'applied': return `  the store applies ${event.call}`
      case 'failed': return `  is told that ${event.call} failed`
      case 'answered': return `answers ${visit.response?.status} ${visit.response?.code ?? ''} ${visit.response?.cookies.map((each) => each === '' ? 'clears the cookie' : `sets ${each.slice(0, 6)}`).join() || 'no cookie'}`
      default: return 'dies'
    }
  }
}

function asCalled ({ op, value }: Deed): string {
  if (op.does === 'set') return `set('${op.key}', '${value}')`
  if (op.does === 'regenerate') return `regenerate(${JSON.stringify(op.keep)})`
  return `${op.does}(${'key' in op ? op.key : 'to' in op ? op.to : ''})`
}

function outcome ({ result, error }: Deed): string {
  return error !== undefined ? ` throws ${error}` : result === undefined ? '' : ` -> ${JSON.stringify(result)}`
}
