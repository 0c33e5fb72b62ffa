// What may happen, as plain data that fast-check makes and shrinks.
import fc from 'fast-check'

/** One operation on a session, as a handler would call it. */
export type Op =
  | { readonly does: 'set' | 'remove' | 'pop' | 'get', readonly key: string }
  | { readonly does: 'lifetime', readonly to: keyof typeof LIFETIMES }
  | { readonly does: 'regenerate', readonly keep: readonly string[] | 'all' }
  | { readonly does: 'save', readonly wait: boolean }
  | { readonly does: 'update' | 'take' | 'clear' | 'touch' | 'rotate' | 'reauthenticated' | 'destroy' | 'reload' }

/** One request: who sends it, to which process, and what its handler does, one step at a time. */
export interface Script {
  /** `thief` sends a cookie that was issued earlier, `victim` and `other` what their jar holds. */
  readonly who: 'victim' | 'other' | 'thief'
  readonly cookie: number
  readonly process: 0 | 1
  readonly ops: readonly Op[]
  /** Whether the handler goes on when an operation rejects. */
  readonly catches: boolean
}

/** What becomes of a store call. `late`: refused to the caller, yet applied later. `lost`: applied, the answer never arrives. */
export type Fate = 'ok' | 'fails' | 'lost' | 'late' | 'twice'

/** One turn of the scheduler. `hold` sends a request and lets it load, `whole` lets it finish. `pick` chooses among what is possible at that moment. */
export type Turn =
  | { readonly turn: 'step', readonly pick: number, readonly fate: Fate }
  | { readonly turn: 'finish', readonly pick: number }
  | { readonly turn: 'send' }
  | { readonly turn: 'hold' }
  | { readonly turn: 'whole' }
  | { readonly turn: 'clock', readonly by: number }
  | { readonly turn: 'lose', readonly pick: number }
  | { readonly turn: 'die', readonly process: 0 | 1 }

export interface Schedule {
  /** What the first request stores; empty: there is no session at first. */
  readonly start: readonly Op[]
  readonly scripts: readonly Script[]
  readonly turns: readonly Turn[]
  /** The store answers at once: only handlers and responses interleave. */
  readonly instant: boolean
}

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const DEFAULTS = { idle: 10 * MINUTE, absolute: 60 * MINUTE }

/** What `lifetime()` is given, by name. */
export const LIFETIMES = {
  long: { idle: 40 * MINUTE, absolute: 120 * MINUTE },
  short: { idle: 2 * MINUTE, absolute: DEFAULTS.absolute }
} as const

const key = fc.constantFrom('a', 'b', 'c')
const set = key.map((key): Op => ({ does: 'set', key }))
const flash: Op = { does: 'pop', key: 'flash' }
const user: Op = { does: 'set', key: 'user' }
const keep = fc.oneof(
  { weight: 3, arbitrary: fc.constant<string[]>([]) },
  { weight: 4, arbitrary: fc.subarray(['a', 'b', 'c', 'n', 'user']) },
  { weight: 1, arbitrary: fc.constant('all' as const) })
const regenerate = keep.map((keep): Op => ({ does: 'regenerate', keep }))
const lifetime = fc.constantFrom('long', 'short').map((to): Op => ({ does: 'lifetime', to: to as 'long' | 'short' }))
const save = fc.boolean().map((wait): Op => ({ does: 'save', wait }))
const plain = (...names: Array<'update' | 'take' | 'clear' | 'touch' | 'rotate' | 'reauthenticated' | 'destroy' | 'reload'>) => fc.constantFrom(...names).map((does): Op => ({ does }))

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: set },
  { weight: 3, arbitrary: save },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('remove', 'pop', 'get'), fc.constantFrom('a', 'b', 'flash')).map(([does, key]) => ({ does, key }) as Op) },
  { weight: 2, arbitrary: regenerate },
  { weight: 1, arbitrary: lifetime },
  { weight: 8, arbitrary: plain('update', 'take', 'clear', 'touch', 'rotate', 'reauthenticated', 'destroy', 'reload') })

// something is changed while a save is under way
const few = fc.array(op, { minLength: 1, maxLength: 2 })
const saving: fc.Arbitrary<readonly Op[]> = fc.tuple(
  fc.oneof({ weight: 1, arbitrary: few }, { weight: 2, arbitrary: fc.constantFrom<Op[]>([{ does: 'clear' }, user], [{ does: 'rotate' }], [{ does: 'regenerate', keep: [] }, user]) }),
  fc.oneof({ weight: 1, arbitrary: few }, { weight: 2, arbitrary: fc.constantFrom<Op[]>([{ does: 'touch' }], [{ does: 'lifetime', to: 'long' }], [user]) })
).map(([before, since]): readonly Op[] => [...before, { does: 'save', wait: false }, ...since])

// what apps do most, and now and then anything at all
const ops: fc.Arbitrary<readonly Op[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Op[]>([]) },
  { weight: 4, arbitrary: set.map((one) => [one]) },
  { weight: 2, arbitrary: plain('update', 'take', 'destroy', 'rotate', 'clear', 'reauthenticated').map((one) => [one]) },
  { weight: 2, arbitrary: fc.constantFrom<Op[]>([flash], [{ does: 'destroy' }], [{ does: 'rotate' }], [{ does: 'update' }]) },
  // two of them must meet
  { weight: 3, arbitrary: fc.constant<Op[]>([{ does: 'update' }]) },
  { weight: 2, arbitrary: regenerate.map((one) => [one, user]) },
  { weight: 1, arbitrary: fc.tuple(regenerate, regenerate) },
  { weight: 3, arbitrary: lifetime.map((one) => [one]) },
  { weight: 3, arbitrary: saving },
  { weight: 4, arbitrary: fc.array(op, { minLength: 1, maxLength: 5 }) })

const script: fc.Arbitrary<Script> = fc.record({
  who: fc.constantFrom<Array<Script['who']>>('victim', 'victim', 'victim', 'victim', 'victim', 'victim', 'thief', 'thief', 'other'),
  cookie: fc.nat({ max: 5 }),
  process: fc.constantFrom<Array<0 | 1>>(0, 1),
  ops,
  catches: fc.nat({ max: 4 }).map((n) => n === 4)
})

const fate = fc.nat({ max: 39 }).map((n): Fate => (['fails', 'lost', 'late', 'twice'] as const)[n - 36] ?? 'ok')
const pick = fc.nat({ max: 7 })
const turn: fc.Arbitrary<Turn> = fc.oneof(
  { weight: 30, arbitrary: fc.record({ turn: fc.constant('step' as const), pick, fate }) },
  { weight: 25, arbitrary: fc.record({ turn: fc.constant('finish' as const), pick }) },
  { weight: 45, arbitrary: fc.constantFrom<Turn[]>({ turn: 'send' }, { turn: 'hold' }, { turn: 'hold' }, { turn: 'whole' }, { turn: 'whole' }) },
  { weight: 15, arbitrary: fc.constantFrom(30 * SECOND, 70 * SECOND, 3 * MINUTE, 4.5 * MINUTE, 6 * MINUTE, 11 * MINUTE, 11 * MINUTE, 25 * MINUTE, 61 * MINUTE, -2 * MINUTE, -20 * MINUTE).map((by): Turn => ({ turn: 'clock', by })) },
  { weight: 2, arbitrary: fc.record({ turn: fc.constant('lose' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ turn: fc.constant('die' as const), process: fc.constantFrom<Array<0 | 1>>(0, 1) }) }
) as fc.Arbitrary<Turn>

const start = fc.constantFrom<Array<readonly Op[]>>(
  [], [user], [{ does: 'set', key: 'flash' }], [{ does: 'set', key: 'a' }, { does: 'set', key: 'b' }, { does: 'set', key: 'c' }],
  [user, { does: 'update' }, { does: 'set', key: 'coupon' }])

export const schedules: fc.Arbitrary<Schedule> = fc.record({
  start,
  scripts: fc.array(script, { minLength: 1, maxLength: 6, size: 'max' }),
  turns: fc.array(turn, { maxLength: 40, size: 'max' }),
  instant: fc.nat({ max: 4 }).map((n) => n === 4)
})

/** The operation as it would be written. */
export function written (op: Op): string {
  switch (op.does) {
    case 'set': return `set('${op.key}')`
    case 'remove': case 'pop': case 'get': return `${op.does}('${op.key}')`
    case 'lifetime': return `lifetime(${op.to})`
    case 'regenerate': return `regenerate(${JSON.stringify(op.keep)})`
    case 'save': return op.wait ? 'await save()' : 'save()'
    default: return `${op.does}()`
  }
}
