// The pages of the example with axe, as they are shown to different people, and by keyboard alone.
import type { BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { violationsOf } from '../fixtures/axe.js'
import { startBrowser } from '../fixtures/browser.js'
import { startAuthentication } from '../fixtures/example.js'
import { needs } from '../fixtures/needs.js'

const WINDOW = { width: 1440, height: 900 }

interface Way extends BrowserContextOptions {
  /** What axe looks at: markup and code are the same in every colour. */
  scope: 'everything' | 'looks'
}

/** How pages are shown. Zoom of 200 % is half as many pixels of CSS, each twice as large. */
const WAYS: Record<string, Way> = {
  light: { scope: 'everything', viewport: WINDOW, colorScheme: 'light' },
  dark: { scope: 'looks', viewport: WINDOW, colorScheme: 'dark' },
  'on a phone': { scope: 'everything', viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
  'at 200 % zoom': { scope: 'looks', viewport: { width: 720, height: 450 }, deviceScaleFactor: 2 },
  'with forced colours': { scope: 'looks', viewport: WINDOW, forcedColors: 'active' }
}

t.test('axe finds nothing on the pages of the example', async (t) => {
  const executable = needs(t, 'chromium')
  if (executable === null) return
  const browser = await startBrowser(t, executable)
  const address = await startAuthentication(t)

  const open = async (t: Test, options: BrowserContextOptions): Promise<Page> => {
    const profile = await browser.newContext({ baseURL: address, ...options })
    t.teardown(() => profile.close())
    profile.setDefaultTimeout(20_000)
    return await profile.newPage()
  }

  // another device of the same user
  const elsewhere = await open(t, { viewport: WINDOW })
  await elsewhere.goto('/login?returnTo=/devices')
  await logIn(elsewhere, 'demo-password')
  await elsewhere.waitForURL('/devices')

  for (const [way, { scope, ...options }] of Object.entries(WAYS)) {
    t.test(way, async (t) => {
      const page = await open(t, options)
      const check = async (what: string) => {
        t.same(await violationsOf(page, scope), [], what)
        t.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, `${what} needs no sideways scrolling`)
      }
      for (const path of ['/', '/login', '/goodbye', '/nowhere', '/workshop']) {
        await page.goto(path)
        await check(path)
      }
      await page.getByRole('button', { name: 'Begin', exact: true }).click()
      await page.locator('#record', { hasText: 'count' }).waitFor()
      await check('/workshop with a session')

      await page.goto('/login')
      await logIn(page, 'wrong')
      await page.getByRole('alert').waitFor()
      await check('/login after a wrong password')
      await logIn(page, 'demo-password')
      await page.waitForURL('/user')
      await check('/user with a message')
      await page.goto('/user/notes')
      await page.getByLabel('New note').fill('Buy bread')
      await page.getByRole('button', { name: 'Add' }).click()
      await page.locator('.notes li').waitFor()
      await check('/user/notes')

      for (const path of ['/devices', '/settings']) {
        await page.goto(path)
        await check(path)
      }
      await elsewhere.goto('/devices')
      await elsewhere.getByRole('button', { name: 'Sign out all others' }).click()
      await page.getByRole('alert').waitFor()
      await check('a page whose session was ended elsewhere')
    })
  }

  t.test('and the keyboard reaches everything, in order, and shows where it is', async (t) => {
    const page = await open(t, { viewport: WINDOW })
    await page.goto('/workshop')
    const expected = await page.evaluate<string[]>(`[...document.querySelectorAll('a[href], button, input, [tabindex="0"]')].map(${NAME})`)
    const reached: string[] = []
    while (reached.length < expected.length) {
      await page.keyboard.press('Tab')
      reached.push(await page.evaluate(`(${NAME})(document.activeElement)`))
      const [outline, width] = await page.evaluate<[string, string]>('(({ outlineStyle, outlineWidth }) => [outlineStyle, outlineWidth])(getComputedStyle(document.activeElement))')
      t.ok(outline === 'solid' && width === '3px', `${reached.at(-1)} shows that it has the focus`)
    }
    t.same(reached, expected)

    await page.getByRole('button', { name: 'Begin', exact: true }).focus()
    await page.keyboard.press('Enter')
    await page.locator('#hand', { hasText: 'A session has begun' }).waitFor()
    await page.getByLabel('Minutes ahead').focus()
    await page.keyboard.press('End')
    t.equal(await page.locator('#minutes').textContent(), '60')
    await page.getByRole('switch').focus()
    await page.keyboard.press('Space')
    t.equal(await page.getByRole('switch').isChecked(), false)
  })
})

const NAME = '({ tagName, id, textContent }) => tagName + " " + (id || textContent.trim().slice(0, 40))'

async function logIn (page: Page, password: string): Promise<void> {
  await page.getByLabel('Email').fill('ada@example.com')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
}
