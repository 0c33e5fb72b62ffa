// A read-only request on its way from the limit to the whole package: as far as
// the step named on the command line, with the package's own functions.
import cookie from '@fastify/cookie'
import session, { MemoryStore } from 'fastify-keep'
import { readTokens } from '../../dist/lib/http/read-tokens.js'
import { encode } from '../../dist/lib/record/codec.js'
import { isExpired, isRecord } from '../../dist/lib/record/record.js'
import { standingOf } from '../../dist/lib/record/standing.js'
import { createToken, tokenOf } from '../../dist/lib/record/token.js'
import { small } from '../cases.js'
import { serve } from '../serve.js'

const HOUR = 3_600_000
const context = { config: { cookieName: 'sid', signer: null }, cookiePrefix: 'sid=' }
const store = new MemoryStore()

const work = {
  hooks: () => null,
  token: tokenIn,
  record: (request) => {
    const token = tokenIn(request)
    const record = store.read(token.id)
    const now = Date.now()
    return isRecord(record) && !isExpired(record, now) && standingOf(record, token, now) === 'current' ? record : null
  }
}

function tokenIn (request) {
  const [found] = readTokens(context, request.headers.cookie, request.cookies)
  return tokenOf('', found.token)
}

const step = process.argv[2]

if (step === 'session') {
  await serve(async (app) => {
    await app.register(cookie)
    await app.register(session)
  }, {
    get: () => 0,
    index: () => 0,
    set: (request, key, value) => request.session.set(key, value)
  })
} else {
  await serve(async (app) => {
    await app.register(cookie)
    const found = Symbol('found')
    app.decorateRequest('session', null)
    app.decorateRequest(found, null)
    app.addHook('onRequest', (request, _reply, done) => {
      if (request.headers.cookie?.includes(context.cookiePrefix)) request[found] = work[step](request)
      done()
    })
    app.addHook('onSend', (request, _reply, _payload, done) => done(request[found] === undefined ? new Error('nothing was done') : null))
  }, {
    get: () => 0,
    index: () => 0,
    set: () => {},
    begin: (reply) => reply.setCookie('sid', visitor(), { path: '/', httpOnly: true, sameSite: 'lax' })
  })
}

/** The token of a visitor whose session the store holds. */
function visitor () {
  const { id, value, verifier } = createToken('')
  const now = Date.now()
  const values = Object.fromEntries(Object.entries(small).map(([key, each]) => [key, encode(key, each)]))
  store.create(id, {
    values, createdAt: now, expiresAt: now + HOUR, absoluteExpiresAt: now + 24 * HOUR, version: 0, owner: null, about: null, lifetime: null, verifier, earlier: [], generation: 0, shown: true
  })
  return value
}
