// The glossary of CONTRIBUTING.md: one word per idea. What it replaces does not come back.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'

const root = new URL('../', import.meta.url).pathname

const forbidden: ReadonlyArray<readonly [word: RegExp, instead: string]> = [
  [/mend(s|ed|ing)?/, 'fix or hint'],
  [/whoever/, 'everybody who, the user who'],
  [/for ever/, 'forever, without end, or how long'],
  [/meanwhile/, 'in the meantime, or when'],
  [/(carr(y|ies|ied|ying) (it |that |them )?out|carr(y|ies|ied) a \w+ out)/, 'do, apply, take effect'],
  [/(go|goes|going|went) along/, 'are kept, follow'],
  [/(is|are|was|were) over/, 'expired or ended'],
  [/nobody's business/, 'private'],
  [/riddle/, 'question'],
  [/gone/, 'absent, expired or ended'],
  [/broken/, 'corrupt, or what is wrong with it'],
  [/damaged/, 'corrupt']
]

async function filesIn (folder: string, extension: string): Promise<string[]> {
  const files = await readdir(join(root, folder), { recursive: true })
  return files.map((file) => join(folder, file)).filter((file) => file.endsWith(extension))
}

async function texts (): Promise<string[]> {
  const documents = (await readdir(join(root, 'docs'))).filter((file) => file.endsWith('.md')).map((file) => join('docs', file))
  return ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'index.ts', ...documents, ...await filesIn('decisions', '.md'), ...await filesIn('lib', '.ts'), ...await filesIn('types', '.ts')]
}

t.test('words that the glossary replaced appear nowhere', async (t) => {
  const found: string[] = []
  for (const file of await texts()) {
    const lines = (await readFile(join(root, file), 'utf8')).split('\n')
    lines.forEach((line, index) => {
      for (const [word, instead] of forbidden) {
        const match = new RegExp(`\\b${word.source}\\b`, 'i').exec(line)
        if (match !== null) found.push(`${file}:${index + 1} says "${match[0]}"; say ${instead}`)
      }
    })
  }
  t.same(found, [])
})

t.test('every word of the glossary has its row', async (t) => {
  const text = await readFile(join(root, 'CONTRIBUTING.md'), 'utf8')
  for (const word of ['absent', 'expired', 'ended', 'corrupt', 'pending', 'confirmed']) t.match(text, `| ${word} |`)
})
