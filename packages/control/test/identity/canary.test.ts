/** Canary: secrets, numbers, codes and names seeded into every endpoint appear in no log line and no answer. */
import { createCertificateRequest, createSigningKey } from '@sealpost/crypto/signer';
import { sha256 } from '@sealpost/crypto/verify';
import { toBase64url, utf8 } from '@sealpost/protocol';
import { expect, it } from 'vitest';
import {
  applyBundle,
  inviteDevice,
  registerApplication,
  startTestControl,
  testBundle,
  tokenRequest,
} from '../support/control.ts';
import { nonce, random } from '../support/organisation.ts';

it('nothing secret reaches a log line, whether a request is honest, wrong or breaks something inside', async () => {
  await using control = await startTestControl();
  const [phone, display] = ['+4915199988877', 'Zerberus Canaryname'];
  const secret = `sps_watch_${toBase64url(random(32))}`;
  const seeded: string[] = [phone, phone.slice(1), display, secret, secret.slice(10)];

  const member = { member: 'alice', displayName: display, phone, nonce: nonce() };
  await control.approved('POST', '/v1/members', 'member.register', member as never);
  await control.call('POST', '/v1/members', { object: { ...member, phone: `${phone}x` }, approval: 'x' });
  const sender = {
    sender: 'watch',
    flow: 'one',
    to: 'alice',
    secretHash: toBase64url(sha256(utf8(secret))),
    nonce: nonce(),
  };
  await control.approved('POST', '/v1/alert-senders', 'alert-sender.register', sender as never);

  const key = await registerApplication(control, 'pager', ['one']);
  const request = await tokenRequest(control, key, 'pager', 'flow:one');
  const { body } = await control.call('POST', '/v1/token', request);
  const replayed = await control.call('POST', '/v1/token', request);
  seeded.push(body.access_token, request.client_assertion ?? '');

  const code = await inviteDevice(control, 'alice');
  const { signer } = await createSigningKey('ES256');
  const enrollment = {
    code,
    name: 'Canaryphone',
    request: toBase64url(await createCertificateRequest(signer, { commonName: 'x' })),
  };
  await control.call('POST', '/v1/enrollments', enrollment);
  const wrong = await control.call('POST', '/v1/enrollments', { ...enrollment, code: `${code}-canarycode` });
  seeded.push(code, 'Canaryphone', 'canarycode', enrollment.request);

  control.gateway.interfere = () => 'hang up';
  const away = await applyBundle(control, testBundle(control, 1));
  control.gateway.interfere = undefined;
  await applyBundle(control, testBundle(control, 1));
  await control.restart();

  const text = control.logs.join('');
  expect(control.logs.length).toBeGreaterThan(3);
  for (const canary of seeded) expect(text).not.toContain(canary);
  const answers = JSON.stringify([replayed.body, wrong.body, away.body]);
  for (const canary of seeded) expect(answers).not.toContain(canary);
  expect(text).not.toMatch(/PRIVATE KEY|Bearer |eyJ/);
});
