// The snippets of docs/owners.md run.
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { Browser, gate } from './fixtures/app.js'
import { trySnippets } from './fixtures/snippets.js'

// the snippet's own module finds them by name
const [checking, changed] = [gate(), gate()]
Object.assign(globalThis, { checking, changed })

async function login (app: FastifyInstance, body: object, headers: Record<string, string> = {}): Promise<Browser> {
  const browser = new Browser(app)
  await browser.visit('/login', { method: 'POST', body, headers })
  return browser
}

const post = (browser: Browser, url: string, body: object = {}) => browser.visit(url, { method: 'POST', body })

await trySnippets('docs/owners.md', {
  async devices (t, app) {
    const [phone, desk, other] = [await login(app, { userId: 1 }, { 'user-agent': 'a phone' }), await login(app, { userId: 1 }), await login(app, { userId: 2 })]
    const devices = (await desk.visit('/devices')).json()
    t.equal(devices.length, 2)
    const { sessionId } = devices.find(({ about }: { about: { agent: string } }) => about.agent === 'a phone')
    t.same((await post(other, '/devices/end', { sessionId })).json(), { ended: false })
    t.same((await post(desk, '/devices/end', { sessionId })).json(), { ended: true })
    t.equal((await phone.visit('/devices')).statusCode, 401)
    await login(app, { userId: 1 })
    t.same((await post(desk, '/devices/end-others')).json(), { ended: 1 })
    t.match((await desk.visit('/devices')).json(), [{ current: true }])
    for (let index = 0; index < 6; index++) await login(app, { userId: 3 })
    t.equal((await app.sessions.list(3)).length, 5)
  },

  async refuse (t, app) {
    await login(app, {})
    await login(app, {})
    const third = await new Browser(app).visit('/login', { method: 'POST', body: {} })
    t.equal(third.statusCode, 409)
    t.match(third.body, /two devices/)
  },

  async credentials (t, app) {
    const [here, there] = [await login(app, { userId: 1, password: 'old' }), await login(app, { userId: 1, password: 'old' })]
    t.equal((await there.visit('/me')).body, '1')
    // the password of this one is checked before the change, and it is stored after it
    const late = new Browser(app)
    const slow = late.visit('/login', { method: 'POST', body: { userId: 1, password: 'old slow' } })
    await checking.passed
    t.same((await post(here, '/password', { password: 'new' })).json(), { ended: 1 })
    changed.open()
    t.equal((await slow).statusCode, 200)
    t.same(await Promise.all([here, there, late].map(async (each) => (await each.visit('/me')).statusCode)), [200, 401, 401])
    t.equal((await new Browser(app).visit('/login', { method: 'POST', body: { userId: 1, password: 'old' } })).statusCode, 401)
  },

  async events (t, app) {
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { headers, sessionId } = await app.sessions.issue({ userId: 42 })
    const response = await fetch(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}/events`, { headers })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    t.match((await reader.read()).value, /event: begun/)
    await app.sessions.revoke(sessionId)
    t.match((await reader.read()).value, /event: ended\ndata: revoked/)
    t.equal((await reader.read()).done, true)
  }
}, {
  credentials: async (_t, code) => code
    .replace(/declare const users.*\n/, "const users = new Map([[1, { password: 'old', version: 1 }]])\n")
    .replace(/declare function verify.*\n/, 'const verify = async (given: string, stored: string) => { if (!given.includes("slow")) return given === stored; checking.open(); await changed.passed; return true }\n')
})
