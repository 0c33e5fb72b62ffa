// Runs actors in a given order of their steps at the store. Between two steps any of them may die, before a step is
// applied or before its answer gets back; what is left is judged afterwards.
import { setImmediate as quiescence } from 'node:timers/promises'
import { isRecord } from '../../lib/record/record.js'
import type { SessionOwners } from '../../types/owners.js'
import type { SessionStore } from '../../types/store.js'
import { FakeClock } from '../fixtures/clock.js'
import { ownerFunctions, storeFunctions } from '../fixtures/stores.js'
import { actors, ownerName, processOn, request, type ActorName, type Cookie, type Limit, type Outcome, type World } from './owner-actors.js'

/** Chooses one of so many possibilities. */
export type Choose = (count: number) => number

interface Waiting { apply (): unknown, resolve (value: unknown): void, reject (error: unknown): void }

interface Running {
  readonly name: ActorName
  waiting: Waiting[]
  outcome: Outcome | null
  isDead: boolean
  /** Whose cookies were out when it began: of ada's sessions. */
  before: string[]
}

export interface Schedule {
  readonly actors: readonly ActorName[]
  readonly limit: Limit
  /** How many may die. */
  readonly deaths: number
}

/** What is wrong after the schedule; `null` when every promise held. */
export async function runSchedule (good: SessionStore, clock: FakeClock, { actors: names, limit, deaths }: Schedule, choose: Choose): Promise<string | null> {
  const calm = processOn(good, clock, { limit: null, onLimit: 'end-oldest' })
  const set = (user?: string) => request({ context: calm }, null, (state) => { state.regenerate(new Set()); state.set(user === undefined ? 'cart' : 'user', user ?? 1) })
  const [a, b, v] = [(await set('ada')).cookie, (await set('ada')).cookie, (await set()).cookie] as [Cookie, Cookie, Cookie]
  clock.advance(1)
  const log: string[] = []
  const out = new Map<string, string>([[a.id, 'a'], [b.id, 'b'], [v.id, 'v']])
  const running = names.map((name): Running => ({ name, waiting: [], outcome: null, isDead: false, before: [] }))
  const adas = async () => (await Promise.all([...out.keys()].map(async (id) => ({ id, found: await good.read(id) }))))
    .filter(({ found }) => isRecord(found) && found.owner === ownerName('ada')).map(({ id }) => id)

  for (const each of running) {
    const context = processOn(gated(good, each), clock, limit)
    const world: World = { context, a, b, v }
    // the first step of every actor waits like the others, so all begin in any order
    pass(each, async () => { each.before = await adas() }).then(async () => {
      each.outcome = await actors[each.name](world)
      const { cookie } = each.outcome
      if (cookie !== undefined) out.set(cookie.id, each.name)
    }).catch((error: unknown) => { each.outcome = { error: String(error) }; log.push(`${each.name} threw ${String(error)}`) })
  }

  let left = deaths
  while (true) {
    await quiescence()
    const ready = running.filter(({ isDead, waiting }) => !isDead && waiting.length > 0)
    if (ready.length === 0) break
    const choice = choose(ready.length * (left > 0 ? 3 : 1))
    const one = ready[choice % ready.length] as Running
    const fate = Math.floor(choice / ready.length)
    const step = one.waiting.shift() as Waiting
    if (fate === 1) { one.isDead = true; left--; log.push(`${one.name} dies`); continue }
    log.push(one.name)
    try {
      const value = await step.apply()
      if (fate === 2) { one.isDead = true; left--; log.push(`${one.name} dies after it`); continue }
      step.resolve(value)
    } catch (error) {
      step.reject(error)
    }
  }
  const wrong = await judge(good, clock, running, out, limit, v)
  return wrong === null ? null : `${wrong}: ${log.join(' ')} | ${running.map(({ name, outcome }) => `${name} ${JSON.stringify(outcome)}`).join(', ')}`
}

function pass (actor: Running, apply: () => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => { actor.waiting.push({ apply, resolve, reject }) })
}

function gated (good: SessionStore, actor: Running): SessionStore {
  const wrap = (target: object, names: readonly string[]) => Object.fromEntries(names.map((name) => [name,
    (...args: unknown[]) => pass(actor, () => (target as Record<string, (...args: unknown[]) => unknown>)[name]!(...args))]))
  return { ...wrap(good, storeFunctions), owners: wrap(good.owners as object, ownerFunctions) } as unknown as SessionStore
}

async function judge (good: SessionStore, clock: FakeClock, running: readonly Running[], out: ReadonlyMap<string, string>, { limit, onLimit }: Limit, v: Cookie): Promise<string | null> {
  const owners = good.owners as SessionOwners
  const live = new Map<string, string | null>()
  for (const id of out.keys()) {
    const found = await good.read(id)
    if (isRecord(found)) live.set(id, found.owner)
  }
  for (const { name, before, outcome, isDead } of running) {
    if (outcome === null && !isDead) return `${name} never answered`
    if (outcome?.ended === undefined) continue
    const spared = name === 'revokeOthers' ? 'b' : undefined
    const survivor = name === 'revoke' ? undefined : before.find((id) => live.get(id) === ownerName('ada') && out.get(id) !== spared)
    if (survivor !== undefined) return `${String(out.get(survivor))} existed before ${name} began, and lives after it returned`
    const heir = name === 'revokeAll' && [...out].find(([id, by]) => by === 'keepAll' && live.get(id) === ownerName('ada'))
    if (heir) return 'what succeeded a revoked session lives on'
  }
  for (const user of ['ada', 'bob']) {
    const listed = await owners.list(ownerName(user))
    const marked = await owners.mark(ownerName(user), listed)
    const unlisted = [...live].find(([id, owner]) => owner === ownerName(user) && !listed.includes(id) && !marked.includes(id))
    if (unlisted !== undefined) return `${String(out.get(unlisted[0]))} lives, and no list of ${user} has it`
    const count = [...live].filter(([id, owner]) => owner === ownerName(user) && !marked.includes(id)).length
    // the two that began without a limit are counted when somebody logs in
    const counted = running.some(({ name, outcome }) => ['login', 'loginOfVisitor', 'loginAgain'].includes(name) && outcome?.cookie !== undefined)
    if (user === 'ada' && limit !== null && counted && count > Math.max(limit, onLimit === 'refuse' ? 2 : 0)) return `${count} sessions of ada live, with a limit of ${limit}`
  }
  const visits = running.filter(({ name }) => name === 'loginOfVisitor' || name === 'becomeAda')
  const areRefused = visits.length > 0 && visits.every(({ outcome }) => outcome?.error === 'FST_KEEP_SESSION_LIMIT')
  if (areRefused && !live.has(v.id)) return 'a login was refused, and the visitor lost the session'
  // somebody tries again, in another process
  const calm = processOn(good, clock, { limit: null, onLimit: 'end-oldest' })
  await actors.revokeAll({ context: calm, a: v, b: v, v })
  for (const [id, by] of out) {
    const found = await good.read(id)
    if (isRecord(found) && found.owner === ownerName('ada')) return `${by} survives a second revokeAll, too`
  }
  const rest = [...await owners.list(ownerName('ada')), ...await owners.mark(ownerName('ada'), [])]
  return rest.length === 0 ? null : 'the list is not empty after a second revokeAll'
}
