/** A program that some tests need beside Node.js. */
export type ProgramName = 'chromium' | 'redis' | 'postgres' | 'nginx' | 'caddy'

export function findProgram (name: ProgramName): string | null
export function whyMissing (name: ProgramName): string
export function findPrograms (options?: { missing?: 'install' | 'leave' }): Record<string, string>
