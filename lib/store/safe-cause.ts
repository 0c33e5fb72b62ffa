// What may be said of a store's failure in logs, events and errors: name, message,
// code and where it happened. Clients put the whole command into their errors
// (ioredis has `command.args`), servers echo parts of it in their messages, and
// loggers write all of it: every key and value of the session.

const MAX_MESSAGE = 300
const MAX_CAUSES = 4
const MAX_ERRORS = 8
const MAX_FRAMES = 20
const MIN_SECRET = 4

// Parts of a message that a server quotes from the command, and the parts to keep
const echoes: ReadonlyArray<[echo: RegExp, kept: string]> = [
  // Redis: unknown command 'X', with args beginning with: 'a' 'b'
  [/,? with args beginning with:[^]*/i, ''],
  // JSON.parse: Unexpected token 'a', ..."1, abc"... is not valid JSON
  [/unexpected [^]* is not valid JSON/i, 'this is not valid JSON'],
  [/"[^]*" is not valid JSON/i, 'this is not valid JSON'],
  // PostgreSQL: invalid input syntax for type json: "x"; MySQL: Duplicate entry 'x' for key
  [/(invalid input (?:syntax|value) for [^:]*):[^]*/i, '$1'],
  [/(duplicate entry) [^]* (for key)/i, '$1 … $2'],
  [/(incorrect [\w ]+ value): [^]* (for column)/i, '$1 … $2'],
  [/\{[^]*\}/, '{…}']
]

// A command, a path, an address or a name, as opposed to a value
const plainWord = /^[\w.:/@*-]{1,40}$/

/** The values that a call of the store was given, encoded. */
export type SentValues = () => readonly string[]

const NOTHING_SENT: SentValues = () => []

/** The failure of a store's function, without what it was given. The code stays, and the message says which function it was. */
export function safeCause (name: string, thrown: unknown, sent: SentValues = NOTHING_SENT): Error {
  const secrets = sent().map(asText).filter((text) => text.length >= MIN_SECRET && text !== 'true' && text !== 'false' && text !== 'null')
  const cause = cleaned(thrown, secrets, MAX_CAUSES)
  const said = cause.message === '' ? (cause as { code?: unknown }).code ?? cause.name : cause.message
  cause.message = `${name} failed: ${String(said)}`
  return cause
}

/** An answer that the contract does not know, as far as it can be shown. */
export function shownAnswer (answer: unknown): string {
  if (Array.isArray(answer)) return 'an array'
  switch (typeof answer) {
    case 'string': return /^\w{0,12}$/.test(answer) ? `'${answer}'` : `a string of ${answer.length} characters`
    case 'object': return answer === null ? 'null' : 'an object'
    case 'function': return 'a function'
    case 'bigint':
    case 'symbol': return `a ${typeof answer}`
    default: return String(answer)
  }
}

function cleaned (thrown: unknown, secrets: readonly string[], depth: number): Error {
  if (typeof thrown !== 'object' || thrown === null) {
    return new Error(typeof thrown === 'string' ? cleanedText(thrown, secrets) : `it threw ${shownAnswer(thrown)}, which is no error`)
  }
  const message = part(thrown, 'message')
  const errors = part(thrown, 'errors')
  const cause = part(thrown, 'cause')
  const text = typeof message === 'string' ? cleanedText(message, secrets) : 'it threw an object, which is no error'
  const options = cause === undefined || depth === 0 ? {} : { cause: cleaned(cause, secrets, depth - 1) }
  const error = Array.isArray(errors) && depth > 0
    ? new AggregateError(errors.slice(0, MAX_ERRORS).map((each) => cleaned(each, secrets, depth - 1)), text, options)
    : new Error(text, options)
  return dressed(error, thrown)
}

/** Name, code and frames, where they can be nothing else. */
function dressed (error: Error, thrown: object): Error {
  const name = part(thrown, 'name')
  const code = part(thrown, 'code')
  const stack = part(thrown, 'stack')
  if (isPlain(name)) Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  if (isPlain(code) || typeof code === 'number') Object.assign(error, { code })
  // the first line of a stack is the message
  const frames = typeof stack === 'string' ? stack.split('\n').filter((line) => /^\s+at /.test(line)).slice(0, MAX_FRAMES) : []
  error.stack = [`${error.name}: ${error.message}`, ...frames].join('\n')
  return error
}

function isPlain (value: unknown): value is string {
  return typeof value === 'string' && plainWord.test(value)
}

/** Getters may throw. */
function part (thrown: object, name: string): unknown {
  try {
    return (thrown as Record<string, unknown>)[name]
  } catch {
    return undefined
  }
}

function cleanedText (message: string, secrets: readonly string[]): string {
  let text = message
  for (const [echo, kept] of echoes) text = text.replace(echo, kept)
  text = text.replace(/(?<!\w)(["'`])([^]*?)\1/g, (_quoted, quote: string, inside: string) => {
    const isShown = plainWord.test(inside) && !(inside.length >= MIN_SECRET && secrets.some((secret) => secret.includes(inside)))
    return isShown ? quote + inside + quote : `${quote}…${quote}`
  })
  const found = secrets.filter((secret) => text.includes(secret)).sort((one, other) => other.length - one.length)
  for (const secret of found) text = text.replaceAll(secret, '…')
  return text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text
}

/** A string is encoded with quotes around it. */
function asText (encoded: string): string {
  return encoded.startsWith('"') ? encoded.slice(1, -1) : encoded
}
