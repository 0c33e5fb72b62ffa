// Gives the store its chance to say, before the first request, that it can never work.
import { logLine, type LineLog } from '../log-line.js'
import type { SessionConfig } from '../options.js'
import { safeCause } from './safe-cause.js'
import type { SessionStore } from '../../types/store.js'

/** Opens a store that wants it. Throws what the store throws; one that takes longer than `storeTimeout` goes on opening alone. */
export async function openStore ({ store, storeTimeout, owner }: SessionConfig, log: LineLog): Promise<void> {
  const opensOwners = owner !== null && store.owners?.open !== undefined
  if (store.open === undefined && !opensOwners) return
  let isLate = false
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      isLate = true
      logLine(log, 'warn', {}, 'the session store has not opened in time; the app starts without it')
      resolve()
    }, storeTimeout)
  })
  const opening = open(store, opensOwners).catch((error: unknown) => {
    if (!isLate) throw error
    logLine(log, 'error', { err: safeCause('store.open()', error) }, 'the session store cannot be used')
  })
  try {
    await Promise.race([opening, timeout])
  } finally {
    clearTimeout(timer)
  }
}

async function open (store: SessionStore, opensOwners: boolean): Promise<void> {
  await store.open?.()
  if (opensOwners) await store.owners?.open?.()
}
