import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The README's list of pages, and the names of the reference. */
export function sidebar (root, pathOnSite) {
  const address = (file) => `/${pathOnSite(file).replace(/(index)?\.md$/, '')}`
  const guide = [...section(readFileSync(join(root, 'README.md'), 'utf8'), 'Pages').matchAll(/^- \*\*(.+?)\*\*: (.+)$/gm)]
    .map(([, text, links]) => ({ text, items: [...links.matchAll(/\[(.+?)\]\((.+?)\)/g)].map(([, text, file]) => ({ text: capitalized(text), link: address(file) })) }))
  return { '/': [{ text: 'Start', link: '/' }, ...guide], '/api/': reference(join(root, 'docs/api')) }
}

/** Every name, under its entry point. */
function reference (folder) {
  const files = readdirSync(folder, { recursive: true }).map((file) => file.replaceAll('\\', '/')).filter((file) => file.endsWith('.md') && !file.endsWith('README.md')).sort()
  const entryPoints = new Map()
  for (const file of files) {
    const [, entryPoint = '', name] = /^(?:([\w-]+)\/)?[\w-]+\/(\w+)\.md$/.exec(file)
    const items = entryPoints.get(entryPoint) ?? []
    items.push({ text: name, link: `/api/${file.replace(/\.md$/, '')}` })
    entryPoints.set(entryPoint, items)
  }
  return [...entryPoints].sort().map(([name, items]) => ({
    text: name === '' ? 'fastify-keep' : `fastify-keep/${name}`,
    link: name === '' ? '/api/' : `/api/${name}/`,
    collapsed: name !== '',
    items: items.sort((one, other) => one.text.localeCompare(other.text))
  }))
}

function section (text, title) {
  return text.split(`\n## ${title}\n`)[1].split('\n## ')[0]
}

function capitalized (text) {
  return text[0].toUpperCase() + text.slice(1)
}
