// This package with one of its parts on or off, by the name on the command line.
import { randomBytes } from 'node:crypto'
import session, { requireSession } from 'fastify-keep'
import cookie from '@fastify/cookie'
import { serve } from '../serve.js'

const guards = { guard: {}, 'no-store': { noStore: true } }

const parts = {
  everything: {},
  'cross-site-off': { crossSite: 'allow' },
  validate: { validate: () => true },
  'validate-later': { validate: async () => true },
  encrypted: { encryption: [{ id: 'bench', key: randomBytes(32) }] },
  guard: {},
  'no-store': {}
}

const part = process.argv[2]

await serve(async (app) => {
  await app.register(cookie)
  await app.register(session, parts[part])
  if (part in guards) app.addHook('preHandler', requireSession('count', { ...guards[part], except: ['/seed/*'] }))
}, {
  get: (request, key) => request.session.get(key),
  index: (request, key) => request.session[key],
  set: (request, key, value) => request.session.set(key, value)
})
