// The site of the documents: it builds, every link and anchor leads somewhere, search finds pages, and axe finds nothing.
import { readdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import files from '@fastify/static'
import Fastify from 'fastify'
import type { BrowserContextOptions, Page } from 'playwright-core'
import t from 'tap'
import { violationsOf } from './fixtures/axe.js'
import { startBrowser } from './fixtures/browser.js'
import { needs } from './fixtures/needs.js'
import { runProgram } from './fixtures/run-program.js'
import { temporaryFolder } from './fixtures/tarball.js'

const BASE = '/keep/'
const root = fileURLToPath(new URL('../', import.meta.url))
const site = await temporaryFolder(t)
process.env['SITE_BASE'] = BASE
const { code, output } = await runProgram(process.execPath, [join(root, 'node_modules/vitepress/bin/vitepress.js'), 'build', 'docs', '--outDir', site], root)
if (code !== 0) throw new Error(output)

const built = (await readdir(site, { recursive: true })).map((file) => file.replaceAll('\\', '/'))
const pages = built.filter((file) => file.endsWith('.html'))
const html = new Map(await Promise.all(pages.map(async (page) => [page, await readFile(join(site, page), 'utf8')] as const)))

t.test('every page is there, and every name of the reference has its own', async (t) => {
  const sources = (await readdir(join(root, 'docs'), { recursive: true })).map((file) => file.replaceAll('\\', '/')).filter((file) => file.endsWith('.md'))
  for (const source of ['index.md', ...sources]) t.ok(html.has(source.replace('README.md', 'index.md').replace(/md$/, 'html')), source)
  t.match(html.get('api/classes/MemoryStore.html'), /<h1[^>]*>Class: MemoryStore/)
  t.match(html.get('api/postgres/functions/fromPg.html'), /<h1[^>]*>Function: fromPg/)
})

t.test('every link of the site leads to a page of it, and to a heading that is there', async (t) => {
  const anchors = new Map([...html].map(([page, text]) => [page, new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))]))
  const nowhere = new Set<string>()
  for (const [page, text] of html) {
    for (const [, link = ''] of text.matchAll(/<a [^>]*href="(?!https?:)([^"]+)"/g)) {
      const [path = '', anchor] = link.split('#')
      const target = path.startsWith('/') ? path.replace(BASE, '') : posix.join(posix.dirname(page), path)
      if (target.endsWith('.json') && built.includes(target)) continue
      const found = anchors.get(path === '' ? page : target.replace(/(^|\/)$/, '$1index.html'))
      if (found === undefined || (anchor && !found.has(decodeURIComponent(anchor)))) nowhere.add(`${page} leads to ${link}`)
    }
  }
  t.same([...nowhere], [])
})

t.test('in a browser', async (t) => {
  const executable = needs(t, 'chromium')
  if (executable === null) return
  const app = Fastify()
  await app.register(files, { root: site, prefix: BASE })
  t.teardown(() => app.close())
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const browser = await startBrowser(t, executable)

  const ways: Record<string, BrowserContextOptions> = {
    light: { colorScheme: 'light', viewport: { width: 1440, height: 900 } },
    dark: { colorScheme: 'dark', viewport: { width: 1440, height: 900 } },
    'on a phone': { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }
  }
  for (const [way, options] of Object.entries(ways)) {
    t.test(way, async (t) => {
      const profile = await browser.newContext({ baseURL: address + BASE, ...options })
      t.teardown(() => profile.close())
      profile.setDefaultTimeout(20_000)
      const page = await profile.newPage()
      const elsewhere: string[] = []
      page.on('request', (request) => { if (!request.url().startsWith(address)) elsewhere.push(request.url()) })
      for (const path of ['', 'options.html', 'api/classes/MemoryStore.html']) {
        await page.goto(path)
        t.same(await violationsOf(page), [], path)
        t.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, `${path} needs no sideways scrolling`)
      }
      const isDark = await page.evaluate("document.documentElement.classList.contains('dark')")
      t.equal(isDark, way === 'dark')
      await search(page, 'cookie does not arrive')
      t.same(await violationsOf(page), [], 'the search')
      await page.locator('.result[href*="troubleshooting"]').first().click()
      await page.waitForURL(/troubleshooting\.html/)
      t.same(elsewhere, [], 'nothing is asked of other hosts')
    })
  }
})

async function search (page: Page, words: string): Promise<void> {
  await page.getByRole('button', { name: 'Search' }).click()
  await page.getByRole('searchbox').fill(words)
  await page.locator('.result').first().waitFor()
}
