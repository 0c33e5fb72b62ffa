// The work that every server does: the same handlers, over each peer's own way to
// get and set a value.
import { large, small } from './cases.js'

/**
 * @param app the Fastify instance
 * @param access what the peer offers: `get(request, key)`, `index(request, key)`,
 *   `set(request, key, value)`, and `begin(reply)` where a session has to be begun
 */
export function addRoutes (app, { get, index, set, begin = () => {} }) {
  app.get('/untouched', async () => ({ count: 0 }))
  app.get('/read', async (request) => ({ count: get(request, 'count') }))
  app.get('/read-index', async (request) => ({ count: index(request, 'count') }))

  app.post('/write', async (request) => {
    const count = get(request, 'count') + 1
    set(request, 'count', count)
    return { count }
  })

  app.post('/first-write', async (request, reply) => {
    begin(reply)
    set(request, 'count', 1)
    return { count: 1 }
  })

  for (const [name, values] of Object.entries({ small, large })) {
    app.post(`/seed/${name}`, async (request, reply) => {
      begin(reply)
      for (const key of Object.keys(values)) set(request, key, values[key])
      return { count: values.count }
    })
  }
}
