// The only place where this package writes to a log.
import { warnLogFailed } from './warnings.js'

/** What a line is written to: the request's log, or the app's. */
export interface LineLog {
  debug (fields: object, message: string): void
  warn (fields: object, message: string): void
  error (fields: object, message: string): void
}

/** Writes one line. A logger that throws must change nothing about the request, and its line is not lost. */
export function logLine (log: LineLog, level: keyof LineLog, fields: object, message: string): void {
  try {
    log[level](fields, message)
  } catch {
    warnLogFailed(message)
  }
}
