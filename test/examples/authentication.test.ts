import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import type { SessionOptions } from '../../index.js'
import { startBrowser } from '../fixtures/browser.js'
import { startAuthentication, startOnFile, startTwoProcesses } from '../fixtures/example.js'
import { freePort } from '../fixtures/free-port.js'
import { needs } from '../fixtures/needs.js'
import { startPostgres } from '../fixtures/postgres.js'
import { startRedis } from '../fixtures/redis.js'
import { sqlitePath } from '../fixtures/sqlite.js'

const EMAIL = 'ada@example.com'
const PASSWORD = 'demo-password'

t.test('the authentication example in a browser', async (t) => {
  const executable = needs(t, 'chromium')
  if (executable === null) return
  const browser = await startBrowser(t, executable)

  /** The example with a browser profile of its own. */
  async function open (t: Test, { session = {}, ...context }: BrowserContextOptions & { session?: SessionOptions } = {}) {
    const address = await startAuthentication(t, { session })
    const profile = await browser.newContext({ baseURL: address, ...context })
    t.teardown(() => profile.close())
    profile.setDefaultTimeout(10_000)
    const page = await profile.newPage()
    const cookie = async () => (await profile.cookies()).find(({ name }) => name === 'sid')
    return { address, page, cookie }
  }

  t.test('refuses wrong login data and keeps the typed email', async (t) => {
    const { page, cookie } = await open(t)
    await page.goto('/login')
    const answer = page.waitForResponse((response) => response.request().method() === 'POST')
    await logIn(page, { password: 'wrong' })
    t.equal((await answer).status(), 400)
    t.equal(await page.getByRole('alert').textContent(), 'Invalid login data')
    t.equal(await page.getByLabel('Email').inputValue(), EMAIL)
    t.equal(await page.getByLabel('Password').inputValue(), '')
    t.equal(await cookie(), undefined, 'no session begins')
  })

  t.test('gives no session to a visitor who only looks', async (t) => {
    const { page, cookie } = await open(t)
    for (const path of ['/', '/login', '/user', '/user/notes', '/devices', '/settings', '/workshop', '/goodbye', '/nowhere']) await page.goto(path)
    t.equal(await cookie(), undefined)
  })

  t.test('shows the code of each page beside it', async (t) => {
    const { address, page } = await open(t)
    await page.goto('/user/notes')
    t.match(await page.getByRole('complementary').textContent(), /reply\.page\('login'/)
    await logIn(page)
    await page.getByRole('complementary').getByText('session.notes ??= []').waitFor()
    await page.getByRole('link', { name: 'user-area.js' }).click()
    await page.waitForURL('/source/user-area.js')
    t.match(await page.textContent('body'), 'session.notes ??= []')
    for (const path of ['/source/server.js/', '/source/views/home.eta', '/source/..%2f..%2fpackage.json', '/source/']) t.equal((await fetch(address + path)).status, 404, path)
  })

  t.test('prints no forms, and all of the code', async (t) => {
    const { page } = await open(t)
    await page.goto('/login')
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    t.equal(await page.getByRole('main').getByRole('button').count(), 0)
    t.equal(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(255, 255, 255)')
    t.equal(await page.evaluate("(({ scrollHeight, clientHeight }) => scrollHeight <= clientHeight)(document.querySelector('aside pre'))"), true)
  })

  t.test('changes the cookie at login and takes the counter along', async (t) => {
    const { address, page, cookie } = await open(t)
    await page.goto('/')
    await page.getByRole('button', { name: 'Count my visits' }).click()
    await page.locator('output').waitFor()
    const before = await cookie()
    await page.goto('/login')
    await logIn(page)
    await page.waitForURL('/user')
    const after = await cookie()
    t.ok(before?.value)
    t.ok(after?.value)
    t.not(after?.value, before?.value)
    t.match(after, { httpOnly: true, sameSite: 'Lax', expires: -1 })
    t.equal(await opens(address, '/user', after?.value), true)
    t.equal(await opens(address, '/user', before?.value), false, 'the old value opens nothing')
    await page.goto('/')
    t.equal(await page.locator('output').textContent(), '2')
  })

  t.test('stays logged in after a reload and greets only once', async (t) => {
    const { page } = await open(t)
    await page.goto('/login')
    await logIn(page)
    await page.waitForURL('/user')
    t.equal(await page.getByRole('status').textContent(), 'Welcome, you are logged in')
    await page.reload()
    t.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Your page')
    t.equal(await page.locator('main strong').textContent(), EMAIL)
    t.equal(await page.getByRole('status').count(), 0)
  })

  t.test('returns after the login to the page that was asked for', async (t) => {
    const { page } = await open(t)
    for (const path of ['/user/notes', '/settings']) {
      await page.context().clearCookies()
      await page.goto(path)
      t.equal(new URL(page.url()).pathname, '/login')
      await logIn(page, { password: 'wrong' })
      await page.getByRole('alert').waitFor()
      await logIn(page)
      await page.waitForURL(path)
      t.equal(await page.locator('nav [aria-current]').getAttribute('href'), path)
    }
  })

  t.test('never returns to another site', async (t) => {
    const { page } = await open(t)
    await page.goto('/login?returnTo=//evil.example/user')
    await logIn(page)
    await page.waitForURL('/user')
    t.pass('the login leads to the page of the user')
  })

  t.test('keeps notes as they were typed', async (t) => {
    const { page } = await open(t)
    await page.goto('/user/notes')
    await logIn(page)
    const typed = ['Buy bread', '<b>bold</b> & "quoted"']
    for (const [index, note] of typed.entries()) {
      await page.getByLabel('New note').fill(note)
      await page.getByRole('button', { name: 'Add' }).click()
      await page.locator('.notes li').nth(index).waitFor()
    }
    await page.reload()
    t.strictSame(await page.locator('.notes li').allTextContents(), typed)
  })

  t.test('asks for a recent login before the settings', async (t) => {
    let now = Date.now()
    const { page } = await open(t, { session: { clock: { now: () => now } } })
    await page.goto('/settings')
    await logIn(page)
    await page.waitForURL('/settings')
    now += 6 * 60 * 1000
    await page.goto('/user')
    t.equal(new URL(page.url()).pathname, '/user')
    await page.goto('/settings')
    t.equal(new URL(page.url()).pathname, '/login')
    t.equal(await page.getByRole('alert').textContent(), 'To go on, please log in again')
    await logIn(page)
    await page.waitForURL('/settings')
    t.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Settings')
  })

  t.test('remembers who asks for it for thirty days', async (t) => {
    const { page, cookie } = await open(t)
    await page.goto('/login')
    await page.getByLabel('Remember me').check()
    await logIn(page)
    await page.waitForURL('/user')
    const days = ((await cookie())?.expires ?? 0) - Date.now() / 1000
    t.equal(Math.round(days / 86400), 30)
  })

  t.test('leaves no cookie and nothing private behind after logout', async (t) => {
    const { address, page, cookie } = await open(t)
    await page.goto('/')
    await page.goto('/login')
    await logIn(page)
    await page.waitForURL('/user')
    await page.goto('/user/notes')
    const before = await cookie()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.waitForURL('/goodbye')
    t.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'You are logged out')
    t.equal(await cookie(), undefined)
    t.equal(await opens(address, '/user', before?.value), false, 'the old value opens nothing')

    for (const asked of ['/user/notes', '/user']) {
      await page.goBack()
      t.match(page.url(), `/login?returnTo=${encodeURIComponent(asked)}`, `going back to ${asked} leads to the login`)
      t.notMatch(await page.locator('header').textContent(), EMAIL)
    }
    t.equal(await cookie(), undefined)
  })

  t.test('fits a phone', async (t) => {
    const { page } = await open(t, { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true })
    await page.goto('/user/notes')
    await logIn(page)
    await page.getByLabel('New note').fill('longer-than-a-phone-is-wide'.repeat(7))
    await page.getByRole('button', { name: 'Add' }).tap()
    await page.locator('.notes li').waitFor()
    for (const path of ['/', '/login', '/user', '/user/notes', '/devices', '/settings', '/goodbye', '/nowhere']) {
      await page.goto(path)
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), 320, `${path} needs no sideways scrolling`)
      for (const target of await page.locator('button, .button, nav a').all()) {
        const box = await target.boundingBox()
        t.ok(box !== null && box.height >= 44, `${path}: '${await target.textContent()}' is high enough for a finger`)
      }
    }
  })

  t.test('works with the keyboard alone', async (t) => {
    const { page } = await open(t)
    await page.goto('/')
    await page.keyboard.press('Tab')
    t.equal(await focused(page), 'Skip to the content')
    for (let presses = 0; presses < 10 && await focused(page) !== 'Log in'; presses++) await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('#email:focus').waitFor()
    await page.keyboard.type(EMAIL)
    await page.keyboard.press('Tab')
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press('Enter')
    await page.waitForURL('/user')
    t.equal(await page.locator('main strong').textContent(), EMAIL)
  })
})

t.test('the authentication example says where it runs and how to log in', async (t) => {
  const server = fileURLToPath(new URL('../../examples/authentication/server.js', import.meta.url))
  const child = spawn(process.execPath, [server], { env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill())
  const [output] = await once(child.stdout, 'data') as [Buffer]
  const [, address = ''] = /^The example runs at (http:\/\/127\.0\.0\.1:\d+)$/m.exec(String(output)) ?? []
  t.match(String(output), `${EMAIL} and the password ${PASSWORD}`)
  t.equal((await fetch(address)).status, 200)
})

async function sharesSessions (t: Test, [one, other]: [string, string]): Promise<void> {
  const form = new URLSearchParams({ email: EMAIL, password: PASSWORD })
  const login = await fetch(`${one}/login`, { method: 'POST', body: form, redirect: 'manual' })
  const [, token] = /sid=([^;]+)/.exec(login.headers.get('set-cookie') ?? '') ?? []
  t.equal(await opens(other, '/user', token), true)
  await fetch(`${other}/logout`, { method: 'POST', headers: { cookie: `sid=${token}` }, redirect: 'manual' })
  t.equal(await opens(one, '/user', token), false)
}

t.test('with REDIS_URL the authentication example runs in two processes behind one cookie', async (t) => {
  if (needs(t, 'redis') === null) return
  await sharesSessions(t, await startTwoProcesses(t, { REDIS_URL: (await startRedis(t)).url }))
})

t.test('with POSTGRES_URL it does, too', async (t) => {
  if (needs(t, 'postgres') === null) return
  await sharesSessions(t, await startTwoProcesses(t, { POSTGRES_URL: await startPostgres(t) }))
})

t.test('a restart on SQLite in the middle of a visit logs nobody out', async (t) => {
  const executable = needs(t, 'chromium')
  if (executable === null) return
  const [path, port] = [sqlitePath(), await freePort()]
  const page = await (await startBrowser(t, executable)).newPage({ baseURL: `http://127.0.0.1:${port}` })
  const first = await startOnFile(t, path, port)
  await page.goto('/login')
  await logIn(page)
  await page.waitForURL('/user')
  await page.goto('/user/notes')
  await first.stop()
  const second = await startOnFile(t, path, port)
  await page.getByLabel('New note').fill('written before the restart, sent after it')
  await page.getByRole('button', { name: 'Add' }).click()
  await page.getByRole('listitem').filter({ hasText: 'written before the restart' }).waitFor()
  await page.goto('/')
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('heading', { name: 'You are logged out' }).waitFor()
  await second.stop()
  await startOnFile(t, path, port)
  await page.goto('/user')
  t.match(page.url(), /\/login/, 'and a logout stays one')
})

async function logIn (page: Page, { password = PASSWORD } = {}): Promise<void> {
  await page.getByLabel('Email').fill(EMAIL)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
}

/** Whether this value of the cookie opens the page. */
async function opens (address: string, path: string, value = ''): Promise<boolean> {
  const { status } = await fetch(address + path, { headers: { cookie: `sid=${value}` }, redirect: 'manual' })
  return status === 200
}

async function focused (page: Page): Promise<unknown> {
  return await page.evaluate('document.activeElement.textContent.trim()')
}
