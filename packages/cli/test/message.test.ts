/** `sealpost message revoke` against a control that plays both answers: what it asks, what it prints, how it ends. */
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BIN, run, temporaryFolder } from '../../../test/support/program.ts';

const MESSAGE = '01a2b3c4-d5e6-7f80-8123-456789abcdef';
const folder = temporaryFolder();
const key = join(folder.path, 'key');
const asked: string[] = [];
let answer = { outcome: 'done', state: 'revoked' };
let server: Server;

beforeAll(async () => {
  await run(['send', 'key', '--out', key]);
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`.trim());
    response.setHeader('content-type', 'application/json');
    const token = { access_token: 'a.b.c', token_type: 'Bearer', expires_in: 300, scope: 'flow:incident-alerts' };
    const isToken = request.url === '/v1/token';
    response.statusCode = isToken ? 200 : 202;
    response.end(JSON.stringify(isToken ? token : answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  folder.remove();
});

const revoke = async (...more: string[]) => {
  const address = server.address();
  const control = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const flags = ['--application', 'it', '--key', key, '--flow', 'incident-alerts', '--control', control];
  const args = [BIN, 'message', 'revoke', MESSAGE, ...flags, ...more];
  return (await promisify(execFile)(process.execPath, args)).stdout;
};

test('asks control as the application that sent it and prints one object with --json', async () => {
  asked.length = 0;
  expect(JSON.parse((await revoke('--json')).trim().split('\n').at(-1)!)).toEqual({
    ok: true,
    message: MESSAGE,
    outcome: 'done',
    state: 'revoked',
  });
  expect(asked).toEqual(['POST /v1/token', `DELETE /v1/messages/${MESSAGE} Bearer a.b.c`]);
});

test('says what a message had ended as when there was nothing to take back', async () => {
  answer = { outcome: 'ended', state: 'read' };
  expect(await revoke()).toBe('had ended as read\n');
});
