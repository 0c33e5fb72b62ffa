// The shape of the machine and what was measured on it, for whoever reads the figures.
import { spawnSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { placement } from './processes.js'

export function describeMachine () {
  const processors = cpus()
  return {
    processors: `${processors.length} × ${processors[0].model.trim()}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${process.platform} ${process.arch}`,
    node: process.version,
    v8: process.versions.v8,
    placement,
    commit: spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout?.trim() || 'unknown',
    date: new Date().toISOString().slice(0, 10)
  }
}
