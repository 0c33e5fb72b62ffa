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

  t.test('by hand: the clock, the store, and the cookie and record as they are', async (t) => {
    const { page, faults } = await open(t)
    const press = async (name: string) => {
      await page.locator('#hand').evaluate((element) => { element.textContent = '' })
      await page.getByRole('button', { name, exact: true }).click()
      await page.locator('#hand').filter({ hasText: /./ }).waitFor()
      return await page.locator('#hand').textContent()
    }
    const clockAt = async (minutes: number) => {
      const answer = page.waitForResponse(/workshop\/clock$/)
      await page.getByLabel('Minutes ahead').fill(String(minutes))
      await answer
    }
    const switchStore = async () => {
      const answer = page.waitForResponse(/workshop\/store$/)
      await page.getByRole('switch', { name: 'The store is on' }).click()
      await answer
    }
    t.equal(await press('Send one request'), 'Status 401: There is no session: begin one')
    await press('Begin')
    t.equal(await press('Send one request'), 'Status 200: the count is 1.')
    await page.locator('#record', { hasText: '"count"' }).waitFor()
    const [token] = (await page.context().cookies()).map(({ value }) => value)
    t.match(await page.locator('#cookie').textContent(), `trial=${token?.slice(0, 24)}…`)
    t.notMatch(await page.content(), token?.slice(24), 'the secret of the cookie is not shown')
    await switchStore()
    t.match(await press('Send one request'), /^Status 503/)
    t.match(await press('Begin'), 'A session has begun.', 'which switches it on again')
    t.equal(await page.getByRole('switch').isChecked(), true)
    await clockAt(29)
    t.match(await press('Send one request'), /^Status 200/)
    await clockAt(60)
    t.match(await press('Send one request'), /^Status 401/)
    await press('Begin')
    t.equal(await page.getByLabel('Minutes ahead').inputValue(), '0')
    t.equal(await press('Log out'), 'Status 200: the session has ended.')
    await page.locator('#cookie', { hasText: 'Max-Age=0' }).waitFor()
    await page.locator('#record', { hasText: 'no record' }).waitFor()
    t.same(faults, [])
  })

  t.test('a store that is away is a 503, and takes nothing along', async (t) => {
    const { page } = await open(t)
    const said = await run(page, 'Switch it off', 'outage')
    t.match(said, /While it was off: status 503/)
    t.match(said, /Afterwards: status 200/)
    t.notMatch(said, /ECONNREFUSED/)
  })
})
