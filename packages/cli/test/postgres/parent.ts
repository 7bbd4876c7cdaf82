/**
 * A tiny parent for the test that kills one: starts PostgreSQL in the folder named by its argument,
 * prints the process id of the server and the socket folder as one line of JSON, then waits to be killed.
 */
import { startPostgres } from '../../src/postgres/index.ts';

const dataDir = process.argv[2];
if (dataDir === undefined) throw new Error('usage: parent.ts <folder of the cluster>');
const { pid, socketDir } = await startPostgres({ dataDir, unsafeNoFsync: true });
process.stdout.write(`${JSON.stringify({ pid, socketDir })}\n`);
setInterval(() => undefined, 60_000);
