// The same requests on Redis: CPU time of the server, and what each request costs Redis.
import { cases } from './cases.js'
import { startServer } from './processes.js'
import { startRedis } from './redis-server.js'
import { measureCase, verifyAll } from './requests.js'
import { redisVariants } from './variants.js'

const CASES = ['read', 'write', 'first-write']

/** `{ requests, costs, bytesPerSession }`, or `null` where there is no Redis. */
export async function measureOnRedis (load, settings, sessions) {
  const redis = await startRedis()
  if (redis === null) return null
  const variants = redisVariants.map((variant) => ({ ...variant, args: [redis.url] }))
  await verifyAll(variants)
  const found = { requests: {}, costs: {}, bytesPerSession: {} }
  for (const benchCase of cases.filter(({ name }) => CASES.includes(name))) {
    found.requests[benchCase.name] = await measureCase(load, benchCase, variants, settings)
    found.costs[benchCase.name] = {}
    for (const variant of variants) found.costs[benchCase.name][variant.name] = await costs(load, redis, variant, benchCase)
  }
  for (const variant of variants) found.bytesPerSession[variant.name] = await bytesPerSession(load, redis, variant, sessions)
  await redis.stop()
  return found
}

/** What one request costs Redis, one after the other. */
async function costs (load, redis, { file, args }, { method, path, seed }) {
  const REQUESTS = 500
  const server = await startServer(file, { args })
  await load.open({ port: server.port, count: 1, seed })
  await load.run({ method, path, requests: 50 })
  const idle = await redis.counters()
  const before = await redis.counters()
  await load.run({ method, path, requests: REQUESTS })
  const after = await redis.counters()
  await load.close()
  await server.stop()
  // asking for the counters costs as well, each time the same
  return Object.fromEntries(Object.keys(after).map((name) => [name, (after[name] - before[name] - (before[name] - idle[name])) / REQUESTS]))
}

async function bytesPerSession (load, redis, { file, args }, sessions) {
  await redis.clear()
  const server = await startServer(file, { args })
  await load.open({ port: server.port, count: 32, seed: null })
  const { memory: before } = await redis.counters()
  await load.run({ method: 'POST', path: '/seed/small', requests: sessions })
  const { memory: after } = await redis.counters()
  await load.close()
  await server.stop()
  return (after - before) / sessions
}
