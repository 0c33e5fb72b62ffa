// A Map of many small ones: one of a million entries stops the process for 25 to
// 50 ms whenever it grows or shrinks.
const SHARDS = 1024

export class ShardedMap<V> {
  readonly #shards = Array.from({ length: SHARDS }, () => new Map<string, V>())

  get (key: string): V | undefined { return this.#shard(key).get(key) }

  set (key: string, value: V): void { this.#shard(key).set(key, value) }

  delete (key: string): void { this.#shard(key).delete(key) }

  /** Every key, a shard at a time. */
  * keys (): Generator<string[]> {
    for (const shard of this.#shards) if (shard.size > 0) yield [...shard.keys()]
  }

  #shard (key: string): Map<string, V> {
    return this.#shards[((key.charCodeAt(0) << 5) ^ key.charCodeAt(1)) & (SHARDS - 1)] as Map<string, V>
  }
}
