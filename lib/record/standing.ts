// How a token stands to a record: current, or one of the earlier ones that a
// rotation or a step-up left behind. decisions/split-token.md says why.
import { isVerifierOf, type Token } from './token.js'
import type { EarlierVerifier, SessionRecord } from '../../types/store.js'

/**
 * `current` opens the session and `earlier` still does; `late` opens nothing but
 * belongs to a request on its way, and `outdated` opens nothing any more: by both
 * a logout still ends the session. `unknown` is none of this session's.
 */
export type TokenStanding = 'current' | 'earlier' | 'late' | 'outdated' | 'unknown'

type Verifiers = Pick<SessionRecord, 'verifier' | 'earlier'>

const MINUTE = 60_000

/** How long after its end a token, or a session, is late rather than unknown. */
export const LATE_FOR = MINUTE

// An earlier token opens the session until a minute after the new one was first
// used; if that never happens, because the response was lost, for ten minutes.
const OPENS_AFTER_FIRST_USE = MINUTE
const OPENS_UNUSED = 10 * MINUTE

/** More rotations than this within their time do nothing. */
const MAX_OPEN = 4

const MAX_EARLIER = 16

/** Looks at the whole list, so that the time it takes says nothing. */
export function standingOf ({ verifier, earlier }: Verifiers, token: Pick<Token, 'verifier' | 'others'>, arrivedAt: number): TokenStanding {
  let found: TokenStanding = isVerifierOf(token, verifier) ? 'current' : 'unknown'
  for (const each of earlier) {
    if (isVerifierOf(token, each.verifier) && found === 'unknown') found = standingOfEarlier(each, arrivedAt)
  }
  return found
}

function standingOfEarlier ({ until, opens }: EarlierVerifier, arrivedAt: number): TokenStanding {
  if (opens && arrivedAt < until) return 'earlier'
  return arrivedAt < until + LATE_FOR ? 'late' : 'outdated'
}

/** The earlier verifiers after a rotation; `null` when there were too many already. */
export function earlierAfterRotation ({ verifier, earlier }: Verifiers, now: number): readonly EarlierVerifier[] | null {
  const inTime = earlier.filter(({ until }) => now < until + LATE_FOR)
  if (inTime.length >= MAX_OPEN) return null
  const outdated = earlier.filter((each) => !inTime.includes(each))
  return [{ verifier, until: now + OPENS_UNUSED, opens: true }, ...inTime, ...outdated].slice(0, MAX_OPEN)
}

/** The earlier verifiers after a step-up: all of them, and the current one, are dead at once. */
export function earlierAfterStepUp ({ verifier, earlier }: Verifiers, now: number): readonly EarlierVerifier[] {
  const closed = earlier.map((each) => ({ verifier: each.verifier, until: Math.min(each.until, now), opens: false }))
  return [{ verifier, until: now, opens: false }, ...closed].slice(0, MAX_EARLIER)
}

/** The earlier verifiers once the current token has been used. */
export function earlierAfterFirstUse ({ earlier }: Verifiers, now: number): readonly EarlierVerifier[] {
  return earlier.map((each) => each.opens ? { ...each, until: Math.min(each.until, now + OPENS_AFTER_FIRST_USE) } : each)
}
