// This package on the store that the command line names, at the address behind it.
import Libsql from 'libsql'
import pg from 'pg'
import { createClient } from 'redis'
import cookie from '@fastify/cookie'
import session, { MemoryStore } from 'fastify-keep'
import { fromPg, PostgresStore } from 'fastify-keep/postgres'
import { RedisStore } from 'fastify-keep/redis'
import { SqliteStore } from 'fastify-keep/sqlite'
import { serve } from '../serve.js'

const hasNodeSqlite = process.getBuiltinModule('node:sqlite') !== undefined

const stores = {
  memory: async () => new MemoryStore({ maxSessions: 10_000_000 }),
  sqlite: async (path) => new SqliteStore(hasNodeSqlite ? { path } : { database: new Libsql(path) }),
  postgres: async (connectionString) => {
    const store = new PostgresStore(fromPg(new pg.Pool({ connectionString })))
    await store.migrate()
    return store
  },
  redis: async (url) => new RedisStore({ client: await createClient({ url }).connect() })
}

const [, , kind, address] = process.argv
const store = await stores[kind](address)

await serve(async (app) => {
  await app.register(cookie)
  await app.register(session, { store })
  app.post('/login', async ({ session }) => {
    session.regenerate()
    session.set('userId', 42)
    return { userId: 42 }
  })
}, {
  get: (request, key) => request.session.get(key),
  index: (request, key) => request.session[key],
  set: (request, key, value) => request.session.set(key, value)
})
