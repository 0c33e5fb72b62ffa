// Lets Node.js run TypeScript, as newer versions of it do by themselves: blanks out
// the types, so that lines and columns stay what they are, for coverage and stack traces.
import { register } from 'node:module'

// hundreds of modules that need no stripping: faster before the hooks are there
if (process.argv[1]?.endsWith('.test.ts')) await import('tap')

register('./strip-types-hooks.js', import.meta.url)
