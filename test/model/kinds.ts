// Every kind of store, behind the gate. The gate stands where one atomic step of
// the store's own goes: at the store's functions in memory, at the calls of the
// express store, at the commands to Redis.
import { MemoryStore } from '../../index.js'
import { fromExpressStore, type ExpressStore } from '../../lib/stores/express/express-store.js'
import { PostgresStore, type PostgresAccess } from '../../lib/stores/postgres/postgres-store.js'
import { RedisStore, type IoRedisClient } from '../../lib/stores/redis/redis-store.js'
import type { SessionStore } from '../../types/store.js'
import { liveObjectStore } from '../fixtures/live-object-store.js'
import { sqliteStore } from '../fixtures/sqlite.js'
import { functionsOf, gated } from './gated-store.js'
import type { StoreKind } from './kit.js'

// A new memory store takes longer than a schedule; what earlier schedules left has ids that nobody knows.
const SCHEDULES_PER_STORE = 50
let used = 0
let store: MemoryStore | null = null
let storeClock: unknown = null

export const memoryKind: StoreKind = {
  repeats: false,
  queues: false,
  appliesLate: true,
  empty (clock) {
    if (store === null || storeClock !== clock || ++used % SCHEDULES_PER_STORE === 0) {
      store?.close()
      storeClock = clock
      store = new MemoryStore({ clock, sweepInterval: '1d' })
    }
    return store
  },
  build (place: () => SessionStore, gate, clock) {
    const names = functionsOf<SessionStore>(new MemoryStore({ clock }))
    return { gated: gated(names, place, gate), plain: gated(names, place, () => null) }
  }
}

/** One file for all schedules, which know nothing of each other's ids. */
export const sqliteKind: StoreKind = {
  repeats: false,
  queues: false,
  appliesLate: true,
  empty: () => null,
  build (_place, gate, clock) {
    const store: SessionStore = sqliteStore({ clock })
    const names = functionsOf(store)
    return { gated: gated(names, () => store, gate), plain: store }
  }
}

/** Each function is one statement. */
export function postgresKind (access: PostgresAccess): StoreKind {
  return {
    repeats: false,
    queues: false,
    appliesLate: true,
    empty: () => null,
    build (_place, gate, clock) {
      const store: SessionStore = new PostgresStore({ ...access, clock, sweepInterval: '1d' })
      return { gated: gated(functionsOf(store), () => store, gate), plain: store }
    }
  }
}

/** Both processes share one adapter: across processes it promises less. */
export const expressKind: StoreKind = {
  repeats: false,
  queues: true,
  appliesLate: false,
  empty: liveObjectStore,
  build (place: () => ExpressStore, gate, clock) {
    const call = (name: 'get' | 'set' | 'destroy') => (...args: unknown[]) => {
      const done = args.pop() as (error: unknown, value?: unknown) => void
      const apply = () => new Promise((resolve, reject) => {
        (place()[name] as (...args: unknown[]) => void)(...args, (error: unknown, value: unknown) => error ? reject(error) : resolve(value))
      })
      Promise.resolve((gate()?.pass(name, apply)) ?? apply()).then((value) => done(null, value), (error: unknown) => done(error))
    }
    const rows = { get: call('get'), set: call('set'), destroy: call('destroy') } as unknown as ExpressStore
    const direct = gated(['get', 'set', 'destroy'], place, () => null)
    return { gated: fromExpressStore(rows, { clock, timeout: '1d' }), plain: fromExpressStore(direct, { clock, timeout: '1d' }) }
  }
}

/** Commands are sent again by clients that lost their connection. */
export function redisKind (client: IoRedisClient): StoreKind {
  return {
    repeats: true,
    queues: false,
    appliesLate: true,
    empty: () => client,
    build (_place, gate, clock) {
      const call = (command: string, ...args: string[]) => {
        const apply = () => client.call(command, ...args)
        return Promise.resolve(gate()?.pass(command, apply) ?? apply())
      }
      return { gated: new RedisStore({ client: { call }, clock }), plain: new RedisStore({ client, clock }) }
    }
  }
}
