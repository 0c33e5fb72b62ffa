// The optional part: who has which sessions.
import assert from 'node:assert/strict'
import { HOUR, newId, recordAt, SECOND, type SuiteContext } from './context.js'
import type { OwnerEntry, SessionOwners } from '../../types/owners.js'
import type { SessionStore } from '../../types/store.js'

const MANY = 60

export function ownerSuite ({ test, now, advance, record, owners: hasOwners }: SuiteContext): void {
  if (!hasOwners) {
    test('a store that has owners proves them', async ({ owners }) => {
      assert.equal(owners, undefined, 'the store has owners: write storeSuite({ owners: true, … })')
    })
    return
  }

  function ownersTest (title: string, run: (owners: SessionOwners, owner: string, store: SessionStore) => Promise<void>): void {
    test(title, async (store) => {
      assert.ok(store.owners, 'the store has no owners')
      await run(store.owners, newId(), store)
    })
  }

  const entry = (more: Partial<OwnerEntry> = {}): OwnerEntry => ({ expiresAt: now() + HOUR, ...more })

  /** Lists as many, the first to expire first. */
  async function fill (owners: SessionOwners, owner: string, count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, newId)
    for (const [index, id] of ids.entries()) await owners.add(owner, id, entry({ expiresAt: now() + HOUR + index * SECOND }))
    return ids
  }

  ownersTest('an owner has the sessions that were added, and no other owner does', async (owners, owner) => {
    assert.deepEqual(await owners.list(owner), [])
    const ids = await fill(owners, owner, 3)
    assert.deepEqual(sorted(await owners.list(owner)), sorted(ids))
    assert.deepEqual(await owners.list(newId()), [])
    assert.deepEqual(await owners.add(owner, ids[0] as string, entry()), { result: 'done', marked: [] })
    assert.deepEqual(sorted(await owners.list(owner)), sorted(ids), 'added twice is listed once')
  })

  ownersTest('an owner may be any text', async (owners) => {
    const prefix = newId()
    const names = ['', ' ', ':', '{a}', 'a\u0000b\n', 'é🔑', 'A', 'a', '__proto__'].map((name) => prefix + name)
    const ids = names.map(newId)
    for (const [index, name] of names.entries()) await owners.add(name, ids[index] as string, entry())
    for (const [index, name] of names.entries()) assert.deepEqual(await owners.list(name), [ids[index]], JSON.stringify(name))
  })

  ownersTest('remove drops the sessions that are named', async (owners, owner) => {
    const [first, second, third] = await fill(owners, owner, 3) as [string, string, string]
    await owners.remove(owner, [first, third, newId()])
    assert.deepEqual(await owners.list(owner), [second])
    await owners.remove(newId(), [second])
    await owners.remove(owner, [])
    assert.deepEqual(await owners.list(owner), [second])
    await owners.remove(owner, [second])
    assert.deepEqual(await owners.list(owner), [])
  })

  ownersTest('mark marks all but those that are kept, and answers with the marked ones until they are removed', async (owners, owner) => {
    const [first, second, third] = await fill(owners, owner, 3) as [string, string, string]
    assert.deepEqual(sorted(await owners.mark(owner, [second, newId()])), sorted([first, third]))
    assert.deepEqual(await owners.list(owner), [second])
    await owners.remove(owner, [first])
    assert.deepEqual(await owners.mark(owner, [second]), [third], 'what another process left')
    assert.deepEqual(sorted(await owners.mark(owner, [])), sorted([second, third]))
    assert.deepEqual(await owners.mark(newId(), []), [])
  })

  ownersTest('a mark is taken back by nothing but remove', async (owners, owner) => {
    const [first, second] = await fill(owners, owner, 2) as [string, string]
    await owners.mark(owner, [second])
    assert.equal(await owners.renew(owner, first, now() + 2 * HOUR), true)
    assert.deepEqual(await owners.add(owner, first, entry()), { result: 'done', marked: [first] })
    assert.deepEqual(await owners.list(owner), [second])
    await owners.remove(owner, [first])
    assert.deepEqual(await owners.add(owner, first, entry()), { result: 'done', marked: [] })
    assert.deepEqual(sorted(await owners.list(owner)), sorted([first, second]))
  })

  ownersTest('what has expired is neither listed nor marked nor counted', async (owners, owner) => {
    await owners.add(owner, newId(), entry({ expiresAt: now() + SECOND / 4 }))
    const lives = newId()
    await owners.add(owner, lives, entry())
    await advance(SECOND / 2)
    assert.deepEqual(await owners.list(owner), [lives])
    const next = newId()
    assert.deepEqual(await owners.add(owner, next, entry({ limit: 2, onLimit: 'refuse' })), { result: 'done', marked: [] })
    assert.deepEqual(sorted(await owners.mark(owner, [])), sorted([lives, next]))
  })

  ownersTest('renew moves a deadline later and never back, and lists nothing', async (owners, owner) => {
    const [moved, kept] = [newId(), newId()]
    await owners.add(owner, moved, entry({ expiresAt: now() + SECOND / 4 }))
    await owners.add(owner, kept, entry())
    assert.equal(await owners.renew(owner, moved, now() + HOUR), true)
    assert.equal(await owners.renew(owner, kept, now() + SECOND / 4), true)
    assert.equal(await owners.renew(owner, newId(), now() + HOUR), false)
    assert.equal(await owners.renew(newId(), moved, now() + HOUR), false)
    await advance(SECOND / 2)
    assert.deepEqual(sorted(await owners.list(owner)), sorted([moved, kept]))
  })

  ownersTest('a list lives as long as the longest of its sessions, also after the others have expired', async (owners, owner) => {
    const [long, short] = [newId(), newId()]
    await owners.add(owner, long, entry())
    await owners.add(owner, short, entry({ expiresAt: now() + SECOND / 4 }))
    await owners.remove(owner, [newId()])
    await advance(SECOND / 2)
    assert.deepEqual(await owners.list(owner), [long])
  })

  ownersTest('a session that gets an earlier deadline expires by it', async (owners, owner) => {
    const id = newId()
    await owners.add(owner, id, entry())
    await owners.add(owner, id, entry({ expiresAt: now() + SECOND / 4 }))
    await advance(SECOND / 2)
    assert.deepEqual(await owners.list(owner), [])
  })

  ownersTest('beyond the limit those that expire soonest are marked', async (owners, owner) => {
    const ids = await fill(owners, owner, 5)
    const next = newId()
    const { result, marked } = await owners.add(owner, next, entry({ limit: 3 }))
    assert.equal(result, 'done')
    assert.deepEqual(sorted(marked), sorted(ids.slice(0, 3)))
    assert.deepEqual(sorted(await owners.list(owner)), sorted([...ids.slice(3), next]))
    assert.equal((await owners.add(owner, next, entry({ limit: 3, onLimit: 'refuse' }))).result, 'done', 'it does not count twice')
  })

  ownersTest('beyond the limit nothing is added where that is asked for', async (owners, owner) => {
    const ids = await fill(owners, owner, 3)
    assert.deepEqual(await owners.add(owner, newId(), entry({ limit: 3, onLimit: 'refuse' })), { result: 'refused', marked: [] })
    assert.deepEqual(sorted(await owners.list(owner)), sorted(ids))
    assert.equal((await owners.add(owner, newId(), entry({ limit: 4, onLimit: 'refuse' }))).result, 'done')
  })

  ownersTest('a session that is replaced does not count, and stays', async (owners, owner) => {
    const ids = await fill(owners, owner, 3)
    const next = newId()
    const replaces = ids[0] as string
    assert.deepEqual(await owners.add(owner, next, entry({ expiresAt: now() + 2 * HOUR, limit: 3, onLimit: 'refuse', replaces })), { result: 'done', marked: [] })
    assert.deepEqual(sorted(await owners.list(owner)), sorted([...ids, next]))
    assert.deepEqual(await owners.add(owner, newId(), entry({ limit: 3, replaces })), { result: 'done', marked: [ids[1]] }, 'the soonest of the others')
  })

  ownersTest('a marked session has no successor, but may be replaced', async (owners, owner) => {
    const [marked, lives] = await fill(owners, owner, 2) as [string, string]
    await owners.mark(owner, [lives])
    assert.deepEqual(await owners.add(owner, newId(), entry({ replaces: marked, isSuccessor: true })), { result: 'ended', marked: [marked] })
    assert.deepEqual(await owners.list(owner), [lives])
    assert.equal((await owners.add(owner, newId(), entry({ replaces: marked }))).result, 'done')
    assert.equal((await owners.add(owner, newId(), entry({ replaces: lives, isSuccessor: true }))).result, 'done')
    assert.equal((await owners.add(owner, newId(), entry({ replaces: newId(), isSuccessor: true }))).result, 'done', 'one that is not listed is not marked')
  })

  ownersTest('of parallel logins exactly as many stay as the limit says', async (owners, owner) => {
    const ids = Array.from({ length: MANY }, newId)
    const additions = await Promise.all(ids.map((id) => owners.add(owner, id, entry({ limit: 5 }))))
    const stay = await owners.list(owner)
    assert.equal(stay.length, 5)
    const marked = new Set(additions.flatMap((addition) => addition.marked))
    assert.deepEqual(sorted([...stay, ...marked]), sorted(ids), 'each of the others was marked for somebody to end')
    const refused = await Promise.all(ids.map((id) => owners.add(`${owner}2`, id, entry({ limit: 5, onLimit: 'refuse' }))))
    assert.equal(refused.filter(({ result }) => result === 'done').length, 5)
  })

  ownersTest('one owner may have a thousand sessions', async (owners, owner) => {
    const ids = Array.from({ length: 1500 }, newId)
    await Promise.all(ids.map((id) => owners.add(owner, id, entry())))
    assert.equal((await owners.list(owner)).length, ids.length)
    assert.equal((await owners.add(owner, newId(), entry({ limit: 1 }))).marked.length, ids.length)
    await owners.remove(owner, ids)
    assert.deepEqual((await owners.mark(owner, [])).length, 1)
  })

  ownersTest('the lists and the records leave each other alone', async (owners, owner, store) => {
    const id = newId()
    await owners.add(owner, id, entry())
    assert.equal(await store.read(id), null)
    await store.create(id, record({ owner }))
    await store.create(owner, record())
    assert.deepEqual(await owners.list(owner), [id])
    await owners.mark(owner, [])
    await owners.remove(owner, [id])
    await recordAt(store, id)
    await recordAt(store, owner)
  })
}

function sorted<T> (list: readonly T[]): T[] {
  return [...list].sort()
}
