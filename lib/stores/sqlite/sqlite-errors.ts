// What went wrong in SQLite, whichever driver says it.
import { StoreFullError, UnfitStoreError } from '../../errors.js'

// https://www.sqlite.org/rescode.html
const CODES: Readonly<Record<string, number>> = {
  SQLITE_PERM: 3, SQLITE_BUSY: 5, SQLITE_LOCKED: 6, SQLITE_READONLY: 8, SQLITE_IOERR: 10, SQLITE_CORRUPT: 11, SQLITE_FULL: 13, SQLITE_CANTOPEN: 14, SQLITE_AUTH: 23, SQLITE_NOTADB: 26
}

const { SQLITE_PERM, SQLITE_BUSY, SQLITE_LOCKED, SQLITE_READONLY, SQLITE_CORRUPT, SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_AUTH, SQLITE_NOTADB } = CODES

/** Another connection is writing. Nothing is wrong; it has to be tried again. */
export function isBusy (error: unknown): boolean {
  return [SQLITE_BUSY, SQLITE_LOCKED].includes(codeOf(error))
}

/** Why a file cannot be used, where no waiting would fix that; any other error as it is. */
export function openingError (error: unknown, path: string): unknown {
  const why = reason(error)
  return why === null ? error : new UnfitStoreError(`${path} ${why}`, { cause: error })
}

/** The failure of a call, in words that help. */
export function callError (error: unknown, maxBytes: number | null): unknown {
  if (codeOf(error) !== SQLITE_FULL) return error
  return new StoreFullError(maxBytes === null ? 'there is no room left on the disk' : `the file has reached maxBytes, ${maxBytes}, or there is no room left on the disk`, { cause: error })
}

function reason (error: unknown): string | null {
  switch (codeOf(error)) {
    case SQLITE_NOTADB: return 'is no SQLite database: name another file, or one that is not there yet'
    case SQLITE_CORRUPT: return 'is a corrupt SQLite database: restore a backup, or move the file away'
    case SQLITE_READONLY: return 'cannot be written: give the process the right to write the file and its folder'
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH: return 'cannot be opened: it has to be a file, in a folder that is there, and the process needs the right to write both'
  }
  switch ((error as NodeJS.ErrnoException | null)?.code) {
    case 'ENOENT': return 'cannot be created: make the folder first'
    case 'ENOTDIR': return 'cannot be created: a part of the path is no folder'
    case 'EISDIR': return 'is a folder: name a file'
    case 'EACCES':
    case 'EPERM': return 'cannot be opened: give the process the right to write the file and its folder'
    case 'EROFS': return 'cannot be created: the file system is read-only'
    default: return null
  }
}

/** The primary result code; 0 where there is none. node:sqlite has `errcode`, libsql `rawCode`, better-sqlite3 the name alone. */
function codeOf (error: unknown): number {
  const { errcode, rawCode, code } = (error ?? {}) as { errcode?: unknown, rawCode?: unknown, code?: unknown }
  const number = errcode ?? rawCode
  if (typeof number === 'number') return number & 0xff
  const [name = ''] = typeof code === 'string' ? /^SQLITE_[A-Z]+/.exec(code) ?? [] : []
  return CODES[name] ?? 0
}
