// The types of an app with @fastify/flash and @fastify/passport, set up as docs/ecosystem.md
// says. Theirs come first: without the path they would bring another request.session along.
import '@fastify/flash'
import '@fastify/passport'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { expect, test } from 'tstyche'
import type { Session } from '../../../index.js'

declare const request: FastifyRequest
declare const reply: FastifyReply

test('request.session is ours', () => {
  expect(request.session).type.toBe<Session>()
})

test('flash and passport have their types', () => {
  expect(request.flash).type.toBeCallableWith('info', 'saved')
  expect(reply.flash('info')).type.not.toRaiseError()
  expect(request.logOut).type.toBe<(this: FastifyRequest) => Promise<void>>()
})
