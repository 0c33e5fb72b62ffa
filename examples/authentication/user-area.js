// Everything in this plugin's scope is for those who are logged in.
import { requireSession } from 'fastify-keep'
import { form } from './forms.js'

export default async function userArea (app) {
  app.addHook('onRequest', requireSession('email', { redirectTo: '/login' }))

  app.get('/', (request, reply) => {
    const { email, notes = [] } = request.session
    return reply.page('user', { email, notes })
  })

  app.get('/notes', (request, reply) => {
    return reply.page('notes', { notes: request.session.get('notes') ?? [] })
  })

  app.post('/notes', form('text'), (request, reply) => {
    const { session, body } = request
    const text = (body.text ?? '').trim().slice(0, 200)
    if (text !== '') {
      session.notes ??= []
      session.notes.push(text) // a change inside a value is saved as well
    }
    return reply.redirect('/user/notes', 303)
  })
}
