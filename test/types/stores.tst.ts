// Stores: those of this package, and what one of your own has to have.
import { test as nodeTest } from 'node:test'
import { Cluster, Redis } from 'ioredis'
import { createClient, createClientPool, createCluster, createSentinel } from 'redis'
import { expect, test } from 'tstyche'
import { MemoryStore, type Awaitable, type DestroyResult, type EndCondition, type EndedSession, type SessionChanges, type SessionRecord, type SessionRenewal, type SessionStore, type TouchResult, type UpdateResult } from '../../index.js'
import { storeSuite } from '../../lib/store-suite.js'
import { RedisStore } from '../../lib/stores/redis/redis-store.js'

interface AnswersAtOnce {
  read (id: string): SessionRecord | EndedSession | null
  create (id: string, record: SessionRecord): boolean
  update (id: string, changes: SessionChanges): UpdateResult
  touch (id: string, renewal: SessionRenewal): TouchResult
  destroy (id: string, condition?: EndCondition): DestroyResult
}

type AnswersLater = { [K in keyof AnswersAtOnce]: (...args: Parameters<AnswersAtOnce[K]>) => Promise<ReturnType<AnswersAtOnce[K]>> }

test('five functions are a store, and they answer at once or later', () => {
  expect<AnswersAtOnce>().type.toBeAssignableTo<SessionStore>()
  expect<AnswersLater>().type.toBeAssignableTo<SessionStore>()
  expect<Awaitable<boolean>>().type.toBe<boolean | Promise<boolean>>()
})

test('a store may say what it can', () => {
  expect<AnswersAtOnce & { readonly atomicAcross: 'machine', readonly durable: boolean }>().type.toBeAssignableTo<SessionStore>()
  expect(new MemoryStore().atomicAcross).type.toBe<'process'>()
  expect(new MemoryStore().durable).type.toBe<false>()
})

test('less is no store', () => {
  expect<Omit<AnswersAtOnce, 'read'>>().type.not.toBeAssignableTo<SessionStore>()
  expect<Omit<AnswersAtOnce, 'create'>>().type.not.toBeAssignableTo<SessionStore>()
  expect<Omit<AnswersAtOnce, 'update'>>().type.not.toBeAssignableTo<SessionStore>()
  expect<Omit<AnswersAtOnce, 'touch'>>().type.not.toBeAssignableTo<SessionStore>()
  expect<Omit<AnswersAtOnce, 'destroy'>>().type.not.toBeAssignableTo<SessionStore>()
})

test('answers of another kind are refused', () => {
  expect<Omit<AnswersAtOnce, 'read'> & { read (id: string): undefined }>().type.not.toBeAssignableTo<SessionStore>()
  expect<Omit<AnswersAtOnce, 'create'> & { create (id: string, record: SessionRecord): void }>().type.not.toBeAssignableTo<SessionStore>()
  expect<Omit<AnswersAtOnce, 'update'> & { update (id: string, changes: SessionChanges): boolean }>().type.not.toBeAssignableTo<SessionStore>()
  expect<AnswersAtOnce & { atomicAcross: 'room' }>().type.not.toBeAssignableTo<SessionStore>()
  expect<AnswersAtOnce & { durable: 'yes' }>().type.not.toBeAssignableTo<SessionStore>()
  expect<AnswersAtOnce & { size: string }>().type.not.toBeAssignableTo<SessionStore>()
})

test('nobody changes a record', () => {
  const record = {} as SessionRecord
  expect(record.expiresAt = 0).type.toRaiseError('read-only')
  expect(record.values['user'] = '').type.toRaiseError('only permits reading')
})

test('the memory store takes its bounds, and counts', () => {
  expect(MemoryStore).type.toBeConstructableWith()
  expect(MemoryStore).type.toBeConstructableWith({ maxSessions: 10, maxBytes: 1_000_000, sweepInterval: '10s', clock: Date })
  expect(MemoryStore).type.not.toBeConstructableWith({ maxSessions: '10' })
  expect(MemoryStore).type.not.toBeConstructableWith({ max: 10 })
  const store = new MemoryStore()
  expect(store).type.toBeAssignableTo<SessionStore>()
  expect([store.size, store.bytes, store.expired, store.evicted]).type.toBe<number[]>()
  expect(store.size = 0).type.toRaiseError('read-only')
})

test('the Redis store takes the clients of redis and of ioredis', () => {
  expect(RedisStore).type.toBeConstructableWith({ client: createClient(), prefix: 'shop:', clock: Date })
  expect(RedisStore).type.toBeConstructableWith({ client: createClientPool() })
  expect(RedisStore).type.toBeConstructableWith({ client: createCluster({ rootNodes: [] }) })
  expect(RedisStore).type.toBeConstructableWith({ client: createSentinel({ name: 'main', sentinelRootNodes: [] }) })
  expect(RedisStore).type.toBeConstructableWith({ client: new Redis() })
  expect(RedisStore).type.toBeConstructableWith({ client: new Cluster([]) })
  expect<RedisStore>().type.toBeAssignableTo<SessionStore>()
})

test('the Redis store takes nothing else', () => {
  expect(RedisStore).type.not.toBeConstructableWith()
  expect(RedisStore).type.not.toBeConstructableWith({ prefix: 'shop:' })
  expect(RedisStore).type.not.toBeConstructableWith({ client: 'redis://127.0.0.1' })
  expect(RedisStore).type.not.toBeConstructableWith({ client: new Map() })
  expect(RedisStore).type.not.toBeConstructableWith({ client: createClient(), ttl: 60 })
  // a promise of one: `connect()` was not awaited
  expect(RedisStore).type.not.toBeConstructableWith({ client: createClient().connect() })
})

test('the suite takes a runner and the way to make a store', () => {
  expect(storeSuite).type.toBeCallableWith({ test: nodeTest, createStore: () => new MemoryStore() })
  expect(storeSuite).type.toBeCallableWith({ test: nodeTest, createStore: async () => new MemoryStore(), disposeStore: async (store: SessionStore) => store.close?.() })
  expect(storeSuite).type.not.toBeCallableWith({ test: nodeTest })
  expect(storeSuite).type.not.toBeCallableWith({ createStore: () => new MemoryStore() })
  expect(storeSuite).type.not.toBeCallableWith({ test: nodeTest, createStore: () => new Map() })
})
