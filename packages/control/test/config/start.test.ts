/** Starting: what the configuration must say, what control refuses to start with, and what it serves to anybody. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger, openKeyStore } from '@sealpost/platform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startControl } from '../../src/app.ts';
import { type ControlConfigFile, controlConfigSchema } from '../../src/config/config.ts';
import { send, startTestControl, type TestControl } from '../support/control.ts';
import { createOrganisation } from '../support/organisation.ts';

let control: TestControl;
beforeAll(async () => {
  control = await startTestControl();
});
afterAll(() => control[Symbol.asyncDispose]());

const logger = createLogger('control', 'error', { write: () => undefined });
const startWith = (change: Partial<ControlConfigFile>) =>
  startControl(controlConfigSchema.parse({ ...control.config, ...change }), { logger });

describe('the configuration', () => {
  it('demands TLS where it does not listen on loopback, unless told otherwise by a loud name', () => {
    const open = { ...control.config, listen: { host: '0.0.0.0', port: 0 } };
    expect(controlConfigSchema.safeParse(open).success).toBe(false);
    expect(controlConfigSchema.safeParse({ ...open, unsafe_plain_http: true }).success).toBe(true);
    expect(controlConfigSchema.safeParse({ ...open, tls: { cert_file: 'c', key_file: 'k' } }).success).toBe(true);
  });

  it('refuses unknown keys and a gateway without TLS', () => {
    expect(controlConfigSchema.safeParse({ ...control.config, colour: 'red' }).success).toBe(false);
    const gateway = { ...control.config.gateway, url: 'http://127.0.0.1:1' };
    expect(controlConfigSchema.safeParse({ ...control.config, gateway }).success).toBe(false);
  });

  it('describes every option', () => {
    const missing = (shape: Record<string, unknown>, path = ''): string[] =>
      Object.entries(shape).flatMap(([name, schema]) => {
        const { description } = schema as { description?: string };
        return description === undefined ? [`${path}${name}`] : [];
      });
    expect(missing(controlConfigSchema.shape)).toEqual([]);
  });
});

describe('control does not start', () => {
  it('with a trust file another root signed', async () => {
    using other = await createOrganisation(Date.now());
    await expect(startWith({ trust_file: join(other.folder, 'trust.jws') })).rejects.toMatchObject({
      code: 'ERR_CONTROL_TRUST',
    });
  });

  it('for another organisation than the trust file names', async () => {
    await expect(startWith({ organisation: 'other.example' })).rejects.toMatchObject({ code: 'ERR_CONTROL_TRUST' });
  });

  it('with keys the trust file does not name', async () => {
    using other = await createOrganisation(Date.now());
    const keys = { folder: join(other.folder, 'keys'), kek_file: join(other.folder, 'kek') };
    await expect(startWith({ keys })).rejects.toMatchObject({ code: 'ERR_CONTROL_KEY' });
  });

  it('with a file that is not there', async () => {
    await expect(startWith({ root_file: join(control.organisation.folder, 'nothing') })).rejects.toMatchObject({
      code: 'ERR_CONTROL_FILE',
    });
  });

  it('with a root that is no certificate', async () => {
    const root_file = join(control.organisation.folder, 'not-a-root.pem');
    writeFileSync(root_file, 'hello');
    await expect(startWith({ root_file })).rejects.toMatchObject({ code: 'ERR_CONTROL_TRUST' });
  });
});

describe('anybody', () => {
  it('may read the trust file', async () => {
    const reply = await control.call('GET', '/v1/trust');
    expect([reply.type, reply.body]).toEqual(['application/jose', control.organisation.trustJws]);
  });

  it('sees a page under a policy that allows no script', async () => {
    const reply = await control.call('GET', '/');
    expect([reply.status, reply.type]).toEqual([200, 'text/html']);
    expect(reply.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; /);
    expect(reply.body).not.toMatch(/<script|\son[a-z]+=|not a secure context/);
  });

  it('is told what to do about plain HTTP when the page is opened under another name', async () => {
    await using open = await startTestControl();
    open.config = { ...open.config, listen: { host: '0.0.0.0', port: 0 }, unsafe_plain_http: true };
    await open.restart();
    const { port } = new URL(open.running.url);
    const local = await send(`http://127.0.0.1:${port}`, 'GET', '/', undefined, {});
    expect(local.body).not.toContain('not a secure context');
    const byName = await send(`http://127.0.0.2:${port}`, 'GET', '/', undefined, {});
    expect(byName.body).toContain('not a secure context');
    expect(open.logs.join('')).toContain('"option":"unsafe_plain_http"');
  });

  it('finds every route in the interface description', async () => {
    const { body } = await control.call('GET', '/openapi.json');
    const paths = [
      '/v1/token',
      '/v1/members',
      '/v1/applications',
      '/v1/alert-senders',
      '/v1/bundle',
      '/v1/invites',
      '/v1/enrollments',
      '/v1/devices/revoke',
      '/v1/trust',
    ];
    expect(Object.keys(body.paths)).toEqual(expect.arrayContaining(paths));
  });

  it('learns whether it is ready', async () => {
    expect((await control.call('GET', '/readyz')).body).toEqual({ status: 'ok' });
  });
});

it('keys made at the first start are kept for the next', async () => {
  const { folder } = control.organisation;
  const read = () =>
    openKeyStore({ folder: join(folder, 'keys'), kek_file: join(folder, 'kek') }).readSecret('storage');
  const before = read();
  await control.restart();
  expect(read()).toEqual(before);
});
