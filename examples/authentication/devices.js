// Where a user is logged in. One device can be signed out, or all others; they hear of it at once.
import { Readable } from 'node:stream'
import { requireSession } from 'fastify-keep'
import { form } from './forms.js'

/** What is remembered of the browser at a login. Nothing else about it is kept. */
export function describeDevice ({ headers: { 'user-agent': agent = '' } }) {
  const browser = ['Firefox', 'Edg', 'OPR', 'Chrome', 'Safari'].find((name) => agent.includes(`${name}/`))
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS', 'Linux'].find((name) => agent.includes(name))
  const shown = { Edg: 'Edge', OPR: 'Opera' }[browser] ?? browser
  return { device: [shown ?? 'A browser', system].filter(Boolean).join(' on ') }
}

export default async function devices (app) {
  app.addHook('onRequest', requireSession('email', { redirectTo: '/login' }))

  app.get('/', async ({ session }, reply) => {
    const sessions = await app.sessions.list(session.email, { current: session })
    return reply.page('devices', { sessions })
  })

  app.post('/end', form('sessionId'), async ({ session, body }, reply) => {
    // with the owner, so that nobody ends what is not theirs
    const hasEnded = await app.sessions.revoke(body.sessionId ?? '', { owner: session.email })
    session.set('flash', hasEnded ? 'That device is signed out' : 'That device was signed out before')
    return reply.redirect('/devices', 303)
  })

  app.post('/end-others', async ({ session }, reply) => {
    session.set('flash', signedOut(await app.sessions.revokeAll(session.email, { except: session })))
    return reply.redirect('/devices', 303)
  })

  const streams = new Set()
  app.addHook('preClose', async () => { for (const stream of streams) stream.destroy() })

  // Server-sent events, read by live.js: one event, when the session ends
  app.get('/events', (request, reply) => {
    const { signal } = request.session
    const stream = new Readable({ read () {} })
    const leave = () => {
      stream.push(`event: ended\ndata: ${signal.reason.reason}\n\n`)
      stream.push(null)
    }
    streams.add(stream)
    stream.once('close', () => {
      streams.delete(stream)
      signal.removeEventListener('abort', leave)
    })
    request.raw.once('close', () => stream.destroy())
    stream.push(': listening\n\n')
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave)
    reply.header('cache-control', 'no-store').type('text/event-stream')
    return reply.send(stream)
  })
}

/** Says how many others there were. */
export function signedOut (count) {
  if (count === 0) return 'You are logged in nowhere else'
  return count === 1 ? 'One other device is signed out' : `${count} other devices are signed out`
}
