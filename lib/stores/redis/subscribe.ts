// A connection that only listens, made from the user's own client: one that has subscribed can do nothing else.
import { surviveErrors, toText, type RedisClient } from './redis-client.js'

/** The parts of a client that some have and others do not. */
type Parts = Partial<Record<'duplicate' | 'execute' | 'subscribe' | 'on' | 'connect' | 'destroy' | 'disconnect', (...args: unknown[]) => unknown>> & { readonly isCluster?: boolean }

// A listener has to wait for its server as long as that takes, whatever the user's commands do.
const PATIENT = { enableOfflineQueue: true, maxRetriesPerRequest: null, lazyConnect: false }

/**
 * Listens to the channel, and answers once it does. Clients subscribe again when a connection was lost. Stops when the signal is aborted; the
 * user's own client stays as it is.
 */
export async function subscribe (client: RedisClient, channel: string, listener: (message: string) => void, signal: AbortSignal): Promise<void> {
  const own = await duplicateOf(client as Parts)
  surviveErrors(own as RedisClient)
  const stop = () => { end(own) }
  if (signal.aborted) return stop()
  signal.addEventListener('abort', stop)
  try {
    // what was on its way when it stopped is not told
    await begin(own, channel, (message) => { if (!signal.aborted) listener(message) })
  } catch (error) {
    signal.removeEventListener('abort', stop)
    stop()
    throw error
  }
}

async function duplicateOf (client: Parts): Promise<Parts> {
  if (isIoRedis(client) && typeof client.duplicate === 'function') return (client.isCluster ? client.duplicate([], { enableOfflineQueue: true, lazyConnect: false }) : client.duplicate(PATIENT)) as Parts
  // a pool lends one of its own
  if (typeof client.subscribe !== 'function' && typeof client.execute === 'function') return await client.execute(async (one: Parts) => one.duplicate!()) as Parts
  if (typeof client.duplicate !== 'function') throw new TypeError('this client cannot be duplicated')
  return client.duplicate() as Parts
}

async function begin (own: Parts, channel: string, listener: (message: string) => void): Promise<void> {
  if (isIoRedis(own)) {
    own.on!('message', (_channel: unknown, message: unknown) => { listener(toText(message)) })
    await own.subscribe!(channel)
  } else {
    await own.connect!()
    await own.subscribe!(channel, (message: unknown) => { listener(toText(message)) })
  }
}

function end (own: Parts): void {
  try {
    const ended: unknown = isIoRedis(own) ? own.disconnect!() : own.destroy!()
    // a Sentinel's answers later
    Promise.resolve(ended).catch(() => {})
  } catch {
    // it never connected
  }
}

function isIoRedis (client: Parts): boolean {
  return typeof (client as { call?: unknown }).call === 'function'
}
