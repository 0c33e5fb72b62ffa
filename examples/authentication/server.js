// Starts the example: on its own, with SQLITE on a file, or with REDIS_URL or POSTGRES_URL in two processes that share their sessions.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { buildApp } from './app.js'
import { demo } from './users.js'

const { PORT = '3000', HOST = '127.0.0.1', REDIS_URL, POSTGRES_URL, SQLITE } = process.env
const isSecond = process.send !== undefined

if ((REDIS_URL || POSTGRES_URL) && !isSecond) {
  const next = Number(PORT) === 0 ? 0 : Number(PORT) + 1 // 0: any port that is free
  fork(fileURLToPath(import.meta.url), { env: { ...process.env, PORT: String(next) } })
}

const app = buildApp({ forceCloseConnections: true, ...await place() })
const address = await app.listen({ port: Number(PORT), host: HOST })
console.log(isSecond
  ? `and at ${address}, with the same sessions`
  : `The example runs at ${address}\nLog in with ${demo.email} and the password ${demo.password}`)

process.once('disconnect', () => process.exit()) // the second ends with the first

// What is under way is answered and saved first
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => app.close().finally(() => process.exit()))
}

/** Where sessions and users are kept. */
async function place () {
  if (REDIS_URL || POSTGRES_URL) {
    const { connect } = await import(REDIS_URL ? './redis.js' : './postgres.js')
    const { store, users } = await connect(REDIS_URL || POSTGRES_URL)
    return { session: { store }, users }
  }
  if (SQLITE) {
    const { openStore } = await import('./sqlite.js')
    return { session: { store: await openStore(SQLITE) } }
  }
  return {}
}
