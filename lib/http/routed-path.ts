// Whether a request is at a path, as Fastify's router sees it. Guards let requests
// through by this, so it never takes two paths for one that the router tells apart.
import type { FastifyRequest } from 'fastify'

interface RouterOptions {
  readonly caseSensitive?: boolean
  readonly ignoreTrailingSlash?: boolean
  readonly ignoreDuplicateSlashes?: boolean
  readonly useSemicolonDelimiter?: boolean
}

/** Whether the router leads this request to what it would lead the path to. */
export function isAt (request: FastifyRequest, path: string): boolean {
  const options = routerOptions(request)
  const wanted = decodedPath(path, options)
  if (wanted === null) return false
  if (decodedPath(request.raw.url ?? '', options) === wanted) return true
  const { url } = request.routeOptions
  // one handler answers every spelling of a static route; with parameters and wildcards it may tell them apart
  return url !== undefined && isStatic(url) && folded(literal(url), options) === folded(wanted, options)
}

/**
 * Whether the client asked for the path and `rewriteUrl` took a prefix from it or put one in front. A rewrite to
 * another path proves nothing: it may follow a header that the client chose.
 */
export function isPrefixedTo (request: FastifyRequest, path: string): boolean {
  const options = routerOptions(request)
  const routed = decodedPath(request.raw.url ?? '', options)
  const wanted = decodedPath(path, options)
  if (routed === null || wanted === null || decodedPath(request.originalUrl, options) !== wanted) return false
  return isNamed(routed) && isNamed(wanted) && (routed.endsWith(wanted) || wanted.endsWith(routed))
}

/** The path of an address, as the router decodes it; `null` when it cannot be decoded. */
export function decodedPath (address: string, { useSemicolonDelimiter = false }: RouterOptions = {}): string | null {
  const [path = ''] = address.replace(/^https?:\/\/[^/?#]*/i, '').split(useSemicolonDelimiter ? /[?#;]/ : /[?#]/, 1)
  try {
    // the router leaves reserved characters and the percent sign encoded
    return decodeURI(path.replaceAll('%25', '%2525'))
  } catch {
    return null
  }
}

/** Fastify knows these options by two places; the newer one holds. */
function routerOptions ({ server: { initialConfig } }: FastifyRequest): RouterOptions {
  const config = initialConfig as RouterOptions & { routerOptions?: RouterOptions }
  return config.routerOptions ?? config
}

function isStatic (pattern: string): boolean {
  return !/[:*]/.test(pattern.replaceAll('::', ''))
}

/** What a static pattern matches: `::` is a colon, and a percent sign is one that came encoded. */
function literal (pattern: string): string {
  return pattern.replaceAll('::', ':').replaceAll('%', '%25')
}

/** Different spellings of one path, where the router takes them for one. */
function folded (path: string, { caseSensitive = true, ignoreTrailingSlash = false, ignoreDuplicateSlashes = false }: RouterOptions): string {
  const single = ignoreDuplicateSlashes ? path.replace(/\/{2,}/g, '/') : path
  const trimmed = ignoreTrailingSlash && single.length > 1 && single.endsWith('/') ? single.slice(0, -1) : single
  return caseSensitive ? trimmed : trimmed.toLowerCase()
}

function isNamed (path: string): boolean {
  return /[^/]/.test(path)
}
