// Routes that other sites may call with a user's session.
import { inspect } from 'node:util'
import type { FastifyRequest, RouteOptions } from 'fastify'
import { InvalidOptionError } from '../errors.js'

/** Whether requests with a session may come from other sites. */
export type CrossSitePolicy = 'deny' | 'allow'

interface Config {
  crossSite?: unknown
}

/** By the route's `config: { crossSite }`, and without one by the registration's. */
export function mayComeFromAnywhere (request: FastifyRequest, policy: CrossSitePolicy): boolean {
  const { crossSite = policy } = request.routeOptions.config as Config
  return crossSite === 'allow'
}

/** For every route: throws an `InvalidOptionError` for a `crossSite` that is neither `'allow'` nor `'deny'`. */
export function checkCrossSite ({ config, url }: RouteOptions): void {
  const { crossSite } = (config as Config | undefined) ?? {}
  if (crossSite === undefined || crossSite === 'allow' || crossSite === 'deny') return
  throw new InvalidOptionError(`config.crossSite of the route ${url}`, inspect(crossSite, { depth: -1, maxStringLength: 80 }), "give 'allow' or 'deny'")
}
