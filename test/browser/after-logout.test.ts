// What a logout leaves behind in a real browser: pages behind the back button, in the cache, and what scripts stored.
import Fastify from 'fastify'
import type { Browser, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import session, { requireSession, type SessionOptions } from '../../index.js'
import { startBrowser } from '../fixtures/browser.js'
import { needs } from '../fixtures/needs.js'

interface Opened {
  readonly page: Page
  /** Whether the page that is open shows what belongs to the user. */
  isPrivate (): Promise<boolean>
  logOut (): Promise<void>
}

const html = (body: string) => `<!doctype html><title>shop</title>${body}`

/** A browser whose user has looked at a private page, and has something in the storage. */
async function open (t: Test, browser: Browser, { noStore = false, ...options }: SessionOptions & { noStore?: boolean }): Promise<Opened> {
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  await app.register(session, options)
  app.addHook('onSend', async (_request, reply) => { reply.type('text/html') })
  app.get('/login', async ({ session }) => { session.set('user', 'ann'); return html('welcome') })
  app.get('/logout', async ({ session }) => { session.destroy(); return html('bye') })
  app.get('/private', { onRequest: requireSession('user', { noStore }) }, async () => html('<h1>of ann</h1>'))
  let served = 0
  app.get('/photo', { config: { session: false } }, async (_request, reply) => { reply.header('cache-control', 'private, max-age=3600'); return html(`served ${++served}`) })
  app.get('/kept', { onRequest: requireSession('user') }, async (_request, reply) => { reply.header('cache-control', 'private, max-age=3600'); return html('<h1>of ann</h1>') })
  const baseURL = await app.listen({ port: 0, host: '127.0.0.1' })
  const profile = await browser.newContext({ baseURL })
  t.teardown(() => profile.close())
  profile.setDefaultTimeout(10_000)
  const page = await profile.newPage()
  await page.goto('/login')
  await page.evaluate("localStorage.setItem('draft', 'of ann')")
  for (const path of ['/photo', '/kept', '/private']) await page.goto(path)
  return {
    page,
    isPrivate: async () => (await page.content()).includes('of ann'),
    async logOut () { await page.goto('/logout') }
  }
}

t.test('after a logout', async (t) => {
  const executable = needs(t, 'chromium')
  if (executable === null) return
  const browser = await startBrowser(t, executable)

  await t.test('without noStore the back button shows what was private', async (t) => {
    const { page, isPrivate, logOut } = await open(t, browser, {})
    t.ok(await isPrivate())
    await logOut()
    await page.goBack({ waitUntil: 'commit' })
    t.ok(await isPrivate(), 'from the browser\'s memory, and nobody was asked')
  })

  await t.test('with noStore it shows nothing', async (t) => {
    const { page, isPrivate, logOut } = await open(t, browser, { noStore: true })
    t.ok(await isPrivate())
    await logOut()
    await page.goBack({ waitUntil: 'commit' })
    t.equal(new URL(page.url()).pathname, '/private')
    t.notOk(await isPrivate())
    t.match(await page.content(), 'FST_KEEP_SESSION_REQUIRED')
  })

  await t.test('with noStore the back button still works for a user who is logged in', async (t) => {
    const { page, isPrivate } = await open(t, browser, { noStore: true })
    await page.goto('/login')
    await page.goBack({ waitUntil: 'commit' })
    t.ok(await isPrivate())
  })

  await t.test('without clearSiteData the cache and the storage keep what they have', async (t) => {
    const { page, isPrivate, logOut } = await open(t, browser, {})
    await logOut()
    t.equal(await page.evaluate("localStorage.getItem('draft')"), 'of ann')
    await page.goto('/photo')
    t.match(await page.content(), 'served 1')
    await page.goto('/kept')
    t.notOk(await isPrivate(), 'but for what varies by the cookie')
  })

  await t.test('with clearSiteData both are empty', async (t) => {
    const { page, logOut } = await open(t, browser, { clearSiteData: ['cache', 'storage'] })
    await logOut()
    t.equal(await page.evaluate("localStorage.getItem('draft')"), null)
    await page.goto('/photo')
    t.match(await page.content(), 'served 2')
  })

  await t.test('with both options nothing is left', async (t) => {
    const { page, isPrivate, logOut } = await open(t, browser, { clearSiteData: ['cache', 'storage'], noStore: true })
    await logOut()
    await page.goBack({ waitUntil: 'commit' })
    t.notOk(await isPrivate())
    t.equal(await page.evaluate("localStorage.getItem('draft')"), null)
  })
})
