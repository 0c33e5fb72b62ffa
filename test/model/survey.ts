import fc from 'fast-check'
const base = process.argv[2]!
const { Kit } = await import(base + '/test/model/kit.ts')
const { memoryKind } = await import(base + '/test/model/kinds.ts')
const { faultsOf, storyOf } = await import(base + '/test/model/oracle.ts')
const { schedules } = await import(base + '/test/model/schedule.ts')
const kit = await Kit.make(memoryKind)
const found = new Map<string, { n: number, story: string }>()
const end = Date.now() + Number(process.argv[3] ?? 30000)
let runs = 0
for (let seed = Number(process.argv[4] ?? 1); Date.now() < end; seed++) {
  for (const schedule of fc.sample(schedules, { numRuns: 20, seed })) {
    const world = await kit.run(schedule); runs++
    for (const { kind, text } of faultsOf(world)) {
      const story = storyOf(world.history) + '\n  >> ' + kind + ': ' + text
      const f = found.get(kind) ?? { n: 0, story }
      f.n++; if (story.length < f.story.length) f.story = story
      found.set(kind, f)
    }
  }
}
console.log('runs', runs)
for (const [k, { n, story }] of found) console.log(`\n===== ${k} x${n}\n${story}`)
await kit.close()
