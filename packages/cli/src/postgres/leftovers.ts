/**
 * What an earlier run that crashed left in the cluster's folder, made good before the next start. A
 * PostgreSQL that still works there is stopped, after proof that it works in this very folder and that
 * no living sealpost owns it. PostgreSQL removes a lock file of a dead process itself; we remove one
 * only when its process id now belongs to a stranger and no PostgreSQL works in the folder, because
 * the file also guards the shared memory of a half-dead server.
 */
import { readFileSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { errnoOf, PostgresError } from './postgres-errors.ts'
import { isAlive, pidOf, type ServerProcess, serversIn, signal, stillRuns, waitUntil } from './process-table.ts'

export type Patience = {
  /** How long a server may take for a fast shutdown, with its checkpoint. */
  fastMs: number
  /** How long it may take afterwards to drop everything; the next start then recovers. */
  immediateMs: number
}

export const defaultPatience: Patience = { fastMs: 60_000, immediateMs: 10_000 }

/** Throws ERR_POSTGRES_IN_USE or ERR_POSTGRES_ORPHAN_STUCK; returns when a server may start in `dataDir`. */
export const clearLeftovers = async (
  dataDir: string,
  onLog: (message: string) => void,
  patience: Patience = defaultPatience,
): Promise<void> => {
  const folder = realpathSync(dataDir)
  refuseWhileOwned(folder, serversIn(folder))
  await stopOrphans(folder, onLog, patience)
  removeLockOfStranger(folder, onLog)
}

const refuseWhileOwned = (folder: string, servers: readonly ServerProcess[]): void => {
  const owned = servers.find(({ owner }) => owner !== undefined && stillRuns(owner))
  if (!owned?.owner) return
  throw new PostgresError('ERR_POSTGRES_IN_USE', { path: folder, pid: owned.pid, owner: pidOf(owned.owner) })
}

const stopOrphans = async (folder: string, onLog: (message: string) => void, patience: Patience): Promise<void> => {
  if (serversIn(folder).length === 0) return
  onLog(`stopping a PostgreSQL left over from a crash (process ${heads(folder).join(', ')})`)
  const gone = () => serversIn(folder).length === 0
  try {
    for (const pid of heads(folder)) signal(pid, 'SIGINT')
    if (await waitUntil(gone, patience.fastMs)) return
    for (const pid of heads(folder)) signal(pid, 'SIGQUIT')
    if (await waitUntil(gone, patience.immediateMs)) return
  } catch (error) {
    throw new PostgresError('ERR_POSTGRES_ORPHAN_STUCK', { path: folder, pids: heads(folder).join(' ') }, error)
  }
  throw new PostgresError('ERR_POSTGRES_ORPHAN_STUCK', { path: folder, pids: heads(folder).join(' ') })
}

/** The postmaster, or its children when it is dead: those whose parent does not work in the folder. */
const heads = (folder: string): number[] => {
  const servers = serversIn(folder)
  const pids = new Set(servers.map(({ pid }) => pid))
  return servers.filter(({ parent }) => !pids.has(parent)).map(({ pid }) => pid)
}

const removeLockOfStranger = (folder: string, onLog: (message: string) => void): void => {
  const file = join(folder, 'postmaster.pid')
  const pid = readLock(file)
  if (pid === undefined || (pid > 0 && !isAlive(pid))) return
  rmSync(file, { force: true })
  onLog(`removed a stale lock file: process ${pid} is not a PostgreSQL that works in ${folder}`)
}

/** The process id in the first line (a standalone backend writes it negative); undefined without a file; 0 when unreadable. */
const readLock = (file: string): number | undefined => {
  try {
    const pid = Math.abs(Number.parseInt(readFileSync(file, 'utf8'), 10))
    return Number.isNaN(pid) ? 0 : pid
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
