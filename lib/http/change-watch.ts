// Changes that are never saved: on a reply that was hijacked or written raw, in a
// later onSend hook, after the response. Nothing is lost in silence.
import type { FastifyReply } from 'fastify'
import { warnLate, warnUnsaved } from '../warnings.js'

const ourFolder = new URL('..', import.meta.url).pathname

export class ChangeWatch {
  readonly #reply: FastifyReply
  readonly #hasUnsaved: () => boolean
  #isListening = false
  #isClosing = false
  #latePlace: string | null = null

  constructor (reply: FastifyReply, hasUnsaved: () => boolean) {
    this.#reply = reply
    this.#hasUnsaved = hasUnsaved
  }

  /** There is about to be something to save. */
  changing (): void {
    const { raw } = this.#reply
    if (!this.#isListening) {
      this.#isListening = true
      raw.once('finish', () => this.#finished())
    }
    if (raw.writableFinished) this.#changedAfterwards(callerOf(new Error()))
    // what was late and is saved by now is no longer the one to name
    else if (this.#isLate && (this.#latePlace === null || !this.#hasUnsaved())) this.#latePlace = callerOf(new Error())
  }

  /** The last save that this response waits for begins. If that fails there is an error of its own. */
  closing (): void {
    this.#isClosing = true
  }

  /** Whether no save follows by itself. A hijacked reply counts as sent. */
  get #isLate (): boolean {
    return this.#isClosing || this.#reply.sent
  }

  #finished (): void {
    if (this.#latePlace !== null && this.#hasUnsaved()) warnLate(this.#reply.request, this.#latePlace)
    else if (!this.#isClosing && this.#hasUnsaved()) warnUnsaved(this.#reply.request)
  }

  /** A save by hand may follow in the same tick. */
  #changedAfterwards (place: string): void {
    setImmediate(() => { if (this.#hasUnsaved()) warnLate(this.#reply.request, place) })
  }
}

/** The first line of the stack that is not in this package. */
function callerOf ({ stack = '' }: Error): string {
  const line = stack.split('\n').slice(1).find((each) => !each.includes(ourFolder) && !each.includes('(node:'))
  return line?.trim().replace(/^at /, '') ?? 'an unknown place'
}
