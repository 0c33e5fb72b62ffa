// Which test files a shorter run takes.
import { readdirSync } from 'node:fs'

/** What no Node.js changes: lint, types, the tarball, the reference, the site, the words and the examples in a browser; and what is measured on the line in use alone. */
const SAME_ON_EVERY_NODE = /^(api-reference|package|imports|site|words|stores\/memory-store-bytes)\.test\.ts$|^(examples|browser)\b/

/** What is about servers and packages of others, and the long searches of the models. */
const NOT_CORE = /^(ecosystem|browser|model|moving|consumers|redis-|postgres-|proxies|store-suite|stores\/(redis|postgres|express))/

/** What another Node.js might change. */
export function testsOfNode () {
  return testsBut(SAME_ON_EVERY_NODE)
}

/** What needs neither a browser nor a server, and takes little time. */
export function coreTests () {
  return testsBut(SAME_ON_EVERY_NODE, NOT_CORE)
}

function testsBut (...leftOut) {
  const files = readdirSync('test', { recursive: true }).map((file) => file.replaceAll('\\', '/'))
  return files.filter((file) => file.endsWith('.test.ts') && !leftOut.some((pattern) => pattern.test(file))).map((file) => `test/${file}`)
}
