// Hooks for modules: https://nodejs.org/api/module.html#customization-hooks
// The compiler takes longer to start than most tests run, so what it made of a file is kept for the next process.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const { version } = createRequire(import.meta.url)('@swc/wasm-typescript/package.json')
const kept = fileURLToPath(new URL('../node_modules/.cache/stripped-types/', import.meta.url))
mkdirSync(kept, { recursive: true })

/** Sources import each other by the name that they have when compiled. */
export async function resolve (specifier, context, nextResolve) {
  if (!specifier.startsWith('.') || !specifier.endsWith('.js') || context.parentURL?.endsWith('.ts') !== true) return nextResolve(specifier, context)
  const url = new URL(specifier.replace(/js$/, 'ts'), context.parentURL)
  return nextResolve(existsSync(url) ? url.href : specifier, context)
}

export async function load (url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context)
  const { source } = await nextLoad(url, { ...context, format: 'module' })
  return { format: 'module', shortCircuit: true, source: await stripped(source.toString()) }
}

async function stripped (source) {
  const file = kept + createHash('sha256').update(version).update(source).digest('hex')
  try {
    return readFileSync(file, 'utf8')
  } catch {
    const { transformSync } = await import('@swc/wasm-typescript')
    const { code } = transformSync(source, { mode: 'strip-only' })
    // another process must not read half of it
    writeFileSync(`${file}.${process.pid}`, code)
    renameSync(`${file}.${process.pid}`, file)
    return code
  }
}
