// Hooks for modules: https://nodejs.org/api/module.html#customization-hooks
import { transformSync } from '@swc/wasm-typescript'

/** Sources import each other by the name that they have when compiled. */
export async function resolve (specifier, context, nextResolve) {
  try {
    return await nextResolve(specifier, context)
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || !specifier.endsWith('.js')) throw error
    return nextResolve(specifier.replace(/js$/, 'ts'), context)
  }
}

export async function load (url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context)
  const { source } = await nextLoad(url, { ...context, format: 'module' })
  const { code } = transformSync(source.toString(), { mode: 'strip-only' })
  return { format: 'module', shortCircuit: true, source: code }
}
