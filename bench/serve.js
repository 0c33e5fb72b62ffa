// A server process: tells its parent the port, and when asked the CPU time it has
// used so far (user and system, all its threads) and the memory it holds.
import Fastify from 'fastify'
import { addRoutes } from './routes.js'

export async function serve (register, access, fill = async () => {}) {
  const app = Fastify()
  await register(app)
  addRoutes(app, access)
  await app.listen({ host: '127.0.0.1', port: 0 })

  process.on('message', async (question) => {
    if (question === 'fill') await fill(app)
    if (question === 'memory') for (let pass = 0; pass < 3; pass++) globalThis.gc()
    const { user, system } = process.cpuUsage()
    const { heapUsed, external } = process.memoryUsage()
    process.send({ cpu: user + system, memory: heapUsed + external })
  })
  process.on('disconnect', () => process.exit())
  process.send({ port: app.server.address().port })
}
