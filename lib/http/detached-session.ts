// A session without a reply: what it saves must not need a new cookie.
import { CookieNotDeliverableError, InvalidArgumentError } from '../errors.js'
import type { LineLog } from '../log-line.js'
import { needsNewCookie } from '../session/save-plan.js'
import { SessionMap, type Session } from '../session/session.js'
import type { SessionHost, ValueStep } from '../session/session-host.js'
import type { SessionState } from '../session/session-state.js'
import type { StateListener } from '../session/state-listener.js'
import { reportCorruptValue } from '../store/corrupt-records.js'
import { loadSession, reloadSession, type PresentedToken } from '../store/load-session.js'
import type { Save } from '../store/save.js'
import { saveSession } from '../store/save-session.js'
import { takeAtOnce, updateAtOnce } from './at-once.js'
import type { Registration } from './registration.js'

export class DetachedSession implements SessionHost, StateListener {
  readonly session: Session
  readonly state: SessionState
  readonly #registration: Registration
  readonly #log: LineLog
  readonly #tokens: readonly PresentedToken[]

  constructor (registration: Registration, log: LineLog, state: SessionState, tokens: readonly PresentedToken[]) {
    this.#registration = registration
    this.#log = log
    this.#tokens = tokens
    this.state = state
    state.listener = this
    this.session = new SessionMap(this) as Session
  }

  changing (): void {}

  foundCorrupt (id: string, value: string): void {
    reportCorruptValue(this.#registration, id, value, this.#log)
  }

  /** There is no browser here. */
  describe (): null {
    return null
  }

  overrideCookie (): never {
    throw new InvalidArgumentError('session.options()', 'cookie attributes', 'there is no response here that could send a cookie')
  }

  async save (): Promise<boolean> {
    const { state } = this
    if (state.status === 'unavailable') await this.reload()
    state.usedAt = state.now()
    const result = await saveSession(this.#registration, state, this.#log, (plan) => {
      if (!needsNewCookie(plan, state)) return
      throw new CookieNotDeliverableError('there is no response here; begin the session in a request, or with app.sessions.issue()')
    })
    return result !== 'ended'
  }

  reload (): Promise<void> {
    return reloadSession(this.#registration, this.state, this.#log, () => loadSession(this.#registration, this.#tokens, this.#log))
  }

  update (key: string, step: ValueStep): Promise<unknown> {
    return updateAtOnce(this, this.#saving, key, step)
  }

  take (key: string): Promise<unknown> {
    return takeAtOnce(this, this.#saving, key)
  }

  get #saving (): Save {
    return { context: this.#registration, state: this.state, log: this.#log }
  }
}
