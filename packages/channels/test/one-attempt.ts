/**
 * One adapter's whole life in a process of its own: start, one attempt, stop. It calls no `process.exit`, so it ends only
 * if the adapter left nothing open.
 */
import { createAdapter } from '../src/index.ts';
import { fetchInstead } from './fetch-instead.ts';

const { name, settings, files, attempt, instead } = JSON.parse(process.argv[2] ?? '');
const adapter = createAdapter(name, settings, {
  now: Date.now,
  fetch: fetchInstead(instead),
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  readSecret: async (path) => new TextEncoder().encode(files[path]),
});
await adapter.start({ receive: async () => undefined });
process.stdout.write(JSON.stringify(await adapter.send(attempt)));
await adapter.stop();
