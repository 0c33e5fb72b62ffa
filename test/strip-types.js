// Lets Node.js run TypeScript, as newer versions of it do by themselves: blanks out
// the types, so that lines and columns stay what they are, for coverage and stack traces.
import { register } from 'node:module'

register('./strip-types-hooks.js', import.meta.url)
