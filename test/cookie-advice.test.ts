// What the app hears of cookies that a browser drops, never sends back, or that others could get.
import type { InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import type { SessionOptions } from '../index.js'
import { isEmbeddedInAnotherSite } from '../lib/http/cookie-advice.js'
import { Browser, buildApp, setCookies } from './fixtures/app.js'
import { FakeClock } from './fixtures/clock.js'
import { everyStore, memoryStore } from './fixtures/stores.js'

/** The codes of the warnings that this process gives while an app answers these requests. Each comes once, so what must not warn is tried first. */
async function warned (t: Test, options: SessionOptions, requests: ReadonlyArray<InjectOptions & { mine?: true }>): Promise<string[]> {
  const warnings: Array<Error & { code?: string }> = []
  const listen = (warning: Error) => warnings.push(warning)
  process.on('warning', listen)
  const app = await buildApp(t, options)
  app.get('/*', async (request) => { request.session.set('a', 1) })
  app.get('/public', async (request, reply) => { reply.header('cache-control', 'max-age=9, Public'); request.session.set('a', 1) })
  app.get('/out', async (request) => { request.session.destroy() })
  app.get('/read', async (request) => request.session.data())
  const { cookies } = await app.sessions.issue({ a: 1 })
  for (const { mine, ...request } of requests) await app.inject({ ...request, ...(mine && { cookies }) })
  await new Promise(setImmediate)
  process.off('warning', listen)
  // Node.js has some of its own, such as of what it deprecates
  return warnings.filter(({ code }) => code?.startsWith('FST_KEEP')).map(({ code, message }) => `${code}: ${message}`)
}

t.test('a session stored outside of cookie.path is warned about once', async (t) => {
  t.same(await warned(t, { cookie: { path: '/app' } }, [{ url: '/app' }, { url: '/app/x' }, { url: '/app?x' }, { url: '/out' }, { url: '/read' }, { url: '/out', mine: true }]), [])
  t.same(await warned(t, { cookie: { path: '/app/' } }, [{ url: '/app/x' }]), [])
  const warnings = await warned(t, { cookie: { path: '/app' } }, [{ url: '/apple' }, { url: '/login?next=/app' }, { url: '/' }])
  t.match(warnings, [/^FST_KEEP_OUTSIDE_OF_PATH: .*outside of cookie\.path '\/app'.*such as '\/'/])
  t.equal(warnings.length, 1)
})

t.test('a Lax or Strict cookie for a page of another site is warned about once, with both ways out', async (t) => {
  const from = (site: string, mode: string, dest: string) => ({ url: '/', headers: { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest } })
  const fetched = from('cross-site', 'cors', 'empty')
  t.same(await warned(t, {}, [from('same-site', 'cors', 'empty'), from('cross-site', 'navigate', 'document'), { url: '/' }, { ...fetched, url: '/read' }]), [])
  const none = await warned(t, { cookie: { sameSite: 'none', secure: true } }, [fetched])
  t.notMatch(none.join(), /CROSS_SITE/)
  const warnings = await warned(t, { cookie: { sameSite: 'strict' } }, [fetched, fetched])
  t.match(warnings, [/^FST_KEEP_CROSS_SITE_COOKIE: .*sameSite 'strict'.*from one site.*sameSite: 'none', secure: true/])
  t.equal(warnings.length, 1)
  t.ok(isEmbeddedInAnotherSite(from('cross-site', 'navigate', 'iframe')), 'a frame is no page of its own')
  t.ok(isEmbeddedInAnotherSite(from('cross-site', 'no-cors', 'image')))
})

t.test('a cookie that is needed on a public answer is sent and warned about once', async (t) => {
  const warnings = await warned(t, {}, [{ url: '/public' }, { url: '/public' }])
  t.match(warnings, [/^FST_KEEP_PUBLIC_COOKIE: .*Cache-Control: private/])
  t.equal(warnings.length, 1)
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
