// Two processes of one app on one Redis, over real sockets.
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { forkShop, type Answer, type Shop } from './fixtures/shop-fork.js'
import { startRedis } from './fixtures/redis.js'
import { skipFileWithout } from './fixtures/needs.js'

skipFileWithout('redis')

const redis = await startRedis(t)
const [one, two] = await Promise.all([forkShop(t, redis, 'redis'), forkShop(t, redis, 'ioredis')])
const shops = [one, two]

async function login (shop: Shop): Promise<string> {
  const { cookie } = await shop.request('POST', '/login')
  if (cookie === null) throw new Error('no cookie after the login')
  return cookie
}

/** The same request many times at once, by turns at the one and the other. */
function alternately<T> (count: number, run: (shop: Shop, index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => run(shops[index % 2] as Shop, index)))
}

t.test('who logs in at the one is known to the other', async (t) => {
  const cookie = await login(one)
  t.same(JSON.parse((await two.request('GET', '/me', cookie)).body), { user: 42 })
  t.equal((await two.request('POST', '/logout', cookie)).status, 200)
  t.equal((await one.request('GET', '/me', cookie)).status, 401)
})

t.test('parallel changes of different keys from both all win', async (t) => {
  const cookie = await login(one)
  const answers = await alternately(60, (shop, index) => shop.request('POST', `/slow/key${index}/${index}?wait=30`, cookie))
  t.ok(answers.every(({ status }) => status === 200))
  const keys = Object.keys(JSON.parse((await two.request('GET', '/me', cookie)).body))
  t.equal(keys.length, 61)
})

t.test('counters by update from both add up', async (t) => {
  const cookie = await login(two)
  const answers = await alternately(60, (shop) => shop.request('POST', '/count', cookie))
  t.ok(answers.every(({ status }) => status === 200))
  t.equal(JSON.parse((await one.request('GET', '/me', cookie)).body).count, 60)
})

t.test('a logout at the one beats a slow writer at the other', async (t) => {
  const cookie = await login(one)
  const writing = one.request('POST', '/slow/cart/1?wait=300', cookie)
  await delay(100)
  t.equal((await two.request('POST', '/logout', cookie)).status, 200)
  const late = await writing
  t.equal(late.cookie, null, 'and does not get its cookie back')
  for (const shop of shops) t.equal((await shop.request('GET', '/me', cookie)).status, 401)
})

t.test('of many rotations at both one wins and sends the cookie, and the old one opens the session until then', async (t) => {
  for (let round = 0; round < 5; round++) {
    const cookie = await login(one)
    const answers = await alternately(10, (shop) => shop.request('POST', '/rotate', cookie))
    t.ok(answers.every(({ status }) => status === 200))
    const sent = answers.flatMap(({ cookie }) => cookie ?? [])
    t.equal(sent.length, 1)
    for (const shop of shops) {
      t.equal((await shop.request('GET', '/me', sent[0]!)).status, 200)
      t.equal((await shop.request('GET', '/me', cookie)).status, 200, 'for requests that were on their way')
    }
    await two.request('POST', '/logout', cookie)
    for (const shop of shops) t.equal((await shop.request('GET', '/me', sent[0]!)).status, 401, 'a logout with the old one ends it')
  }
})

t.test('a rolling restart under load loses no session and no change', async (t) => {
  const pool: Shop[] = [...shops]
  const cookies = await alternately(10, login)
  const confirmed = cookies.map(() => new Set<string>())
  const statuses: Record<number, number> = {}
  const stop = new AbortController()

  /** As a load balancer does it: to another one when the first does not answer. */
  async function balanced (path: string, cookie: string): Promise<Answer> {
    while (true) {
      try {
        return await (pool[Math.floor(Math.random() * pool.length)] as Shop).request('POST', path, cookie)
      } catch {
        await delay(5)
      }
    }
  }

  const load = cookies.map(async (cookie, visitor) => {
    for (let key = 0; !stop.signal.aborted; key++) {
      const { status } = await balanced(`/slow/key${key}/x?wait=10`, cookie)
      statuses[status] = (statuses[status] ?? 0) + 1
      if (status === 200) confirmed[visitor]!.add(`key${key}`)
    }
  })
  for (const shop of shops) {
    pool.splice(pool.indexOf(shop), 1)
    const [code, next] = await Promise.all([shop.stop(), forkShop(t, redis, 'redis')])
    t.equal(code, 0)
    pool.push(next)
    await delay(50)
  }
  stop.abort()
  await Promise.all(load)
  t.same(Object.keys(statuses).filter((status) => status !== '503'), ['200'], JSON.stringify(statuses))
  for (const [visitor, cookie] of cookies.entries()) {
    const { status, body } = await pool[visitor % 2]!.request('GET', '/me', cookie)
    t.equal(status, 200)
    const values = JSON.parse(body)
    t.same([...confirmed[visitor]!].filter((key) => values[key] !== 'x'), [])
    t.ok(confirmed[visitor]!.size > 10)
  }
})
