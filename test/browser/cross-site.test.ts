// A real browser on pages of three origins: the app's own, another one of the same site, and another site.
import type { AddressInfo } from 'node:net'
import { scheduler } from 'node:timers/promises'
import cors from '@fastify/cors'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Browser, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import session, { type SessionOptions } from '../../index.js'
import { startBrowser } from '../fixtures/browser.js'
import { needs } from '../fixtures/needs.js'

/** What reached the app in an unsafe method: who the handler acted for, `null` when it did not run. */
interface Seen {
  status: number
  user: unknown
  site: string | undefined
  origin: string | undefined
}

interface Shop {
  readonly origin: string
  readonly page: Page
  readonly seen: Seen[]
}

const none = { cookie: { sameSite: 'none', secure: true } } as const satisfies SessionOptions

/** The app on 127.0.0.1, with a user who is logged in. Every other origin has pages without anything on them. */
async function openShop (t: Test, browser: Browser, options: SessionOptions = {}, { allowed, host }: { allowed?: string[], host?: string } = {}): Promise<Shop> {
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  await app.register(session, options)
  await app.register(websocket)
  if (allowed !== undefined) await app.register(cors, { origin: allowed, credentials: true })
  app.addContentTypeParser(['application/x-www-form-urlencoded', 'text/plain'], { parseAs: 'string' }, (_request, body, done) => { done(null, body) })
  const seen: Seen[] = []
  const users = new WeakMap<object, unknown>()
  app.addHook('onResponse', async (request, reply) => {
    if (request.method === 'POST') seen.push({ status: reply.statusCode, user: users.get(request) ?? null, site: request.headers['sec-fetch-site'] as string | undefined, origin: request.headers.origin })
  })
  app.get('/*', async (_request, reply) => reply.type('text/html').send('<!doctype html><title>shop</title>'))
  app.get('/login', async ({ session }) => { session.set('user', 'ann') })
  app.get('/chat', { websocket: true }, (socket, { session }) => { socket.send(String(session.get('user') ?? 'nobody')) })
  app.post('/act', async (request) => { users.set(request, request.session.get('user') ?? 'nobody'); return 'done' })
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const origin = address.replace('127.0.0.1', host ?? '127.0.0.1')
  const profile = await browser.newContext()
  t.teardown(() => profile.close())
  profile.setDefaultTimeout(10_000)
  const page = await profile.newPage()
  await page.goto(`${origin}/login`)
  return { origin, page, seen }
}

/** A server of empty pages, by its addresses in the app's site and in another one. */
async function startPages (t: Test): Promise<{ sameSite: string, crossSite: string }> {
  const pages: FastifyInstance = Fastify({ forceCloseConnections: true })
  t.teardown(() => pages.close())
  pages.get('/*', async (_request, reply) => reply.type('text/html').send('<!doctype html><title>pages</title>'))
  await pages.listen({ port: 0, host: 'localhost' })
  const { port } = pages.server.address() as AddressInfo
  const other = Fastify({ forceCloseConnections: true })
  t.teardown(() => other.close())
  other.get('/*', async (_request, reply) => reply.type('text/html').send('<!doctype html><title>pages</title>'))
  const sameSite = await other.listen({ port: 0, host: '127.0.0.1' })
  return { sameSite, crossSite: `http://localhost:${port}` }
}

/** Submits a form of the page. */
async function submit (page: Page, action: string): Promise<void> {
  const answered = page.waitForResponse((response) => response.url() === action)
  await page.evaluate(`(() => {
    const form = document.createElement('form')
    form.method = 'POST'
    form.action = ${JSON.stringify(action)}
    document.body.append(form)
    form.submit()
  })()`)
  await (await answered).finished()
}

/** Sends a request from the page; whether the page may read the answer does not matter. */
async function send (page: Page, url: string, init: object): Promise<void> {
  await page.evaluate(`fetch(${JSON.stringify(url)}, ${JSON.stringify({ method: 'POST', body: 'x', ...init })}).then(() => {}, () => {})`)
}

/** What a WebSocket that the page opens hears; `null` when it does not open. */
async function listen (page: Page, url: string): Promise<unknown> {
  return page.evaluate(`new Promise((resolve) => {
    const socket = new WebSocket(${JSON.stringify(url.replace('http', 'ws'))})
    socket.onmessage = ({ data }) => resolve(data)
    socket.onerror = () => resolve(null)
  })`)
}

/** Submits a form in a frame without an origin, and waits until it has reached the app. */
async function submitSandboxed ({ page, origin, seen }: Shop): Promise<void> {
  const before = seen.length
  await page.evaluate(`(() => {
    const frame = document.createElement('iframe')
    frame.sandbox = 'allow-forms allow-scripts'
    frame.srcdoc = '<form method="post" action="${origin}/act"></form><script>document.forms[0].submit()</script>'
    document.body.append(frame)
  })()`)
  for (let waited = 0; seen.length === before && waited < 200; waited++) await scheduler.wait(25)
}

t.test('requests with a session, by the page that sends them', async (t) => {
  const executable = needs(t, 'chromium')
  if (executable === null) return
  const browser = await startBrowser(t, executable)
  const { sameSite, crossSite } = await startPages(t)
  const last = (shop: Shop) => { t.ok(shop.seen.length > 0); return shop.seen.splice(0) }

  await t.test('a page of the app acts for its user', async (t) => {
    const shop = await openShop(t, browser)
    await shop.page.goto(`${shop.origin}/page`)
    await submit(shop.page, `${shop.origin}/act`)
    t.match(last(shop), [{ status: 200, user: 'ann', site: 'same-origin' }])
    await shop.page.goto(`${shop.origin}/page`)
    await send(shop.page, `${shop.origin}/act`, {})
    t.match(last(shop), [{ status: 200, user: 'ann', site: 'same-origin' }])
    await send(shop.page, `${shop.origin}/act`, { credentials: 'omit' })
    t.match(last(shop), [{ status: 200, user: 'nobody' }])
    t.equal(await listen(shop.page, `${shop.origin}/chat`), 'ann')
  })

  await t.test('a page of the same site, which SameSite lets send the cookie, does not', async (t) => {
    for (const options of [{}, { cookie: { sameSite: 'strict' } }, none] as SessionOptions[]) {
      const shop = await openShop(t, browser, options)
      await shop.page.goto(sameSite)
      await submit(shop.page, `${shop.origin}/act`)
      t.match(last(shop), [{ status: 403, user: null, site: 'same-site', origin: sameSite }])
      await shop.page.goto(sameSite)
      await send(shop.page, `${shop.origin}/act`, { mode: 'no-cors', credentials: 'include' })
      t.match(last(shop), [{ status: 403, user: null, site: 'same-site' }])
      await send(shop.page, `${shop.origin}/act`, { mode: 'no-cors', credentials: 'omit' })
      t.match(last(shop), [{ status: 200, user: 'nobody' }])
      t.equal(await listen(shop.page, `${shop.origin}/chat`), null)
      await submitSandboxed(shop)
      for (const { user, origin } of last(shop)) t.same([user === 'ann', origin], [false, 'null'], 'a sandboxed frame')
    }
  })

  await t.test('a page of another site does not, whatever SameSite says', async (t) => {
    for (const options of [{}, none] as SessionOptions[]) {
      const shop = await openShop(t, browser, options)
      await shop.page.goto(crossSite)
      await submit(shop.page, `${shop.origin}/act`)
      t.match(last(shop), [{ status: options === none ? 403 : 200, user: options === none ? null : 'nobody', site: 'cross-site', origin: crossSite }])
      await shop.page.goto(crossSite)
      for (const credentials of ['include', 'omit']) {
        await send(shop.page, `${shop.origin}/act`, { mode: 'no-cors', credentials })
        for (const { user } of last(shop)) t.not(user, 'ann')
      }
      t.not(await listen(shop.page, `${shop.origin}/chat`), 'ann')
      await submitSandboxed(shop)
      for (const { user, origin } of last(shop)) t.same([user === 'ann', origin], [false, 'null'], 'a sandboxed frame')
    }
  })

  await t.test('CORS lets a page read the answer, and trustedOrigins lets it act', async (t) => {
    const json = { mode: 'cors', credentials: 'include', headers: { 'content-type': 'application/json' }, body: '{}' }
    for (const trustedOrigins of [[], [sameSite]]) {
      const shop = await openShop(t, browser, { ...none, trustedOrigins }, { allowed: [sameSite, crossSite] })
      await shop.page.goto(sameSite)
      await send(shop.page, `${shop.origin}/act`, json)
      t.match(last(shop), [trustedOrigins.length === 0 ? { status: 403, user: null } : { status: 200, user: 'ann' }])
      t.equal(await listen(shop.page, `${shop.origin}/chat`), trustedOrigins.length === 0 ? null : 'ann')
      await shop.page.goto(crossSite)
      await send(shop.page, `${shop.origin}/act`, json)
      for (const { user } of last(shop)) t.not(user, 'ann')
    }
  })

  await t.test('with crossSite allow SameSite alone decides', async (t) => {
    const shop = await openShop(t, browser, { crossSite: 'allow' })
    await shop.page.goto(sameSite)
    await submit(shop.page, `${shop.origin}/act`)
    t.match(last(shop), [{ status: 200, user: 'ann', site: 'same-site' }], 'what the guard is for')
    await shop.page.goto(sameSite)
    t.equal(await listen(shop.page, `${shop.origin}/chat`), 'ann')
  })
})

t.test('over plain http browsers send no Sec-Fetch-Site, and the Origin decides', async (t) => {
  const executable = needs(t, 'chromium')
  if (executable === null) return
  const browser = await startBrowser(t, executable, ['--host-resolver-rules=MAP *.test 127.0.0.1'])
  const { sameSite } = await startPages(t)
  const elsewhere = (host: string) => sameSite.replace('127.0.0.1', host)
  const shop = await openShop(t, browser, {}, { host: 'shop.test' })
  const { page, origin } = shop
  const last = () => shop.seen.splice(0).map(({ status, user, site }) => [status, user, site])

  await page.goto(`${origin}/page`)
  await submit(page, `${origin}/act`)
  await page.goto(`${origin}/page`)
  await send(page, `${origin}/act`, {})
  t.same(last(), [[200, 'ann', undefined], [200, 'ann', undefined]])
  t.equal(await listen(page, `${origin}/chat`), 'ann')

  for (const host of ['shop.test', 'blog.shop.test']) {
    await page.goto(elsewhere(host))
    await submit(page, `${origin}/act`)
    await page.goto(elsewhere(host))
    await send(page, `${origin}/act`, { mode: 'no-cors', credentials: 'include' })
    t.same(last(), [[403, null, undefined], [403, null, undefined]], host)
    t.equal(await listen(page, `${origin}/chat`), null)
  }
  await page.goto(elsewhere('evil.test'))
  await submit(page, `${origin}/act`)
  t.same(last(), [[200, 'nobody', undefined]], 'SameSite has kept the cookie back')

  await page.goto(`${origin}/page`)
  await page.evaluate("document.head.insertAdjacentHTML('beforeend', '<meta name=referrer content=no-referrer>')")
  await submit(page, `${origin}/act`)
  t.same(last(), [[403, null, undefined]], 'with no-referrer a form has no origin')
})
