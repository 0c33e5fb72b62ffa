// The same sessions and users in every process: on a Redis or Valkey server.
import { RedisStore } from 'fastify-keep/redis'
import { createClient } from 'redis'
import { demo } from './users.js'

const KEY = 'demo:passwords'

export async function connect (url) {
  const client = createClient({ url })
  client.on('error', (error) => console.error(`Redis: ${error.message}`))
  await client.connect()
  await client.hSetNX(KEY, demo.email, demo.password)
  return {
    store: new RedisStore({ client }),
    users: {
      isPassword: async (email, password) => await client.hGet(KEY, email) === password,
      changePassword: async (email, password) => { await client.hSet(KEY, email, password) }
    }
  }
}
