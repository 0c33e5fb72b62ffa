// The scheduler: one thing happens at a time, and the schedule says which. All
// that could happen next (a handler's next step, a store call, an answer, a
// response on its way) waits in a list.
import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as nextLoop } from 'node:timers/promises'
import { Browsers } from './browser.js'
import { pendingCall, type Task } from './call.js'
import type { Gate } from './gated-store.js'
import type { Event, Happening, Visit } from './history.js'
import type { StoreKind } from './kit.js'
import type { Fate, Schedule, Script } from './schedule.js'

/** Sends the request into its process; settles the visit's response through `answered`. */
export type Send = (visit: Visit) => void

// A loop of the event loop in which nothing came: twice, and everything waits for the scheduler.
const QUIET_LOOPS = 3
const MAX_STEPS = 3000

// One for all worlds: each would make every promise slower from then on.
const context = new AsyncLocalStorage<Visit>()

export class World implements Gate {
  readonly history: Event[] = []
  readonly browsers = new Browsers()
  readonly visits: Visit[] = []
  now = Date.UTC(2026, 0, 1)
  isStuck = false
  readonly #start = this.now
  #running: Visit | undefined
  readonly #schedule: Schedule
  readonly #kind: Pick<StoreKind, 'repeats' | 'queues' | 'appliesLate'>
  readonly #send: Send
  readonly #loaded = new Set<Visit>()
  #tasks: Task[] = []
  #unsent: Script[]
  #activity = 0
  /** Calls that the store itself works on. */
  #busy = 0

  constructor (schedule: Schedule, kind: Pick<StoreKind, 'repeats' | 'queues' | 'appliesLate'>, send: Send) {
    this.#schedule = schedule
    this.#kind = kind
    this.#send = send
    const first: Script[] = schedule.start.length === 0 ? [] : [{ who: 'victim', cookie: 0, process: 0, ops: schedule.start, catches: false }]
    this.#unsent = [...first, ...schedule.scripts]
  }

  note (happening: Happening): void {
    this.#activity++
    if ('visit' in happening && happening.visit.isDead && happening.what !== 'died') return
    if (happening.what === 'loaded') this.#loaded.add(happening.visit)
    this.history.push({ ...happening, clock: this.now - this.#start })
  }

  /** The visit on whose behalf code runs: the one whose turn it is, unless requests of one process wait for each other. */
  get current (): Visit | undefined {
    return this.#kind.queues ? context.getStore() : this.#running
  }

  /** A handler waits for its next turn. */
  turn (visit: Visit): Promise<void> {
    if (visit.isDead) return Promise.reject(new Error('the process died'))
    return new Promise((resolve, reject) => {
      this.#add({ visit, run: () => resolve(), cancel: () => reject(new Error('the process died')) })
    })
  }

  pass (call: string, apply: () => unknown): unknown {
    const visit = this.current
    if (visit === undefined) return apply()
    if (visit.isDead) return Promise.reject(new Error('the process died'))
    this.note({ what: 'asked', visit, call })
    const note = (what: 'applied' | 'failed') => this.note({ what, visit, call })
    const run = () => { note('applied'); return this.#await(apply()) }
    if (this.#schedule.instant) return run()
    return pendingCall({ visit, repeats: this.#kind.repeats, appliesLate: this.#kind.appliesLate, add: (task) => this.#add(task), run, failed: () => note('failed') })
  }

  /** Nothing else happens until the store has answered. */
  #await (answer: unknown): unknown {
    if (!(answer instanceof Promise)) return answer
    this.#busy++
    return answer.finally(() => { this.#busy-- })
  }

  /** The response is ready; it arrives when the scheduler says so. */
  answered (visit: Visit): void {
    if (visit.isDead) return
    this.note({ what: 'answered', visit })
    const cookies = visit.response?.cookies ?? []
    this.browsers.sent(cookies)
    this.#add({ visit, isResponse: true, run: () => this.browsers.receive(visit.who, cookies), cancel () {} })
  }

  /** Follows the schedule, then lets everything finish, oldest first. */
  async run (): Promise<void> {
    if (this.#schedule.start.length > 0) await this.#finish(this.#sendNext())
    for (const turn of this.#schedule.turns) {
      if (turn.turn === 'clock') this.#moveClock(turn.by)
      else if (turn.turn === 'die') await this.#die(turn.process)
      else if (turn.turn === 'send') this.#sendNext()
      else if (turn.turn === 'hold') await this.#finish(this.#sendNext(), true)
      else if (turn.turn === 'whole') await this.#finish(this.#sendNext())
      else {
        const task = this.#tasks[turn.pick % Math.max(1, this.#tasks.length)]
        if (task === undefined) this.#sendNext()
        else if (turn.turn === 'step') await this.#do(task, turn.fate)
        else if (turn.turn === 'finish') await this.#finish(task.visit)
        else if (task.isResponse) this.#tasks.splice(this.#tasks.indexOf(task), 1)
      }
      await this.#settle()
    }
    for (let steps = 0; this.#tasks.length > 0 || this.#unsent.length > 0; steps++) {
      if (steps === MAX_STEPS) { this.isStuck = true; break }
      if (this.#tasks[0] === undefined) this.#sendNext()
      else await this.#do(this.#tasks[0], 'ok')
      await this.#settle()
    }
    if (this.visits.some(({ response, isDead }) => response === null && !isDead)) this.isStuck = true
    await this.#die(0)
    await this.#die(1)
    this.#running = undefined
  }

  #add (task: Task): void {
    this.#activity++
    this.#tasks.push(task)
  }

  #sendNext (): Visit | null {
    const script = this.#unsent.shift()
    if (script === undefined) return null
    const { who, process, ops, catches } = script
    const token = this.browsers.cookie(who, script.cookie)
    const visit: Visit = { n: this.visits.length, who, process, token, arrival: this.now - this.#start, ops, catches, response: null, isDead: false }
    this.visits.push(visit)
    this.note({ what: 'sent', visit })
    this.#running = visit
    if (this.#kind.queues) context.run(visit, () => this.#send(visit))
    else this.#send(visit)
    return visit
  }

  /** One request alone, up to its response's arrival or until it waits for another one. */
  async #finish (visit: Visit | null, isHeld = false): Promise<void> {
    await this.#settle()
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      if (isHeld && this.#loaded.has(visit as Visit)) return
      const task = this.#tasks.find((each) => each.visit === visit)
      if (task === undefined) return
      await this.#do(task, 'ok')
      await this.#settle()
    }
  }

  async #do (task: Task, fate: Fate): Promise<void> {
    this.#tasks.splice(this.#tasks.indexOf(task), 1)
    this.#running = task.visit
    await task.run(fate)
  }

  #moveClock (by: number): void {
    this.now += by
    this.note({ what: 'clock' })
  }

  async #die (process: number): Promise<void> {
    for (const visit of this.visits) {
      if (visit.process !== process || visit.response !== null || visit.isDead) continue
      visit.isDead = true
      this.#running = visit
      this.note({ what: 'died', visit })
      const tasks = this.#tasks.filter((task) => task.visit === visit)
      this.#tasks = this.#tasks.filter((task) => task.visit !== visit)
      for (const task of tasks) task.cancel()
      await this.#settle()
    }
  }

  async #settle (): Promise<void> {
    for (let quiet = 0; quiet < QUIET_LOOPS;) {
      const before = this.#activity
      await nextLoop()
      quiet = this.#activity === before && this.#busy === 0 ? quiet + 1 : 0
      if (quiet > 0 && this.#isWaiting()) return
    }
  }

  /** Whether every request waits for the scheduler. */
  #isWaiting (): boolean {
    return this.visits.every((visit) => visit.response !== null || visit.isDead || this.#tasks.some((task) => task.visit === visit))
  }
}
