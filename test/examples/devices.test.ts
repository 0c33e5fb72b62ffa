import type { Browser, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { startBrowser } from '../fixtures/browser.js'
import { startAuthentication, startTwoProcesses } from '../fixtures/example.js'
import { needs } from '../fixtures/needs.js'
import { startRedis } from '../fixtures/redis.js'

const EMAIL = 'ada@example.com'
const PASSWORD = 'demo-password'
const NEW_PASSWORD = 'correct horse'
const AGENTS = {
  laptop: 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
  phone: 'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36',
  desktop: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0'
}

t.test('a user sees their devices and signs them out, live in the other browsers', async (t) => {
  const executable = needs(t, 'chromium')
  if (executable === null) return
  const browser = await startBrowser(t, executable)

  t.test('in one process, on the memory store', async (t) => {
    const address = await startAuthentication(t)
    await useThreeDevices(t, browser, [address])
  })

  t.test('in two processes, on Redis', async (t) => {
    if (needs(t, 'redis') === null) return
    await useThreeDevices(t, browser, await startTwoProcesses(t, { REDIS_URL: (await startRedis(t)).url }))
  })

  t.test('and asks for the password again when the login is not fresh', async (t) => {
    let now = Date.now()
    const address = await startAuthentication(t, { session: { clock: { now: () => now } } })
    const page = await openDevice(t, browser, address, AGENTS.laptop)
    await logIn(page)
    await page.goto('/settings')
    now += 6 * 60 * 1000
    await page.getByLabel('New password').fill(NEW_PASSWORD)
    await page.getByRole('button', { name: 'Change it' }).click()
    await page.waitForURL('/login?returnTo=/settings')
    await fillLogin(page, PASSWORD)
    await page.waitForURL('/settings')
    await page.getByLabel('New password').fill(NEW_PASSWORD)
    await page.getByRole('button', { name: 'Change it' }).click()
    await page.waitForURL('/devices')
    t.equal(await page.getByRole('status').textContent(), 'Your password is changed. You are logged in nowhere else')
  })

  t.test('and a tab of the same browser follows a new login by itself', async (t) => {
    const address = await startAuthentication(t)
    const page = await openDevice(t, browser, address, AGENTS.laptop)
    await logIn(page)
    await page.goto('/user')
    const loaded = page.waitForEvent('load')
    const other = await page.context().newPage()
    await logIn(other)
    await loaded
    t.equal(await page.locator('main strong').textContent(), EMAIL, 'still logged in')
  })
})

/** The processes of the example, behind these addresses, take turns. */
async function useThreeDevices (t: Test, browser: Browser, addresses: readonly string[]): Promise<void> {
  const [first, other = first] = addresses as [string, ...string[]]
  const laptop = await openDevice(t, browser, first, AGENTS.laptop)
  const phone = await openDevice(t, browser, other, AGENTS.phone)
  const desktop = await openDevice(t, browser, first, AGENTS.desktop)
  for (const page of [laptop, phone, desktop]) await logIn(page)

  await laptop.goto('/devices')
  t.strictSame((await namesOf(laptop)).sort(), ['Chrome on Android', 'Edge on Windows', 'Firefox on Linux this device'])
  const [cookie] = (await phone.context().cookies()).map(({ value }) => value)
  t.notMatch(await laptop.content(), cookie?.slice(24), 'nothing on the page opens a session')

  const begun = Date.now()
  await laptop.getByRole('button', { name: 'Sign out Chrome on Android' }).click()
  await phone.getByRole('alert').waitFor()
  t.ok(Date.now() - begun < 1000, 'within a second')
  t.equal(await phone.getByRole('alert').textContent(), 'You are signed out here.')
  t.equal(await laptop.getByRole('status').textContent(), 'That device is signed out')
  t.notMatch(await phone.content(), EMAIL, 'nothing private stays on its page')
  t.equal(await desktop.getByRole('alert').count(), 0, 'the third hears nothing')

  await logIn(phone)
  await laptop.getByRole('button', { name: 'Sign out all others' }).click()
  for (const page of [phone, desktop]) await page.getByRole('alert').waitFor()
  t.equal(await laptop.getByRole('status').textContent(), '2 other devices are signed out')
  t.strictSame(await namesOf(laptop), ['Firefox on Linux this device'])

  for (const page of [phone, desktop]) await logIn(page)
  await phone.goto('/settings')
  await phone.getByLabel('New password').fill(NEW_PASSWORD)
  await phone.getByRole('button', { name: 'Change it' }).click()
  for (const page of [laptop, desktop]) await page.getByRole('alert').waitFor()
  t.equal(await phone.getByRole('status').textContent(), 'Your password is changed. 2 other devices are signed out')

  await laptop.goto('/login')
  await fillLogin(laptop, PASSWORD)
  t.equal(await laptop.getByRole('alert').textContent(), 'Invalid login data', 'the old password opens nothing')
  await logIn(laptop, NEW_PASSWORD)
  await laptop.goto('/devices')
  t.equal((await namesOf(laptop)).length, 2)
}

async function openDevice (t: Test, browser: Browser, address: string, userAgent: string): Promise<Page> {
  const profile = await browser.newContext({ baseURL: address, userAgent })
  t.teardown(() => profile.close())
  profile.setDefaultTimeout(10_000)
  return await profile.newPage()
}

async function logIn (page: Page, password = PASSWORD): Promise<void> {
  await page.goto('/login')
  const listening = page.waitForResponse(/\/devices\/events$/)
  await fillLogin(page, password)
  await page.waitForURL('/user')
  await listening
}

async function fillLogin (page: Page, password: string): Promise<void> {
  await page.getByLabel('Email').fill(EMAIL)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
}

async function namesOf (page: Page): Promise<string[]> {
  return await page.locator('.devices h2').allTextContents()
}
