// The paths that a guard leaves alone.
import type { FastifyRequest } from 'fastify'
import { isAt } from './routed-path.js'

/** What to write instead of an exempt path that cannot be one. */
export const EXEMPT_FIX = "give paths or route patterns such as ['/health', '/files/:id', '/public/*']; '/*' would exempt everything"

export function isExemptPath (path: unknown): path is string {
  return typeof path === 'string' && /^\/[^?#]*$/.test(path) && path !== '/*'
}

/** By the route's pattern; a path without parameters also where a wildcard, a parameter or the 404 handler answers it. */
export function isExempt (request: FastifyRequest, paths: readonly string[]): boolean {
  return paths.some((path) => {
    const { url } = request.routeOptions
    // a wildcard stands for patterns: the raw URL may hold '..' for a static file handler
    if (path.endsWith('/*')) return url?.startsWith(path.slice(0, -1)) === true
    return url === path || (!/[:*]/.test(path) && isAt(request, path))
  })
}
