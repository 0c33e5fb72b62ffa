// A record that another program wrote or spoiled: the reader and every script agree
// on whether it is one, and no step changes what is none.
import type { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { isRecord } from '../../lib/record/record.js'
import { RedisStore } from '../../lib/stores/redis/redis-store.js'
import type { SessionRecord } from '../../types/store.js'
import { FakeClock, HOUR } from '../fixtures/clock.js'
import { goodRecord } from '../fixtures/good-record.js'
import { skipFileWithout } from '../fixtures/needs.js'
import { connectIoRedis } from '../fixtures/redis-clients.js'
import { startRedis } from '../fixtures/redis.js'

skipFileWithout('redis')

const clock = new FakeClock()
const now = clock.now()
const good = goodRecord({ values: { user: '"ada"', count: '0' }, createdAt: now, expiresAt: now + HOUR, absoluteExpiresAt: now + 24 * HOUR })

type Step = (store: RedisStore, found: SessionRecord) => Promise<unknown>

/** What a request may do with what it read; of a corrupt record it knows nothing. */
const steps: Record<string, Step> = {
  set: (store) => store.update('id', { clear: false, set: { a: '1' }, remove: ['user'] }),
  count: (store) => store.update('id', { clear: false, set: { count: '1' }, remove: [], ifValue: { key: 'count', encoded: '0' }, maxSize: 1000 }),
  take: (store) => store.update('id', { clear: false, set: {}, remove: ['count'], ifValue: { key: 'count', encoded: '0' } }),
  clear: (store) => store.update('id', { clear: true, set: { a: '1' }, remove: [], maxSize: 1000 }),
  rotate: (store, { verifier }) => store.update('id', { clear: false, set: {}, remove: [], verifier: 'next', earlier: [{ verifier, until: now + HOUR, opens: true }], shown: false }),
  touch: (store, { lifetime, absoluteExpiresAt }) => store.touch('id', { renewTo: now + 2 * HOUR, atMost: now + 2 * HOUR, tolerance: 0, ifLifetime: lifetime, ifAbsoluteExpiresAt: absoluteExpiresAt }),
  'end of a generation': (store, { generation }) => store.destroy('id', { ifGeneration: generation }),
  'end of a version': (store, { version }) => store.destroy('id', { ifVersion: version })
}

const absent = Symbol('absent')
const numbers = ['007', '00', '+1', '-1', '1.5', '1e3', '0x10', 'NaN', 'inf', '9007199254740991', '9'.repeat(20), '9'.repeat(400), ' 1', '1\n', '1\0']
const texts = ['', ' ', 'text', '\0', Buffer.from([0xff, 0xfe]), '[', '{}', 'null', 'true']
const lists = [
  '[] ', ' []', '[null]', '[,]', '["abc"]', '[["v",1,true],]', '[["v",1,true]["v",1,true]]', '[["v",1e300,true]]', '[["v",0x10,true]]', '[["v",NaN,true]]', '[["v",01,true]]', '[["v",-1,true]]',
  '[["v",1.0,true]]', '[["v",8640000000000001,true]]', '[["v",1,true,2]]', '[["v",1,1]]', '[["v",1,null]]', '[["\\ud800",1,true]]', '[["\\q",1,true]]', '[["a\nb",1,true]]', '[["v",1,true]]', '[["],[",1,true],["",0,false]]'
]
const lifetimes = ['05 6 1', '5 6', '5 6 1 1', '5  6 1', '5 6 2', '0 0 1', '1 0 1', `1 ${'9'.repeat(20)} 1`, '60000 600000 1']
const nonsense = [absent, ...numbers, ...texts, ...lists, ...lifetimes]

/** Answers with the steps that went wrong, and whether a reader took it for a record. */
async function tryOut (client: Redis, store: RedisStore, spoil: () => Promise<unknown>) {
  const wrong: string[] = []
  let isReadable = false
  for (const [name, step] of Object.entries(steps)) {
    await client.del('keep:id')
    await store.create('id', good)
    await spoil()
    const [before, deadline] = [await client.dumpBuffer('keep:id'), await client.pexpiretime('keep:id')]
    const found = await store.read('id')
    isReadable = isRecord(found)
    const answer = await step(store, isRecord(found) ? found : good).catch(String)
    const isSame = before.equals(await client.dumpBuffer('keep:id')) && deadline === await client.pexpiretime('keep:id')
    const isRight = isReadable ? answer === 'done' && (name.startsWith('end') || isRecord(await store.read('id'))) : answer === 'missing' && isSame
    if (!isRight) wrong.push(`${name}: ${answer}, ${isReadable ? 'readable' : 'corrupt'}, ${isSame ? 'same' : 'changed'}`)
  }
  return { wrong, isReadable }
}

async function open (t: Test) {
  const client = await connectIoRedis(t, await startRedis(t))
  return { client, store: new RedisStore({ client, clock }) }
}

t.test('every step takes for a record what the reader does, and leaves the rest as it is', async (t) => {
  const { client, store } = await open(t)
  const readable: string[] = []
  for (const field of ['v', 'e', 'c', 'a', 'g', 'k', 'p', 'l', 'o', 's', 'n']) {
    for (const value of nonsense) {
      const { wrong, isReadable } = await tryOut(client, store, () => typeof value === 'symbol' ? client.hdel('keep:id', field) : client.hset('keep:id', field, value))
      t.same(wrong, [], `${field} is ${String(value)}`)
      if (isReadable && 'veacgpl'.includes(field)) readable.push(`${field} is ${String(value)}`)
    }
  }
  // what is written so has a meaning
  t.same(readable, ['p is [["v",1,true]]', 'p is [["],[",1,true],["",0,false]]', 'l is Symbol(absent)', 'l is 60000 600000 1'])
})

t.test('a key of another type is no record to any step, and only an end without conditions removes it', async (t) => {
  const { client, store } = await open(t)
  const types: Record<string, () => Promise<unknown>> = {
    string: () => client.set('keep:id', 'x'),
    list: () => client.lpush('keep:id', 'x'),
    set: () => client.sadd('keep:id', 'x'),
    zset: () => client.zadd('keep:id', 1, 'x'),
    stream: () => client.xadd('keep:id', '*', 'a', 'x')
  }
  for (const [type, plant] of Object.entries(types)) {
    const { wrong } = await tryOut(client, store, async () => { await client.del('keep:id'); await plant() })
    t.same(wrong, [], type)
    t.equal(await store.create('id', good), false, `${type}: the id is taken`)
    t.equal(await client.type('keep:id'), type)
    t.equal(await store.destroy('id'), 'missing')
    t.equal(await client.exists('keep:id'), 0)
  }
})
