// A path, as Fastify's router reads it.
import Fastify, { type FastifyRequest } from 'fastify'
import t from 'tap'
import { decodedPath, isAt, isPrefixedTo } from '../lib/http/routed-path.js'

t.test('a path is decoded as the router does it, and one that cannot be decoded is none', (t) => {
  t.equal(decodedPath('/%E2%82%AC?a=1#b'), '/€')
  t.equal(decodedPath('/a%2Fb%25'), '/a%2Fb%25', 'reserved characters and the percent sign stay')
  t.equal(decodedPath('http://example.com/a'), '/a')
  t.equal(decodedPath('/a;b'), '/a;b')
  t.equal(decodedPath('/a;b', { useSemicolonDelimiter: true }), '/a')
  t.equal(decodedPath('/%E0%A4%A'), null)
  t.equal(decodedPath('/%zz'), null)
  t.end()
})

t.test('no request is at a path that cannot be decoded', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/*', async (request) => ['/%zz', '/a'].map((path) => isAt(request, path)))
  t.same((await app.inject('/a')).json(), [false, true])
})

t.test('a request of a router that says nothing of itself is read as the router does by default', async (t) => {
  const at = (url: string | undefined, path: string, route?: string) => isAt({ raw: { url }, originalUrl: url, routeOptions: { url: route }, server: { initialConfig: {} } } as unknown as FastifyRequest, path)
  t.equal(at('/a', '/a'), true)
  t.equal(at('/A', '/a'), false)
  t.equal(at('/a/', '/a'), false)
  t.equal(at('//a', '/a'), false)
  t.equal(at(undefined, '/a'), false)
  t.equal(at(undefined, ''), true)
  t.equal(at('/b', '/a', '/a'), true, 'a static route has one handler for every spelling')
  t.equal(isPrefixedTo({ raw: {}, originalUrl: '/a', server: { initialConfig: {} } } as unknown as FastifyRequest, '/a'), false)
})

t.test('spellings that the router takes for one are one on a static route', async (t) => {
  const at = (options: object, path: string, route = '/a') => isAt({ raw: { url: '/b' }, originalUrl: '/b', routeOptions: { url: route }, server: { initialConfig: { routerOptions: options } } } as unknown as FastifyRequest, path)
  t.same([at({ caseSensitive: false }, '/A'), at({}, '/A')], [true, false])
  t.same([at({ ignoreTrailingSlash: true }, '/a/'), at({}, '/a/')], [true, false])
  t.same([at({ ignoreTrailingSlash: true }, '/', '/'), at({ ignoreTrailingSlash: true }, '/')], [true, false])
  t.same([at({ ignoreDuplicateSlashes: true }, '//a'), at({}, '//a')], [true, false])
})
