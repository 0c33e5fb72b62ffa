// `app.sessions.policy()`: the limits in force, for an auditor.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { MemoryStore, type SessionOptions } from '../index.js'
import { resolveOptions } from '../lib/options.js'
import { fromExpressStore } from '../lib/stores/express/express-store.js'
import { buildApp } from './fixtures/app.js'
import { liveObjectStore } from './fixtures/live-object-store.js'
import { memoryStore, wrapped } from './fixtures/stores.js'

const HOUR = 3_600_000
const KEY = randomBytes(32)
const SECRETS = ['a secret of at least 32 bytes, really', 'another secret of at least 32 bytes']

t.test('the defaults', async (t) => {
  const app = await buildApp(t)
  t.strictSame(app.sessions.policy(), {
    property: 'session',
    idleTimeout: HOUR,
    absoluteTimeout: 24 * HOUR,
    cookie: { name: 'sid', path: '/', domain: null, secure: 'auto', sameSite: 'lax', httpOnly: true, partitioned: false, priority: null, isSigned: false },
    store: { kind: 'MemoryStore', atomicAcross: 'process', durable: false, timeout: 2000, onError: 'fail' },
    maxSize: 1024 * 1024,
    saveOn: 'always',
    onAmbiguousCookie: 'first',
    owners: null,
    crossSite: 'deny',
    trustedOrigins: [],
    isValidated: false,
    isEncrypted: false,
    clearSiteData: null
  })
})

const everything: SessionOptions = {
  store: new MemoryStore(),
  idleTimeout: '15m',
  absoluteTimeout: '12h',
  cookie: { name: '__Secure-id', path: '/app', domain: 'example.com', secure: true, sameSite: 'none', partitioned: true, priority: 'high', httpOnly: false },
  secret: SECRETS,
  property: 'adminSession',
  saveOn: 'success',
  onStoreError: 'anonymous',
  onAmbiguousCookie: 'refuse',
  storeTimeout: 250,
  maxSize: 4096,
  ownerKey: 'userId',
  maxPerOwner: 3,
  onLimit: 'refuse',
  describe: () => ({}),
  crossSite: 'allow',
  trustedOrigins: ['https://b.example', 'https://a.example'],
  validate: () => true,
  encryption: [{ id: 'a', key: KEY }],
  clearSiteData: ['cache', 'storage'],
  clock: Date
}

const policyOf = async (app: unknown) => (app as { adminSessions: { policy (): object } }).adminSessions.policy()

t.test('what the options say, as plain data and without a key', async (t) => {
  const policy = await policyOf(await buildApp(t, everything))
  t.strictSame(policy, {
    property: 'adminSession',
    idleTimeout: HOUR / 4,
    absoluteTimeout: 12 * HOUR,
    cookie: { name: '__Secure-id', path: '/app', domain: 'example.com', secure: true, sameSite: 'none', httpOnly: false, partitioned: true, priority: 'high', isSigned: true },
    store: { kind: 'MemoryStore', atomicAcross: 'process', durable: false, timeout: 250, onError: 'anonymous' },
    maxSize: 4096,
    saveOn: 'success',
    onAmbiguousCookie: 'refuse',
    owners: { key: 'userId', limit: 3, onLimit: 'refuse', isDescribed: true },
    crossSite: 'allow',
    trustedOrigins: ['https://a.example', 'https://b.example'],
    isValidated: true,
    isEncrypted: true,
    clearSiteData: '"cache", "storage"'
  })
  t.strictSame(JSON.parse(JSON.stringify(policy)), policy)
  for (const secret of [...SECRETS, KEY.toString('base64'), KEY.toString('hex')]) t.notMatch(JSON.stringify(policy), secret)
})

t.test('nobody can change it, at any depth', async (t) => {
  const frozen = (value: unknown): boolean => typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen))
  t.ok(frozen(await policyOf(await buildApp(t, everything))))
})

t.test('every setting is in the policy, or is known not to be a limit', async (t) => {
  const elsewhere: Record<string, string> = { lifetime: 'idleTimeout', cookieName: 'cookie', signer: 'cookie', storeTimeout: 'store', onStoreError: 'store', owner: 'owners', describe: 'owners', validate: 'isValidated', encryption: 'isEncrypted' }
  const noLimits = ['clock']
  const policy = await policyOf(await buildApp(t, everything))
  for (const setting of Object.keys(resolveOptions(everything))) t.ok(noLimits.includes(setting) || (elsewhere[setting] ?? setting) in policy, setting)
})

t.test('what a store does not say about itself is unknown', async (t) => {
  const store = wrapped(memoryStore(), () => {}) as MemoryStore
  t.match((await buildApp(t, { store })).sessions.policy().store, { atomicAcross: null, durable: null })
})

t.test('a store is named by its class', async (t) => {
  const kind = async (store: SessionOptions['store']) => (await buildApp(t, { store: store as MemoryStore })).sessions.policy().store.kind
  class Files extends MemoryStore {}
  t.equal(await kind(new Files()), 'Files')
  t.equal(await kind(fromExpressStore(liveObjectStore())), 'AdaptedStore')
  t.equal(await kind(wrapped(memoryStore(), () => {})), null, 'a plain object has none')
  t.equal(await kind(Object.assign(Object.create(null), wrapped(memoryStore(), () => {}))), null)
})
