// Logins at another site, with grant and @fastify/oauth2: the session is left with
// a redirect and has to be there again when the other site sends the user back.
import oauth2, { type OAuth2Namespace } from '@fastify/oauth2'
import Fastify, { type FastifyInstance } from 'fastify'
import grant from 'grant'
import t, { type Test } from 'tap'
import session, { type SessionOptions } from '../../index.js'
import { freePort } from '../fixtures/free-port.js'
import { client, startProvider } from '../fixtures/oauth-provider.js'
import { everyStore, memoryStore } from '../fixtures/stores.js'
import { WebBrowser } from '../fixtures/web-browser.js'

interface Site {
  readonly origin: string
  readonly start: string
  readonly callback: string
}

type OpenSite = (t: Test, options: SessionOptions) => Promise<Site>

/** The pages that both sites have. */
function addPages (app: FastifyInstance): void {
  app.get('/', async ({ session }) => session.data())
  app.get('/put/:key', async ({ session, params }) => session.set((params as { key: string }).key, 1))
}

const withGrant: OpenSite = async (t, options) => {
  const provider = await startProvider(t)
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  await app.register(session, options)
  await app.register(grant.default.fastify({
    defaults: { origin, transport: 'session', state: true, pkce: true },
    home: {
      oauth: 2,
      key: client.id,
      secret: client.secret,
      authorize_url: `${provider}/authorize`,
      access_url: `${provider}/token`,
      callback: '/arrived'
    }
  }))
  addPages(app)
  app.get('/arrived', async ({ session }, reply) => {
    const { response } = session.get('grant') as { response: { access_token?: string, error?: string } }
    if (response.access_token === undefined) return reply.code(403).send(response.error)
    session.regenerate(['cart'])
    session.set('token', response.access_token)
    return reply.redirect('/')
  })
  await app.listen({ port, host: '127.0.0.1' })
  return { origin, start: `${origin}/connect/home`, callback: `${origin}/connect/home/callback` }
}

const withOAuth2: OpenSite = async (t, options) => {
  const provider = await startProvider(t)
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  await app.register(session, options)
  await app.register(oauth2, {
    name: 'home',
    credentials: { client, auth: { authorizeHost: provider, authorizePath: '/authorize', tokenHost: provider, tokenPath: '/token' } },
    startRedirectPath: '/login/home',
    callbackUri: (request) => `${request.protocol}://${request.host}/login/home/callback`,
    pkce: 'S256'
  })
  addPages(app)
  const { home } = app as unknown as { home: OAuth2Namespace }
  app.get('/login/home/callback', async (request, reply) => {
    try {
      const { token } = await home.getAccessTokenFromAuthorizationCodeFlow(request, reply)
      request.session.regenerate(['cart'])
      request.session.set('token', token.access_token)
    } catch (error) {
      return reply.code(403).send(String(error))
    }
    return reply.redirect('/')
  })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  return { origin, start: `${origin}/login/home`, callback: `${origin}/login/home/callback` }
}

const tokenOfAnn = 'token of ann for shop'

for (const { kind, makeStore } of everyStore) {
  for (const [plugin, openSite] of Object.entries({ grant: withGrant, '@fastify/oauth2': withOAuth2 })) {
    t.test(`on ${kind}, with ${plugin}`, async (t) => {
      const { origin, start, callback } = await openSite(t, { store: makeStore() })

      await t.test('a user goes to the other site and comes back to the session he left', async (t) => {
        const browser = new WebBrowser()
        await browser.enter(`${origin}/put/cart`)
        await browser.enter(`${origin}/put/planted`)
        const before = browser.cookiesOf(origin)
        const agree = await browser.click(start)
        t.not(agree.url.origin, origin)
        const home = await browser.click(agree.body)
        t.equal(home.url.href, `${origin}/`)
        t.same(JSON.parse(home.body), { cart: 1, token: tokenOfAnn }, 'the login kept what it was to keep')
        t.same(browser.namesOf(origin), ['sid'], 'the cookies of the round trip are gone')
        t.equal(await (await fetch(origin, { headers: { cookie: before } })).text(), '{}', 'the old id is dead')
      })

      await t.test('a visitor without a session comes back to one', async (t) => {
        const browser = new WebBrowser()
        const home = await browser.click((await browser.enter(start)).body)
        t.same(JSON.parse(home.body), { token: tokenOfAnn })
      })

      await t.test('a code that another browser asked for logs nobody in', async (t) => {
        const [attacker, victim] = [new WebBrowser(), new WebBrowser()]
        const { body } = await attacker.enter(start)
        const isStranger = async (title: string) => t.same(Object.keys(JSON.parse((await victim.enter(origin)).body)).filter((key) => key !== 'grant'), ['cart'], title)
        await victim.enter(`${origin}/put/cart`)
        await victim.enter(body)
        await isStranger('out of the blue')
        await victim.enter(start)
        await victim.click(body)
        await isStranger('in the middle of a login of its own')
        await victim.enter(`${callback}?code=guessed&state=guessed`)
        await isStranger('guessed')
      })
    })
  }
}

t.test('a session cookie with SameSite=Strict does not come back from the other site: grant finds no login to finish, and begins a new session', async (t) => {
  const { origin, start } = await withGrant(t, { store: memoryStore(), cookie: { sameSite: 'strict' } })
  const browser = new WebBrowser()
  await browser.enter(`${origin}/put/cart`)
  const { url } = await browser.click((await browser.click(start)).body)
  t.match(url.search, /^\?error=/)
  t.same(JSON.parse((await browser.enter(origin)).body), { grant: {} })
})
