// One request inside its handler: does one operation of its script a turn, and
// notes what came of it. What a package does not have yet is left out.
import type { FastifyReply } from 'fastify'
import { LIFETIMES, type Op } from './schedule.js'
import type { Deed, Identity, Visit } from './history.js'

/** The session as a script sees it: old packages lack `take` and `reauthenticated`. */
export interface AnySession {
  readonly isNew: boolean
  readonly sessionId: string
  readonly isEnded?: boolean
  data (): Record<string, unknown>
  get (key: string): unknown
  set (key: string, value: unknown): void
  remove (key: string): boolean
  pop (key: string): unknown
  clear (): void
  update (key: string, step: (current: unknown) => unknown): unknown
  take? (key: string): Promise<unknown>
  reauthenticated? (): void
  lifetime (to: object): void
  touch (): void
  rotate (): void
  regenerate (keep?: readonly string[] | 'all'): void
  destroy (): void
  save (): Promise<boolean>
  reload (): Promise<void>
}

/** Everything a script may keep: what `'all'` means to a package without it. */
const EVERY_KEY = ['a', 'b', 'c', 'n', 'user', 'flash', 'coupon']

/** Calls the session. Answers with what it returned; a promise is not waited for. */
export function perform (session: AnySession, op: Op, value: string): unknown {
  switch (op.does) {
    case 'get': return session.get(op.key)
    case 'set': return session.set(op.key, value)
    case 'remove': return session.remove(op.key)
    case 'pop': return session.pop(op.key)
    case 'update': return session.update('n', (n) => (typeof n === 'number' ? n : 0) + 1)
    case 'take': return session.take?.('coupon')
    case 'lifetime': return session.lifetime(LIFETIMES[op.to])
    case 'regenerate': return session.regenerate(op.keep === 'all' && session.take === undefined ? EVERY_KEY : op.keep)
    case 'reauthenticated': return session.reauthenticated?.()
    case 'reload': return session.reload().then(() => session.isNew ? 'nothing' : session.data())
    default: return session[op.does]()
  }
}

/** Whether this package has the operation. */
export function has (session: AnySession, op: Op): boolean {
  return typeof (session as unknown as Record<string, unknown>)[op.does] === 'function'
}

/** The code of an error; what has none shows itself. */
export function codeOf (error: unknown): string {
  return (error as { code?: string } | null)?.code ?? String(error)
}

export function identityOf (session: AnySession, reply: FastifyReply): Identity {
  const lines = [reply.getHeader('set-cookie') ?? []].flat().map(String)
  return { id: session.sessionId, cookie: lines[0] === undefined ? null : tokenOf(lines[0]) }
}

/** The value in a Set-Cookie line. */
export function tokenOf (line: string): string {
  return line.slice(line.indexOf('=') + 1).split(';')[0] as string
}

/** What a handler's script needs of the world. */
export interface Stage {
  /** Settles when the scheduler lets this request go on. */
  turn (visit: Visit): Promise<void>
  note (happening: { what: 'did' | 'settled', visit: Visit, deed: Deed }): void
}

/** The handler: the script, one turn each. */
export async function play (stage: Stage, visit: Visit, session: AnySession, reply: FastifyReply): Promise<void> {
  for (const [n, op] of visit.ops.entries()) {
    await stage.turn(visit)
    if (!has(session, op)) continue
    const deed: Deed = { op, n, value: `${visit.n}.${n}`, isAsync: false, isOpen: false }
    // before the call: a store may be asked while it runs
    stage.note({ what: 'did', visit, deed })
    const result = attempt(deed, () => perform(session, op, deed.value))
    deed.isAsync = deed.isOpen = result instanceof Promise
    if (deed.error !== undefined && !visit.catches) throw deed.thrown
    if (!(result instanceof Promise)) continue
    const settled = settle(deed, result)
    if (op.does !== 'save' || op.wait) await settled
  }

  /** Notes what becomes of a promise; rejects only where the handler would. */
  async function settle (deed: Deed, promise: Promise<unknown>): Promise<void> {
    let failure: unknown
    try {
      deed.result = await promise
      if (deed.op.does === 'save') deed.identity = identityOf(session, reply)
    } catch (error) {
      deed.error = codeOf(error)
      deed.thrown = failure = error
    }
    deed.isLate = session.isEnded === true
    deed.isOpen = false
    stage.note({ what: 'settled', visit, deed })
    if (failure !== undefined && !visit.catches && !(deed.op.does === 'save' && !deed.op.wait)) throw failure
  }
}

function attempt (deed: Deed, run: () => unknown): unknown {
  try {
    const result = run()
    if (!(result instanceof Promise)) deed.result = result
    return result
  } catch (error) {
    deed.error = codeOf(error)
    deed.thrown = error
    return undefined
  }
}
