// What one process tells the others when a session ends: its id, which opens nothing, and why.
import { isId } from '../record/token.js'
import type { EndListener, EndReason } from '../../types/store.js'

const REASONS = new Set<string>(['logout', 'revoked', 'limit', 'replaced', 'invalid', 'expired', 'evicted'] satisfies EndReason[])

export function endMessage (id: string, reason: EndReason | undefined): string {
  return `${id} ${reason ?? ''}`
}

/** Anybody on the server may publish: what we would not have sent is left out. */
export function tellEnd (message: string, listener: EndListener): void {
  const [id = '', reason = ''] = message.split(' ')
  if (isId(id)) listener(id, REASONS.has(reason) ? reason as EndReason : null)
}
