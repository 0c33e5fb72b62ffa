// What it takes to list and end the sessions of an owner who has one, a hundred or ten thousand, in memory and in Redis.
// `npm run build && node --expose-gc bench/owners.js` prints a table.
import { randomBytes } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import Fastify from 'fastify'
import { createClient } from 'redis'
import session, { MemoryStore } from 'fastify-keep'
import { RedisStore } from 'fastify-keep/redis'
import { startRedis } from './redis-server.js'

const SIZES = [1, 100, 10_000]
const LOGINS = 2000

/** Time, commands, and how long nothing else could run. */
async function measure (run, commands) {
  const done = new AbortController()
  let [longest, last] = [0, performance.now()]
  const watch = async () => {
    while (!done.signal.aborted) {
      await turn()
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
    }
  }
  const before = await commands()
  last = performance.now()
  const watching = watch()
  const begin = performance.now()
  await run()
  const time = performance.now() - begin
  done.abort()
  await watching
  return { 'time in ms': round(time), commands: await commands() - before, 'longest stall in ms': round(longest) }
}

async function open (options) {
  const app = Fastify()
  await app.register(session, { storeTimeout: '30s', ...options })
  await app.ready()
  return app
}

async function fill (app, owner, count) {
  for (let first = 0; first < count; first += 100) {
    await Promise.all(Array.from({ length: Math.min(100, count - first) }, () => app.sessions.issue({ userId: owner })))
  }
}

async function owners (place, store, commands, bytesOfList) {
  const app = await open({ store, ownerKey: 'userId' })
  for (const size of SIZES) {
    const owner = `owner of ${size}`
    await fill(app, owner, size)
    const list = await measure(() => app.sessions.list(owner), commands)
    const bytes = await bytesOfList?.(size)
    const [{ sessionId }] = await app.sessions.list(owner)
    rows.push({ place, sessions: size, step: 'list', ...list, 'bytes of the list per session': bytes })
    rows.push({ place, sessions: size, step: 'revoke one', ...await measure(() => app.sessions.revoke(sessionId, { owner }), commands) })
    rows.push({ place, sessions: size, step: 'revoke all', ...await measure(() => app.sessions.revokeAll(owner), commands) })
  }
  await app.close()
}

/** One after the other, each as a user of their own. */
async function logins (place, makeStore, commands) {
  for (const [step, options] of Object.entries({ 'a login': {}, 'a login with ownerKey': { ownerKey: 'userId' }, 'a login with maxPerOwner': { ownerKey: 'userId', maxPerOwner: 5 } })) {
    const app = await open({ store: makeStore(), ...options })
    await fill(app, 'warm', LOGINS)
    const { 'time in ms': time, commands: sent } = await measure(async () => {
      for (let index = 0; index < LOGINS; index++) await app.sessions.issue({ userId: `user ${index}` })
    }, commands)
    rows.push({ place, step, 'time in ms': round(time / LOGINS), commands: round(sent / LOGINS) })
    await app.close()
  }
}

/** Of the lists alone: so many owners with so many sessions each. */
function heapOfLists (ownerCount, perOwner) {
  const store = new MemoryStore()
  const ids = Array.from({ length: ownerCount * perOwner }, () => randomBytes(18).toString('base64url'))
  const used = () => { globalThis.gc(); return process.memoryUsage().heapUsed }
  const before = used()
  for (const [index, id] of ids.entries()) store.owners.add(`owner ${Math.floor(index / perOwner)}`, id, { expiresAt: Date.now() + 3_600_000 })
  const bytes = (used() - before) / ids.length
  store.owners.list('nobody')
  return Math.round(bytes)
}

const round = (number) => Math.round(number * 1000) / 1000
const rows = []

await owners('memory', new MemoryStore(), () => 0)
await logins('memory', () => new MemoryStore(), () => 0)
if (globalThis.gc) {
  for (const size of SIZES) rows.push({ place: 'memory', sessions: size, step: 'the list', 'bytes of the list per session': heapOfLists(Math.max(1, 100_000 / size), size) })
}

const redis = await startRedis()
if (redis !== null) {
  const client = await createClient({ url: redis.url }).connect()
  let sent = 0
  const counted = new Proxy(client, {
    get (target, name) {
      const value = Reflect.get(target, name)
      if (name === 'sendCommand') return (...args) => { sent++; return value.apply(target, args) }
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
  const makeStore = () => new RedisStore({ client: counted })
  const bytesOfList = async (size) => {
    const keys = await client.keys('keep:o:*')
    for (const key of keys) if (await client.zCard(key) === size) return Math.round(await client.memoryUsage(key, { SAMPLES: 0 }) / size)
  }
  await owners('Redis', makeStore(), () => sent, bytesOfList)
  await logins('Redis', makeStore, () => sent)
  client.destroy()
  await redis.stop()
}

console.table(rows)
