// Routes that want no session, and the guards in front of them.
import type { FastifyRequest, RouteOptions } from 'fastify'
import { NotCoveredError } from '../errors.js'

/** In the config of a route that opted out and has no guard of its own. */
const outsideWalls = Symbol('fastify-keep.outsideWalls')

interface Config {
  session?: boolean
  [outsideWalls]?: true
}

/** What a guard needs: the property of a session, or `null` when it only asks a function. */
const needs = new WeakMap<object, string | null>()

/** Whether the request's route said `config: { session: false }`: then the store is left alone, and looking at the session is a mistake. */
export function hasOptedOut (request: FastifyRequest): boolean {
  return (request.routeOptions.config as Config | undefined)?.session === false
}

/** Whether the route opted out and no guard stands on the route itself: those of a scope or of the app let it pass. */
export function isOutsideWalls (request: FastifyRequest): boolean {
  return configOf(request)?.[outsideWalls] === true
}

/** Makes the guard known, so that `checkRoute` recognises it. */
export function rememberGuard (guard: object, property: string | null): void {
  needs.set(guard, property)
}

/** For every route: throws a `NotCoveredError` when it opted out of the session that a guard of its own needs. */
export function checkRoute (route: RouteOptions): void {
  const config = route.config as Config | undefined
  if (config?.session !== false) return
  const guards = [route.onRequest, route.preParsing, route.preValidation, route.preHandler].flat()
    .filter((hook) => hook !== undefined && needs.has(hook))
    .map((hook) => needs.get(hook as object) as string | null)
  const property = guards.find((each) => each !== null)
  if (property !== undefined) {
    throw new NotCoveredError(property as string, `the route ${route.url} opted out with config: { session: false }, and a guard of its own needs the session: remove one of them`)
  }
  if (guards.length === 0) route.config = { ...config, [outsideWalls]: true } as RouteOptions['config'] & object
}

function configOf (request: FastifyRequest): Config | undefined {
  return request.routeOptions.config as Config | undefined
}
