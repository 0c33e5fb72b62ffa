// The same sessions in every process: on a Redis or Valkey server.
import { RedisStore } from 'fastify-keep/redis'
import { createClient } from 'redis'

export async function connect (url) {
  const client = createClient({ url })
  client.on('error', (error) => console.error(`Redis: ${error.message}`))
  await client.connect()
  return new RedisStore({ client })
}
