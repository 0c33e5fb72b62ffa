// express-session on @fastify/express, with the two options its documentation
// recommends for sessions that need no more.
import express from '@fastify/express'
import session from 'express-session'
import { serve } from '../serve.js'

await serve(async (app) => {
  await app.register(express)
  app.use(session({
    secret: 'a secret of at least thirty-two characters',
    resave: false,
    saveUninitialized: false,
    cookie: { secure: false, httpOnly: true, sameSite: 'lax', path: '/' }
  }))
}, {
  get: ({ raw }, key) => raw.session[key],
  index: ({ raw }, key) => raw.session[key],
  set: ({ raw }, key, value) => { raw.session[key] = value }
})
