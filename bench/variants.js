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

export const variants = MEMORY.map((variant) => ({
  without: [], ...variant, file: new URL(`servers/${variant.name}.js`, import.meta.url)
}))
