// What each part of a session adds to a read-only request, in CPU time: the same
// request to servers that go one step further each.
import { cases } from './cases.js'
import { measureCase } from './requests.js'
import { variants } from './variants.js'

const step = (name) => ({ name, file: new URL('servers/step.js', import.meta.url), args: [name] })
const variant = (name) => variants.find((each) => each.name === name)

/** In the order of their coming: what is new, and why it stays. */
export const steps = [
  { server: variant('limit'), title: 'Fastify with @fastify/cookie (the limit)', why: '' },
  { server: step('hooks'), title: 'two hooks, two properties of the request', why: 'before the handler, and before the headers' },
  { server: step('token'), title: 'the token found in the cookies, checked and hashed', why: 'SHA-256, for the store must never see what opens a session' },
  { server: step('record'), title: 'the record looked up and checked', why: 'a key of 43 characters in a table larger than the processor\'s caches; what comes in is not believed' },
  { server: step('session'), title: 'the session and what is pending, the time limit of the store, the decision that nothing is to be saved', why: "`session['key']` is a proxy, changes inside values are found, and every store call is bounded" },
  { server: variant('keep'), title: 'a value read, and `Vary: Cookie`', why: 'decoded when asked for; caches must know' }
]

export function measureSteps (load, settings) {
  return measureCase(load, cases.find(({ name }) => name === 'read'), steps.map(({ server }) => server), settings)
}
