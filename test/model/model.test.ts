import t, { type Test } from 'tap'
import { connectIoRedis } from '../fixtures/redis-clients.js'
import { startRedis } from '../fixtures/redis.js'
import { Kit, type StoreKind } from './kit.js'
import { expressKind, memoryKind, redisKind } from './kinds.js'
import { explore } from './run.js'

const MILLISECONDS = 1500
const seeds = [1, Math.floor(Math.random() * 2 ** 31)]

async function holds (t: Test, kind: StoreKind): Promise<void> {
  const kit = await Kit.make(kind)
  t.teardown(() => kit.close())
  for (const seed of seeds) {
    const { runs, failure } = await explore(kit, { milliseconds: MILLISECONDS, seed })
    t.equal(failure, null, `${runs} schedules from seed ${seed}`)
  }
}

t.test('every promise holds in every order of events', async (t) => {
  await t.test('in memory', (t) => holds(t, memoryKind))
  await t.test('in a store made for express-session', (t) => holds(t, expressKind))
  await t.test('in Redis', { skip: process.env.KEEP_REDIS === undefined && 'no Redis here' }, async (t) => {
    const client = await connectIoRedis(t, await startRedis(t))
    await holds(t, redisKind(client))
  })
})
