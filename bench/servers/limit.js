// What any session plugin is measured against: cookies are parsed, a new visitor
// gets a cookie that cannot be guessed, and the values are simply there.
import { randomUUID } from 'node:crypto'
import cookie from '@fastify/cookie'
import { serve } from '../serve.js'

const values = {}

await serve((app) => app.register(cookie), {
  get: (_request, key) => values[key],
  index: (_request, key) => values[key],
  set: (_request, key, value) => { values[key] = value },
  begin: (reply) => reply.setCookie('sid', randomUUID(), { path: '/', httpOnly: true, sameSite: 'lax' })
})
