/**
 * What your sessions hold. Declare it once, and `get`, `set`, index access,
 * guards and `regenerate`'s list all follow:
 *
 * ```ts
 * declare module 'fastify-keep' {
 *   interface SessionData { userId: number; cart: string[] }
 * }
 * ```
 *
 * Left alone, any string is a key and values are `unknown`.
 */
export interface SessionData {}

/** A key of the session: the declared ones, or any string while none is declared. */
export type SessionKey = [keyof SessionData] extends [never] ? string : Extract<keyof SessionData, string>

/** What is stored under a key. */
export type SessionValue<K extends SessionKey> = K extends keyof SessionData ? SessionData[K] : unknown

/** Some keys with their values, as `setMany` takes them and `data()` gives them. */
export type SessionValues = [keyof SessionData] extends [never]
  ? { [key: string]: unknown }
  : { [K in keyof SessionData]?: SessionData[K] | undefined }

/** `session['key']` and `session.key` for every key that is not the name of one of the session's `Members`. */
export type IndexedValues<Members> = [keyof SessionData] extends [never]
  ? { [key: string]: unknown }
  : { [K in keyof SessionData as Exclude<K, keyof Members>]?: SessionData[K] | undefined }
