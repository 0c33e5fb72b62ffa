import { posix, relative } from 'node:path'

/** Links lead from file to file; the site has other addresses. */
export function linksOfSite (markdown, { root, pathOnSite }) {
  const open = markdown.renderer.rules.link_open
  markdown.renderer.rules.link_open = (tokens, index, options, env, self) => {
    const [, path, anchor = ''] = /^(?!\w+:|\/)([^#]+\.md)(#.*)?$/.exec(tokens[index].attrGet('href')) ?? []
    if (path !== undefined) {
      const folder = posix.dirname(relative(root, env.realPath ?? env.path).replaceAll('\\', '/'))
      tokens[index].attrSet('href', `/${pathOnSite(posix.join(folder, path))}${anchor}`)
    }
    return open(tokens, index, options, env, self)
  }
}

/** A table's header without text is none. */
export function plainEmptyHeaders (markdown) {
  markdown.core.ruler.push('plain-empty-headers', ({ tokens }) => {
    tokens.forEach((token, index) => {
      if (token.type === 'th_open' && tokens[index + 1].content === '') token.tag = tokens[index + 2].tag = 'td'
    })
  })
}

/** The anchor of a heading as GitHub makes it, so that a link works in both places. */
export function asOnGitHub (heading) {
  return heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replaceAll(' ', '-')
}
