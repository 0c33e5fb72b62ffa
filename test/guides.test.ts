// The guides to express stores and to moving over: their snippets run, and nothing
// of the other libraries is left out.
import { readFile } from 'node:fs/promises'
import { Signer } from '@fastify/cookie'
import Fastify from 'fastify'
import t from 'tap'
import session, { type SessionOptions } from '../index.js'
import { Browser } from './fixtures/app.js'
import { needs } from './fixtures/needs.js'
import { startPostgres } from './fixtures/postgres.js'
import { readDocument, trySnippets } from './fixtures/snippets.js'

await trySnippets('docs/express-stores.md', {
  async postgres (t, app) {
    app.get('/', async ({ session }) => session.update('n', (n) => Number(n ?? 0) + 1))
    const browser = new Browser(app)
    await browser.visit('/')
    t.equal((await browser.visit('/')).body, '2')
  }
}, {
  async postgres (t, code) {
    if (needs(t, 'postgres') === null) return null
    process.env.DATABASE_URL = await startPostgres(t)
    return code
  }
})

await trySnippets('docs/moving-over.md', {
  async moving (t, app) {
    app.get('/', async ({ session }) => session.data())
    const browser = new Browser(app)
    browser.cookies['connect.sid'] = `s:${new Signer('the old secret').sign('an-id')}`
    t.same((await browser.visit('/')).json(), { userId: 42 })
    t.same(Object.keys(browser.cookies), ['sid'])
  }
}, {
  moving: async (_t, code) => `
    import expressSession from 'express-session'
    const oldStore = new expressSession.MemoryStore()
    oldStore.set('an-id', { cookie: {}, userId: 42 } as never)
    ${code}`
})

/** The part of the guide about one library. */
async function chapter (title: string): Promise<string> {
  const text = await readDocument('docs/moving-over.md')
  return text.split(/^## /m).find((part) => part.startsWith(title)) ?? ''
}

/** The names that an interface or class of a declaration file has. */
async function membersOf (file: string, declaration: RegExp): Promise<string[]> {
  const text = (await readFile(new URL(`../node_modules/${file}`, import.meta.url), 'utf8')).replace(/\/\*[\s\S]*?\*\//g, '')
  const [, indent, body] = declaration.exec(text) as unknown as [string, string, string]
  return [...body.matchAll(new RegExp(`^ {${indent.length + 2},${indent.length + 4}}(\\w+)\\??[(:<]`, 'gm'))].map(([, name]) => String(name))
}

const block = (head: string) => new RegExp(`^( *)(?:export )?${head}[^{]*\\{([\\s\\S]*?)^\\1\\}`, 'm')

t.test('the guide names every option and method of @fastify/session', async (t) => {
  const guide = await chapter('From @fastify/session')
  const file = '@fastify/session/types/index.d.ts'
  const names = [
    ...await membersOf(file, block('interface FastifySessionOptions')),
    ...await membersOf(file, block('interface CookieOptions')),
    ...await membersOf(file, block('interface FastifySessionObject')),
    ...await membersOf(file, block('interface FastifyInstance')),
    ...await membersOf(file, block('interface FastifyRequest'))
  ]
  t.ok(names.length > 25, String(names))
  for (const name of names) t.match(guide, new RegExp(`\\b${name}\\b`), name)
})

t.test('the guide names every option and method of express-session', async (t) => {
  const guide = await chapter('From express-session')
  const file = '@types/express-session/index.d.ts'
  const names = [
    ...await membersOf(file, block('interface SessionOptions')),
    ...await membersOf(file, block('interface CookieOptions')),
    ...await membersOf(file, block('class Session '))
  ].filter((name) => name !== 'constructor')
  t.ok(names.length > 25, String(names))
  for (const name of names) t.match(guide, new RegExp(`\\b${name}\\b`), name)
})

t.test('whoever brings an option of theirs along is told what to write instead', async (t) => {
  const theirs = [['@fastify/session/types/index.d.ts', 'interface FastifySessionOptions'], ['@types/express-session/index.d.ts', 'interface SessionOptions']] as const
  const refusal = async (options: object) => Fastify().register(session, options as SessionOptions).then(() => '', ({ message }: Error) => message)
  for (const [file, declaration] of theirs) {
    for (const name of await membersOf(file, block(declaration))) {
      t.notMatch(await refusal({ [name]: 'theirs' }), 'no such option', name)
    }
    for (const name of await membersOf(file, block('interface CookieOptions'))) {
      t.notMatch(await refusal({ cookie: { [name]: 'theirs' } }), 'no such option', `cookie.${name}`)
    }
  }
  t.match(await refusal({ theirs: true }), 'no such option')
})
