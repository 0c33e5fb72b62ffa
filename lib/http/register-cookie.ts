// @fastify/cookie, for apps that have not registered it themselves.
import cookie from '@fastify/cookie'
import type { FastifyInstance } from 'fastify'
import { CookieOrderError } from '../errors.js'

/** Registers @fastify/cookie unless the app has. From then on registering it again throws a `CookieOrderError`. */
export async function registerCookie (app: FastifyInstance): Promise<void> {
  if (app.hasDecorator('serializeCookie')) return
  await app.register(cookie)
  explainSecondOne(app)
}

/**
 * Fastify would say that a decorator is already present, and not why. There is no hook
 * for a plugin that shares our scope, but this decorator is the first thing that
 * @fastify/cookie adds. Scopes inside inherit this: there too it can only fail.
 */
function explainSecondOne (app: FastifyInstance): void {
  const decorate = app.decorate as (this: FastifyInstance, ...given: unknown[]) => FastifyInstance
  const explaining: typeof decorate = function (...given) {
    if (given[0] === 'serializeCookie') throw new CookieOrderError()
    return decorate.apply(this, given)
  }
  app.decorate = explaining as FastifyInstance['decorate']
}
