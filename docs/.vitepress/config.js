// The site: README.md is its first page, docs/ are the others. `npm run site` builds it.
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { asOnGitHub, linksOfSite, plainEmptyHeaders } from './markdown.js'
import { accessibleSearch } from './search-box.js'
import { sidebar } from './sidebar.js'

const DASHBOARD = 'grafana-dashboard.json'

const root = fileURLToPath(new URL('../..', import.meta.url))

export default defineConfig({
  title: 'fastify-keep',
  description: 'Sessions for Fastify 5: typed, saved key by key, and ended for good at logout',
  base: process.env.SITE_BASE || '/', // RELEASING.md says where it is set
  lang: 'en',
  srcDir: root,
  srcExclude: ['!(docs|decisions|bench)/**/*.md', 'CODE_OF_CONDUCT.md'],
  rewrites: pathOnSite,
  ignoreDeadLinks: 'localhostLinks', // the addresses of the reader's own app
  markdown: {
    anchor: { slugify: asOnGitHub },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config (markdown) {
      linksOfSite(markdown, { root, pathOnSite })
      plainEmptyHeaders(markdown)
    }
  },
  vite: { plugins: [accessibleSearch()] },
  buildEnd: ({ outDir }) => copyFile(join(root, 'docs', DASHBOARD), join(outDir, DASHBOARD)), // a page leads to it
  themeConfig: {
    nav: [{ text: 'Guide', link: '/session' }, { text: 'Reference', link: '/api/' }, { text: 'Changes', link: '/CHANGELOG' }],
    sidebar: sidebar(root, pathOnSite),
    outline: [2, 3],
    search: { provider: 'local' }
  }
})

/** docs/ is not part of an address, and a README is the first page of its folder. */
function pathOnSite (file) {
  if (file === 'SECURITY.md') return 'vulnerabilities.md' // docs/security.md would differ in case alone
  return file.replace(/^docs\//, '').replace(/README\.md$/, 'index.md')
}
