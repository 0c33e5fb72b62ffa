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
 * Left alone, any string is a key and values are `unknown`. A second session has
 * an interface of its own: `Session<AdminData>`.
 */
export interface SessionData {}

/**
 * Keys under which plugins store something of their own. They are known beside those
 * you declare, and their values are `unknown` until you declare them. Add the key of
 * another plugin here:
 *
 * ```ts
 * declare module 'fastify-keep' {
 *   interface PluginData { wizard: unknown }
 * }
 * ```
 */
export interface PluginData {
  /** The secret of @fastify/csrf-protection. */
  _csrf: unknown
  /** The messages of @fastify/flash. */
  flash: unknown
  /** The answers of grant. */
  grant: unknown
  /** The failure messages of @fastify/passport. */
  messages: unknown
  /** The user of @fastify/passport. */
  passport: unknown
  /** Where @fastify/passport sends the user after the login. */
  returnTo: unknown
}

/** A key of the session: the declared ones and those of plugins, or any string while none is declared. */
export type SessionKey<Data = SessionData> = [keyof Data] extends [never] ? string : Extract<keyof Data | keyof PluginData, string>

/** What is stored under a key. */
export type SessionValue<K extends SessionKey<Data>, Data = SessionData> = K extends keyof Data ? Data[K] : K extends keyof PluginData ? PluginData[K] : unknown

/** Some keys with their values, as `setMany` takes them and `data()` gives them. */
export type SessionValues<Data = SessionData> = [keyof Data] extends [never]
  ? { [key: string]: unknown }
  : { [K in keyof Data]?: Data[K] | undefined } & { [K in Exclude<keyof PluginData, keyof Data>]?: PluginData[K] | undefined }

/** `session['key']` and `session.key` for every key that is not the name of one of the session's `Members`. */
export type IndexedValues<Members, Data = SessionData> = [keyof Data] extends [never]
  ? { [key: string]: unknown }
  : { [K in keyof Data as Exclude<K, keyof Members>]?: Data[K] | undefined } & { [K in Exclude<keyof PluginData, keyof Data | keyof Members>]?: PluginData[K] | undefined }

/** Keys to keep. A list whose keys are known when it is compiled holds known ones; any other list of strings, such as `Object.keys(session)`, is taken as it is. */
export type KeepList<K extends string, Data = SessionData> = ReadonlyArray<string extends K ? K : SessionKey<Data>>
