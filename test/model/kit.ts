// Two processes on one store, and a third that only looks. Made once; each run
// gets an empty store and a clock of its own.
import Fastify, { type FastifyInstance } from 'fastify'
import session from '../../index.js'
import type { Clock, EncryptionKey } from '../../types/options.js'
import type { SessionStore } from '../../types/store.js'
import type { Gate } from './gated-store.js'
import type { View, Visit } from './history.js'
import { DEFAULTS, type Schedule } from './schedule.js'
import { codeOf, play, tokenOf, type AnySession } from './visit.js'
import { World } from './world.js'

/** How to build a store of one kind behind a gate. */
export interface StoreKind {
  /** An empty place to store in. */
  empty (clock: Clock): unknown
  /** The store of a process, and the same without the gate. */
  build (place: () => never, gate: () => Gate | null, clock: Clock): { gated: SessionStore, plain: SessionStore }
  /** Whether a command may be sent twice by its client. */
  readonly repeats: boolean
  /** Whether calls of several requests wait for each other. */
  readonly queues: boolean
  /** Whether a call whose caller was told that it failed may be applied later; a row that is written as a whole would undo what came since. */
  readonly appliesLate: boolean
}

export class Kit {
  readonly #kind: StoreKind
  #world: World | null = null
  #place: unknown
  #apps: FastifyInstance[] = []
  #observer: FastifyInstance | null = null
  readonly #sessions = new WeakMap<Visit, AnySession>()
  readonly #clock: Clock = { now: () => this.#world?.now ?? 0 }

  private constructor (kind: StoreKind) {
    this.#kind = kind
  }

  /** With keys the first process seals with one and the second with another; both open all. */
  static async make (kind: StoreKind, keys: readonly EncryptionKey[] = []): Promise<Kit> {
    const kit = new Kit(kind)
    const turned = [...keys].reverse()
    kit.#place = kind.empty(kit.#clock)
    const { gated, plain } = kind.build(() => kit.#place as never, () => kit.#world, kit.#clock)
    kit.#apps = [await kit.#app(gated, keys), await kit.#app(gated, turned)]
    kit.#observer = await kit.#app(plain, keys)
    return kit
  }

  async close (): Promise<void> {
    for (const app of [...this.#apps, this.#observer]) await app?.close()
  }

  /** Runs one schedule, and looks at the end what every token opens. */
  async run (schedule: Schedule): Promise<World> {
    const world = new World(schedule, this.#kind, (visit) => this.#send(visit))
    this.#world = world
    this.#place = this.#kind.empty(this.#clock)
    await world.run()
    for (const token of world.browsers.issued) world.note({ what: 'probed', token, view: await this.#look(token) })
    return world
  }

  async #look (token: string): Promise<View> {
    const found = await this.#observer!.sessions.load(`sid=${token}`) as unknown as AnySession
    return { found: !found.isNew, data: found.data() }
  }

  async #app (store: SessionStore, keys: readonly EncryptionKey[]): Promise<FastifyInstance> {
    const app = Fastify()
    await app.register(session, {
      store, clock: this.#clock, storeTimeout: '1d', idleTimeout: DEFAULTS.idle, absoluteTimeout: DEFAULTS.absolute, ...(keys.length > 0 && { encryption: keys })
    })
    app.get('/', async (request, reply) => {
      const world = this.#world as World
      const visit = world.current as Visit
      const session = request.session as unknown as AnySession
      this.#sessions.set(visit, session)
      world.note({ what: 'loaded', visit, view: { found: !session.isNew, data: session.data() }, isLate: session.isEnded === true })
      await play(world, visit, session, reply)
      return 'done'
    })
    await app.ready()
    return app
  }

  #send (visit: Visit): void {
    const world = this.#world as World
    const headers = visit.token === null ? {} : { cookie: `sid=${visit.token}` }
    this.#apps[visit.process]!.inject({ url: '/', headers }, (error, response) => {
      if (error !== undefined && error !== null) throw error
      const session = this.#sessions.get(visit)
      const lines = [response!.headers['set-cookie'] ?? []].flat()
      visit.response ??= {
        status: response!.statusCode,
        code: response!.statusCode === 200 ? null : codeOf(response!.json()),
        cookies: lines.map(tokenOf),
        identity: session === undefined ? null : { id: session.sessionId, cookie: lines[0] === undefined ? null : tokenOf(lines[0]) },
        isEnded: session?.isEnded === true
      }
      if (visit.isDead) visit.response = null
      world.answered(visit)
    })
  }
}
