// Who is measured, each in a server process of its own.

const MEMORY = [
  { name: 'limit', title: '@fastify/cookie alone (the limit)' },
  { name: 'keep', title: 'fastify-keep' },
  { name: 'keep-signed', title: 'fastify-keep with a secret' },
  { name: 'fastify-session', title: '@fastify/session, its defaults' },
  { name: 'fastify-session-tuned', title: '@fastify/session, tuned' },
  // browsers ignore a cookie of more than 4 KB, and Node refuses headers of more than 16 KB
  { name: 'secure-session', title: '@fastify/secure-session', without: ['large'] },
  { name: 'express-session', title: 'express-session on @fastify/express' }
]

const REDIS = [
  { name: 'keep-redis', title: 'fastify-keep on Redis' },
  { name: 'fastify-session-redis', title: '@fastify/session, tuned, with connect-redis' }
]

const complete = (variant) => ({ without: [], ...variant, file: new URL(`servers/${variant.name}.js`, import.meta.url) })

export const variants = MEMORY.map(complete)
export const redisVariants = REDIS.map(complete)
