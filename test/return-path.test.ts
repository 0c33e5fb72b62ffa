// returnPath: only paths of this site, and only what a Location header can carry.
import Fastify from 'fastify'
import t from 'tap'
import session, { requireSession, returnPath } from '../index.js'
import { buildApp } from './fixtures/app.js'
import { fuzzRuns } from './fixtures/fuzz-runs.js'

const html = { accept: 'text/html' }

t.test('the way back never leads to another site', async (t) => {
  const foreign = [
    '//evil.example', '/\\evil.example', 'https://evil.example', 'http:evil.example', '\\/evil', '/\t/evil.example', '/\n/evil.example', '\t//evil.example', ' //evil.example',
    'javascript:alert(1)', 'evil', '', 'account', '/\u0000', '//', '/\\/evil.example', '//here.invalid/x', '/\\here.invalid', '/a\r\nset-cookie: a=b', '/\u007F', '/\uD800', '/a\uDC00b', `/${'a'.repeat(2048)}`, `/${'€'.repeat(300)}`,
    null, undefined, 42, ['/a'], {}, Object('/a')
  ]
  for (const claimed of foreign) t.equal(returnPath(claimed, '/home'), '/home', JSON.stringify(claimed)?.slice(0, 40))
  for (const path of ['/', '/account', '/a?b=c&d=//e', '/a#b', '/a//b', '/a\\b', '/@evil.example', '/.evil', '/..//evil.example', '/%E2%82%AC', '/100%', `/${'a'.repeat(2047)}`]) t.equal(returnPath(path), path)
  t.equal(returnPath('//evil.example'), '/')
})

t.test('what is not visible ASCII is percent-encoded', async (t) => {
  const encoded = { '/€': '/%E2%82%AC', '/ü?q=a b': '/%C3%BC?q=a%20b', '/\u0085': '/%C2%85', '/\u2028': '/%E2%80%A8', '/😀#😀': '/%F0%9F%98%80#%F0%9F%98%80', '/／evil': '/%EF%BC%8Fevil' }
  for (const [claimed, path] of Object.entries(encoded)) t.equal(returnPath(claimed), path)
  t.equal(returnPath(undefined, '/café'), '/caf%C3%A9')
})

t.test('a fallback that is no path of this site is a mistake', async (t) => {
  for (const fallback of ['', 'account', '//evil.example', 'https://evil.example', '/\n', null, 5]) {
    t.throws(() => returnPath('/', fallback as string), { code: 'FST_KEEP_INVALID_OPTION', message: /returnPath fallback is .*: give a path of this site/ })
  }
})

t.test('the way back of a guard comes from what the client asked for, or is left out', async (t) => {
  const app = Fastify({ rewriteUrl: () => '/private' })
  t.teardown(() => app.close())
  await app.register(session)
  let asked: string | null = null
  app.addHook('onRequest', async ({ raw }) => { if (asked !== null) Object.assign(raw, { originalUrl: asked }) })
  app.get('/private', { preHandler: requireSession('user', { redirectTo: '/login?a#b' }) }, async () => 'in')
  const location = async (url: string) => (await app.inject({ url, headers: html })).headers.location
  t.equal(await location('/asked'), '/login?a&returnTo=%2Fasked#b')
  t.equal(await location('//evil.example/x'), '/login?a#b')
  t.equal(await location(`/${'a'.repeat(3000)}`), '/login?a#b', 'too long to come back in a query')
  for (asked of ['/\u00E9', 'http://evil.example/', '*', '/\\evil.example', '/a b']) t.equal(await location('/x'), '/login?a#b', asked)
})

t.test('a redirect address that carries a way back keeps it', async (t) => {
  const app = await buildApp(t)
  app.get('/private', { preHandler: requireSession('user', { redirectTo: '/login?returnTo=/home' }) }, async () => 'in')
  t.equal((await app.inject({ url: '/private', headers: html })).headers.location, '/login?returnTo=/home')
})

t.test('any way back that a client can claim ends in a redirect to this site', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.post('/login', async (request, reply) => reply.redirect(returnPath((request.query as { returnTo?: string }).returnTo, '/account'), 303))
  const pieces = ['/', '//', '\\', '/\\', 'evil.example', 'here.invalid', ':', '@', '?', '#', '%', '%2F', '%5C', '.', '..', '\t', '\n', '\r', '\0', ' ', '€', 'ü', '\uD800', '\uDFFF', '😀', '\u0085', '\uFEFF', '／', 'https:', 'a', '[', ']', '|', '^', '"', '<', '%00', '%E2']
  const random = (limit: number) => Math.floor(Math.random() * limit)
  const claim = () => (random(4) > 0 ? '/' : '') + Array.from({ length: random(7) }, () => random(8) > 0 ? pieces[random(pieces.length)] : String.fromCharCode(random(0x10000))).join('')
  let failed = 0
  for (let run = 0; run < fuzzRuns(5000) && failed < 5; run++) {
    const claimed = claim()
    const path = returnPath(claimed, '/account')
    const target = new URL(path, 'https://site.example')
    const isRight = /^\/[\x21-\x7E]*$/.test(path) && target.origin === 'https://site.example' && (path === '/account' || decodesTo(path, claimed))
    const isSent = run % 50 > 0 || /\p{Surrogate}/u.test(claimed) || await isRedirected(claimed)
    if (!isRight || !isSent) failed++
    if (!isRight || !isSent) t.fail(JSON.stringify([claimed, path]))
  }
  t.equal(failed, 0)

  async function isRedirected (claimed: string): Promise<boolean> {
    const { statusCode, headers } = await app.inject({ method: 'POST', url: '/login', query: { returnTo: claimed } })
    return statusCode === 303 && new URL(String(headers.location), 'https://site.example').host === 'site.example'
  }

  /** Nothing but what cannot be in the header was changed. */
  function decodesTo (path: string, claimed: string): boolean {
    return path === claimed.replace(/[^\x21-\x7E]+/g, encodeURIComponent)
  }
})
