// What the app hears of cookies that a browser drops, never sends back, or that others could get.
import t, { type Test } from 'tap'
import type { SessionOptions } from '../index.js'
import { Browser, buildApp, setCookies } from './fixtures/app.js'
import { FakeClock } from './fixtures/clock.js'
import { runApp } from './fixtures/process.js'
import { everyStore, memoryStore } from './fixtures/stores.js'

/** What a process of its own says on stderr when it answers these requests. */
async function said (options: SessionOptions, requests: object[]): Promise<string> {
  const { stderr } = await runApp(`
    const app = Fastify()
    app.register(session, ${JSON.stringify(options)})
    app.get('/*', async (request) => { request.session.set('a', 1) })
    app.get('/public', async (request, reply) => { reply.header('cache-control', 'max-age=9, Public'); request.session.set('a', 1) })
    app.get('/out', async (request) => { request.session.destroy() })
    app.get('/read', async (request) => request.session.data())
    const { cookies } = await (await app.ready()).sessions.issue({ a: 1 })
    for (const { mine, ...request } of ${JSON.stringify(requests)}) await app.inject({ ...request, ...(mine && { cookies }) })
    await app.close()
  `)
  return stderr
}

const times = (stderr: string, code: string) => stderr.match(new RegExp(code, 'g'))?.length ?? 0

t.test('a session stored outside of cookie.path is warned about once', async (t) => {
  const options = { cookie: { path: '/app' } }
  const stderr = await said(options, [{ url: '/' }, { url: '/apple' }, { url: '/login?next=/app' }])
  t.equal(times(stderr, 'FST_KEEP_OUTSIDE_OF_PATH'), 1)
  t.match(stderr, /outside of cookie\.path '\/app'.*such as '\/'/)
  t.equal(times(await said(options, [{ url: '/app' }, { url: '/app/x' }, { url: '/app?x' }, { url: '/out' }, { url: '/read' }, { url: '/out', mine: true }]), 'FST_KEEP_OUTSIDE'), 0)
  t.equal(times(await said({ cookie: { path: '/app/' } }, [{ url: '/app/x' }]), 'FST_KEEP_OUTSIDE'), 0)
})

t.test('a Lax or Strict cookie for a page of another site is warned about once, with both ways out', async (t) => {
  const from = (site: string, mode: string, dest: string) => ({ url: '/', headers: { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest } })
  const fetched = from('cross-site', 'cors', 'empty')
  for (const sameSite of ['lax', 'strict'] as const) {
    const stderr = await said({ cookie: { sameSite } }, [fetched, fetched])
    t.equal(times(stderr, 'FST_KEEP_CROSS_SITE_COOKIE'), 1, sameSite)
    t.match(stderr, /from one site.*sameSite: 'none', secure: true/)
  }
  t.equal(times(await said({}, [from('cross-site', 'navigate', 'iframe')]), 'FST_KEEP_CROSS_SITE'), 1, 'a frame is no page of its own')
  t.equal(times(await said({}, [from('same-site', 'cors', 'empty'), from('cross-site', 'navigate', 'document'), { url: '/' }, { ...fetched, url: '/read' }]), 'FST_KEEP_CROSS_SITE'), 0)
  t.equal(times(await said({ cookie: { sameSite: 'none', secure: true } }, [fetched]), 'FST_KEEP_CROSS_SITE'), 0)
})

t.test('a cookie that is needed on a public answer is sent and warned about once', async (t) => {
  const stderr = await said({}, [{ url: '/public' }, { url: '/public' }])
  t.equal(times(stderr, 'FST_KEEP_PUBLIC_COOKIE'), 1)
  t.match(stderr, /Cache-Control: private/)
})

async function startPublic (t: Test, options: SessionOptions) {
  const app = await buildApp(t, options)
  app.get('/login', async ({ session }) => { session.set('user', 1); session.lifetime({ idle: '10d', absolute: '90d', persistent: true }) })
  for (const [url, control] of [['/app.js', 'public, max-age=31536000, immutable'], ['/cdn.js', 's-maxage=60'], ['/page', 'private'], ['/odd', 'max-age=1, x-public']] as const) {
    app.get(url, async (_request, reply) => { reply.header('cache-control', control); return control })
  }
  app.get('/attributes', async ({ session }, reply) => { reply.header('cache-control', 'public'); session.options({ sameSite: 'strict' }) })
  app.get('/change', async ({ session }, reply) => { reply.header('cache-control', 'public'); session.set('n', Math.random()) })
  return app
}

for (const { kind, makeStore } of everyStore) {
  t.test(`a mere renewal on ${kind} sends no cookie on an answer for shared caches`, async (t) => {
    const clock = new FakeClock()
    const browser = new Browser(await startPublic(t, { store: makeStore(clock), clock }))
    await browser.visit('/login')
    for (const [url, count] of [['/app.js', 0], ['/cdn.js', 0], ['/change', 0], ['/page', 1], ['/odd', 1]] as const) {
      clock.advance(2 * 86_400_000)
      const response = await browser.visit(url)
      t.equal(response.statusCode, 200)
      t.equal(setCookies(response).length, count, url)
    }
    t.equal(setCookies(await browser.visit('/attributes')).length, 1, 'what the app asks for is sent')
  })
}

t.test('a cookie of an old secret waits for an answer that is not for shared caches', async (t) => {
  const store = memoryStore()
  const [older, newer] = ['an old secret of at least 32 bytes!!', 'a new secret of at least 32 bytes!!!']
  const { cookies } = await (await startPublic(t, { store, secret: older })).sessions.issue({ user: 1 })
  const app = await startPublic(t, { store, secret: [newer, older] })
  t.equal(setCookies(await app.inject({ url: '/app.js', cookies })).length, 0)
  t.equal(setCookies(await app.inject({ url: '/page', cookies })).length, 1)
})
