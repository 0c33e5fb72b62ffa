// What an open browser on an empty desk must not do: who logged in more than five minutes ago does so again.
import { requireSession } from 'fastify-keep'
import { signedOut } from './devices.js'
import { form } from './forms.js'

const MIN_LENGTH = 8

export default async function settings (app, { users }) {
  app.addHook('onRequest', requireSession('email', { redirectTo: '/login', fresh: '5m' }))

  // A guard redirects only browsers that open a page; this form was sent too late
  app.setErrorHandler((error, request, reply) => {
    if (error.statusCode !== 401) throw error
    return reply.redirect('/login?returnTo=/settings', 303)
  })

  const page = ({ session }, reply, message) => {
    const { email, sessionId, createdAt, expiresAt } = session
    return reply.page('settings', { email, sessionId, createdAt, expiresAt, message })
  }

  app.get('/', (request, reply) => page(request, reply))

  app.post('/password', form('password'), async (request, reply) => {
    const { session, body: { password = '' } } = request
    if (password.length < MIN_LENGTH) {
      return page(request, reply.code(400), `A password has at least ${MIN_LENGTH} characters`)
    }
    await users.changePassword(session.email, password)
    // Everybody who knew the old one is out: all other devices, and older cookies of this one
    session.reauthenticated()
    const ended = await app.sessions.revokeAll(session.email, { except: session })
    session.set('flash', `Your password is changed. ${signedOut(ended)}`)
    return reply.redirect('/devices', 303)
  })
}
