import { failureCause } from '../failure-cause.js'
import { warnTelemetryFailed } from '../warnings.js'

/** Takes a step of somebody else's telemetry. Where that throws, nothing is measured, and nothing else happens. */
export function attempt (step: () => void): void {
  try {
    step()
  } catch (failure) {
    warnTelemetryFailed(failureCause(failure, 'it').message)
  }
}
