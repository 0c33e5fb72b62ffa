// What a store says it can do, and what an app that needs more is told.
import expressSession from 'express-session'
import Fastify from 'fastify'
import t from 'tap'
import session, { MemoryStore, type SessionOptions } from '../index.js'
import { fromExpressStore } from '../lib/stores/express/express-store.js'
import { runApp } from './fixtures/process.js'
import { sqliteStore } from './fixtures/sqlite.js'
import { wrapped } from './fixtures/stores.js'

const worker = "const { default: cluster } = await import('node:cluster'); cluster.isWorker = true"

/** What a process says that registers the session with these options, after these lines. */
async function saidBy (before: string, options: string): Promise<string> {
  const { stdout, stderr } = await runApp(`${before}
    const options = ${options}
    for (const prefix of ['/a', '/b']) {
      await Fastify().register(async (app) => { await app.register(session, options) }, { prefix }).ready().catch((error) => { console.log(error.message) })
    }`)
  return stdout + stderr
}

const storeSaying = (more: string) => `{ store: { read: () => null, create: () => true, update: () => 'done', touch: () => 'done', destroy: () => 'done', ${more} } }`

const timesWarned = (said: string) => said.match(/FST_KEEP_STORE_PER_PROCESS\]/g)?.length ?? 0

/** A store that says this of itself. */
const saying = (more: object) => ({ ...wrapped(new MemoryStore(), () => {}), ...more })

t.test('each store says what it can', async (t) => {
  const normal = sqliteStore()
  const full = sqliteStore({ durability: 'full' })
  const stores = [new MemoryStore(), normal, full, fromExpressStore(new expressSession.MemoryStore() as never)]
  t.same(stores.map(({ atomicAcross, durable }) => [atomicAcross, durable]), [['process', false], ['machine', false], ['machine', true], ['process', false]])
})

t.test('among several processes a store for one is warned about once, at the start', async (t) => {
  for (const said of await Promise.all(["process.env.pm_id = '0'", "process.env.NODE_APP_INSTANCE = '1'", worker].map((before) => saidBy(before, '{}')))) {
    t.equal(timesWarned(said), 1, said)
    t.match(said, /a restart may lose them/)
  }
  const durable = await saidBy(worker, storeSaying("atomicAcross: 'process', durable: true"))
  t.equal(timesWarned(durable), 1)
  t.notMatch(durable, /a restart may lose them/)
})

t.test('nothing is said in a process of its own, of a store that reaches further, and of one that says nothing', async (t) => {
  const said = await Promise.all([saidBy('', '{}'), saidBy(worker, storeSaying("atomicAcross: 'machine'")), saidBy(worker, storeSaying(''))])
  t.same(said.map(timesWarned), [0, 0, 0], said.join('\n'))
})

t.test('a cluster worker lists no sessions by owner in a store that knows only its own', async (t) => {
  t.match(await saidBy(worker, "{ ownerKey: 'userId' }"), /session option ownerKey is 'userId': this is a cluster worker.*SqliteStore/)
  t.notMatch(await saidBy("process.env.pm_id = '0'", "{ ownerKey: 'userId' }"), /ownerKey/, 'a process manager may start only one')
})

t.test('what a store says of itself has to be what the contract knows', async (t) => {
  const refusal = async (store: object) => await Fastify().register(session, { store } as SessionOptions).then(() => 'started', ({ message }) => String(message))
  t.match(await refusal(saying({ atomicAcross: 'everywhere' })), /store\.atomicAcross is 'everywhere': give 'process' or 'machine' or 'cluster'/)
  t.match(await refusal(saying({ durable: 'yes' })), /store\.durable is 'yes': give true or false/)
  t.equal(await refusal(saying({ atomicAcross: 'cluster', durable: true })), 'started')
  t.equal(await refusal(saying({})), 'started', 'and may be left out')
})
