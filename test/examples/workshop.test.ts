// The workshop of the example in a real browser: each experiment shows what it claims.
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { startBrowser } from '../fixtures/browser.js'
import { startAuthentication } from '../fixtures/example.js'
import { needs } from '../fixtures/needs.js'

t.test('the workshop of the example in a browser', async (t) => {
  const executable = needs(t, 'chromium')
  if (executable === null) return
  const browser = await startBrowser(t, executable)

  async function open (t: Test): Promise<{ page: Page, faults: string[], cookies: () => Promise<string[]> }> {
    const profile = await browser.newContext({ baseURL: await startAuthentication(t) })
    t.teardown(() => profile.close())
    profile.setDefaultTimeout(20_000)
    const page = await profile.newPage()
    const faults: string[] = []
    page.on('pageerror', (error) => { faults.push(String(error)) })
    await page.goto('/workshop')
    return { page, faults, cookies: async () => (await profile.cookies()).map(({ name }) => name) }
  }

  /** Presses the button, and answers with what is said then. */
  async function run (page: Page, button: string, id: string): Promise<string> {
    await page.getByRole('button', { name: button }).click()
    await page.locator(`#${id}`).filter({ hasNotText: 'Running…' }).filter({ hasText: /./ }).waitFor()
    return await page.locator(`#${id}`).textContent() ?? ''
  }

  t.test('a visitor who only looks gets no session', async (t) => {
    const { cookies } = await open(t)
    t.same(await cookies(), [])
  })

  t.test('fifty requests at once all count, and on the naive session they do not', async (t) => {
    const { page, faults, cookies } = await open(t)
    const said = await run(page, 'Send fifty', 'fifty')
    t.match(said, /fastify-keep counted 50 of 50/)
    t.ok(Number(/naive session (\d+)/.exec(said)?.[1]) < 50, said)
    t.same(await cookies(), ['trial'], 'and nobody is logged in or out')
    t.match(await page.locator('#events').textContent(), /saved/)
    t.same(faults, [])
  })

  t.test('a logout wins against a slow request', async (t) => {
    const { page } = await open(t)
    t.equal(await run(page, 'Begin, and log out', 'logout'), 'With fastify-keep the session stayed ended; the naive session came back, with its values.')
    t.match(await page.locator('#events').textContent(), /destroyed, logout/)
  })

  t.test('a session expires by the server\'s clock', async (t) => {
    const { page } = await open(t)
    t.equal(await run(page, 'Move the clock', 'expiry'), 'After 29 minutes: status 200. After 31 more: status 401, the session has expired.')
  })

  t.test('a store that is away is a 503, and takes nothing along', async (t) => {
    const { page } = await open(t)
    const said = await run(page, 'Switch it off', 'outage')
    t.match(said, /While it was off: status 503/)
    t.match(said, /Afterwards: status 200/)
    t.notMatch(said, /ECONNREFUSED/)
  })
})
