// What is published on `node:diagnostics_channel`. One process may run several sessions: from which of them, or from
// which store, a message comes is known to this package, and shown to nobody.

export class Message {
  readonly #source: object

  /** A message from a registration or a store, with what it says. */
  static from<T extends object> (source: object, content: T): Message & T {
    return Object.assign(new Message(source), content)
  }

  static isFrom (message: unknown, source: object): boolean {
    return message instanceof Message && message.#source === source
  }

  private constructor (source: object) {
    this.#source = source
  }
}
