import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'

const browserGlobals = { addEventListener: 'readonly', EventSource: 'readonly', document: 'readonly', location: 'readonly' }

export default [
  ...neostandard({ ts: true, ignores: resolveIgnoresFromGitignore() }),
  { files: ['examples/authentication/public/*.js'], languageOptions: { globals: browserGlobals } }
]
