/**
 * Microsoft's own stand-in for Teams (`@microsoft/m365agentsplayground`): a Bot Connector that knows its people and
 * conversations. It looks for the bot before it is ready, would listen on every interface, and is kept from that.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { until } from '../contract.ts';
import { freePort } from './mail.ts';

const PROGRAM = resolve(import.meta.dirname, '../../../../node_modules/@microsoft/m365agentsplayground/cli.js');
export const PLAYGROUND_ABSENT = existsSync(PROGRAM) ? undefined : `needs ${PROGRAM}: npm ci`;

/** Ids in the forms Teams gives them, which the playground's own are not in. */
export const PEOPLE = { alice: '29:alice', stranger: '29:nobody-here' };
export const CHATS = { personal: 'a:personal-chat', channel: '19:announcements@thread.tacv2' };
const person = (id: string, name: string, number: number) => ({
  id,
  name,
  userPrincipleName: `${name}@example.com`,
  aadObjectId: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
  givenName: name,
  surname: 'Example',
  email: `${name}@example.com`,
});
/** YAML, of which JSON is a part. */
const configOf = (appId: string, tenantId: string) => ({
  version: '0.1.1',
  tenantId,
  bot: { id: `28:${appId}`, name: 'Acme' },
  currentUser: person(PEOPLE.alice, 'alice', 1),
  /** It wants five beside the first. */
  users: ['bob', 'carol', 'dave', 'erin', 'frank'].map((name, index) => person(`29:${name}`, name, index + 2)),
  personalChat: { id: CHATS.personal },
  groupChat: { id: '19:group@thread.v2', name: 'Group' },
  team: {
    id: '19:general@thread.tacv2',
    name: 'Team',
    aadGroupId: '00000000-0000-4000-8000-000000000031',
    channels: [{ id: CHATS.channel, name: 'Announcements' }],
  },
});

const LOCAL_ONLY = `data:text/javascript,${encodeURIComponent(`
  import { Server } from 'node:net';
  const listen = Server.prototype.listen;
  Server.prototype.listen = function (port, ...rest) {
    const asked = typeof port === 'object' ? port : { port: Number(port) };
    return listen.call(this, { ...asked, host: '127.0.0.1' }, ...rest.filter((each) => typeof each === 'function'));
  };`)}`;

export async function startPlayground(appId: string, tenantId: string) {
  const bot = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(bot, 'listening');
  const endpoint = `http://127.0.0.1:${(bot.address() as AddressInfo).port}/api/messages`;
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'playground-'));
  writeFileSync(join(folder, '.m365agentsplayground.yml'), JSON.stringify(configOf(appId, tenantId)));
  const asked = ['start', '-e', endpoint, '-c', 'msteams', '-p', String(port), '--disable-telemetry'];
  const child = spawn(process.execPath, ['--import', LOCAL_ONLY, PROGRAM, ...asked], {
    cwd: folder,
    env: { ...process.env, HOME: folder },
    stdio: 'ignore',
  });
  const closed = once(child, 'close');
  const root = `http://127.0.0.1:${port}`;
  const stop = async () => {
    child.kill('SIGKILL');
    await closed;
    bot.closeAllConnections();
    bot.close();
    await once(bot, 'close');
    rmSync(folder, { recursive: true, force: true });
  };
  const ready = async () => {
    const answer = await fetch(`${root}/_internal/v1/config`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.ok || undefined;
  };
  try {
    await until(ready, 'the playground is ready');
  } catch (error) {
    await stop();
    throw error;
  }
  return { baseUrl: `${root}/_connector`, stop };
}
