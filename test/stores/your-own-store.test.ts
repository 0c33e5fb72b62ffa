import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { storeSuite } from '../../lib/store-suite.js'
import { FileStore } from '../fixtures/file-store.js'
import { tapTest } from '../fixtures/tap-test.js'
import { FakeClock, MINUTE } from '../fixtures/clock.js'

t.test('the store of the guide "Write your own store" keeps the contract', async (t) => {
  const clock = new FakeClock()
  const directory = t.testdir()
  storeSuite({
    ...clock,
    test: tapTest(t),
    createStore: () => new FileStore(directory, clock.now),
    damage: ['no record', '', 'null', '5', '"text"', '[]', '{"values":{},"expiresAt":"soon"}'].map((content) => async (_store, id) => {
      await writeFile(join(directory, Buffer.from(id).toString('hex')), content)
    })
  })
})

t.test('it makes its directory, removes what has expired, and stops', async (t) => {
  const clock = new FakeClock()
  const directory = join(t.testdir(), 'sessions')
  const store = new FileStore(directory, clock.now)
  await store.open()
  t.teardown(() => store.close())
  const now = clock.now()
  const record = { values: {}, createdAt: now, absoluteExpiresAt: now + 9000, version: 0, owner: null, about: null, lifetime: null, verifier: 'v', earlier: [], generation: 0, shown: true }
  await store.create('short', { ...record, expiresAt: now + 1000 })
  await store.create('ended', { ...record, expiresAt: now + 9000 })
  await store.destroy('ended')
  await store.create('long', { ...record, expiresAt: now + 9 * MINUTE, absoluteExpiresAt: now + 9 * MINUTE })
  const isThere = (id: string) => readFile(join(directory, Buffer.from(id).toString('hex'))).then(() => true, () => false)
  clock.advance(1000)
  await store.removeExpired()
  t.equal(await isThere('short'), false)
  t.equal(await isThere('ended'), true)
  t.strictSame(await store.read('ended'), { endedAt: now })
  clock.advance(MINUTE)
  await store.removeExpired()
  t.equal(await isThere('ended'), false)
  t.ok(await store.read('long'))
})

t.test('the guide shows the store that this test runs', async (t) => {
  const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8')
  const store = (await read('../fixtures/file-store.ts')).replaceAll("'../../index.js'", "'fastify-keep'")
  t.ok((await read('../../docs/your-own-store.md')).includes('```ts\n' + store + '```'))
})
