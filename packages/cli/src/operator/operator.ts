/**
 * What only the operator's own keys can do: sign approvals and bundles, and ask for an operator's token. The keys stay in
 * the operator's folder; servers hold their public halves.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type Signer, signJws } from '@sealpost/crypto/signer';
import type { Surroundings } from '@sealpost/platform';
import {
  APPROVAL_TYPE,
  type Approval,
  type ApprovalAction,
  type ApprovedObject,
  BUNDLE_TYPE,
  type Bundle,
  canonicalBytes,
  controlApi,
  type FlowName,
  type MemberId,
  type Organisation,
  toBase64url,
  type VendorName,
} from '@sealpost/protocol';
import { openStore, readBootstrapped } from '../bootstrap/bootstrap.ts';
import type { ControlClient } from './control-client.ts';

/** Short enough to be worthless when found later. An invitation lives as long as the approval of it. */
const APPROVAL_LIFETIME = 10 * 60_000;
const INVITE_LIFETIME = 10 * 60_000;
const ASSERTION_LIFETIME = 60_000;

export interface Operator {
  readonly organisation: Organisation;
  registerMember(member: MemberId, displayName: string, phone: string | undefined): Promise<'done' | 'already'>;
  registerApplication(
    application: MemberId,
    publicKey: ApprovedObject<'application.register'>['publicKey'],
    flows: readonly FlowName[],
  ): Promise<'done' | 'already'>;
  /** Answers the secret, which is shown once and stored nowhere. */
  registerAlertSender(sender: MemberId, flow: FlowName, to: MemberId): Promise<string>;
  /** Answers the single-use code. */
  inviteDevice(member: MemberId): Promise<string>;
  /** Answers the single-use code that lets one browser read at the console. */
  inviteConsole(): Promise<string>;
  revokeDevice(member: MemberId, device: string, reason: string): Promise<'done' | 'already'>;
  /** Closes a provider account to everything, or opens it again. */
  switchVendor(vendor: VendorName, open: boolean): Promise<'done' | 'already'>;
  applyBundle(bundle: Bundle): Promise<'done' | 'already'>;
  signBundle(bundle: Bundle): Promise<string>;
  /** A token of minutes for reading the log, timelines and the directory. */
  token(): Promise<string>;
}

export async function openOperator(
  folder: string,
  control: ControlClient,
  surroundings: Surroundings,
): Promise<Operator> {
  const { trust } = await readBootstrapped(folder);
  const store = openStore(folder);
  const [operator, approver] = [await store.signer('operator'), await store.signer('approver')];
  const { organisation } = trust;

  const approve = async <A extends ApprovalAction>(action: A, object: ApprovedObject<A>) => {
    const approval: Approval = {
      v: 1,
      organisation,
      action,
      object: toBase64url(createHash('sha256').update(canonicalBytes(object)).digest()),
      approver: approver.keyId,
      issued: surroundings.now(),
      expires: surroundings.now() + APPROVAL_LIFETIME,
    };
    return { object, approval: await signJws(APPROVAL_TYPE, approval, approver) };
  };
  const submit = async <A extends ApprovalAction>(
    method: 'POST' | 'PUT',
    path: string,
    action: A,
    object: ApprovedObject<A>,
  ) => {
    const { outcome } = await control.call(method, path, controlApi.adminAnswerSchema, {
      body: await approve(action, object),
    });
    return outcome;
  };
  const nonce = () => toBase64url(surroundings.random(16));
  const invitation = (code: string) => ({
    codeHash: hashOf(code),
    expires: surroundings.now() + INVITE_LIFETIME,
    nonce: nonce(),
  });
  const hashOf = (secret: string) => toBase64url(createHash('sha256').update(secret).digest());

  return {
    organisation,
    registerMember: (member, displayName, phone) =>
      submit('POST', '/v1/members', 'member.register', {
        member,
        displayName,
        ...(phone === undefined ? {} : { phone }),
        nonce: nonce(),
      }),
    registerApplication: (application, publicKey, flows) =>
      submit('POST', '/v1/applications', 'application.register', {
        application,
        publicKey,
        flows: [...flows],
        nonce: nonce(),
      }),
    async registerAlertSender(sender, flow, to) {
      const secret = `sps_${sender}_${toBase64url(surroundings.random(32))}`;
      await submit('POST', '/v1/alert-senders', 'alert-sender.register', {
        sender,
        flow,
        to,
        secretHash: hashOf(secret),
        nonce: nonce(),
      });
      return secret;
    },
    async inviteDevice(member) {
      const code = singleUseCode();
      await submit('POST', '/v1/invites', 'device.invite', { member, ...invitation(code) });
      return code;
    },
    async inviteConsole() {
      const code = singleUseCode();
      await submit('POST', '/v1/console/invites', 'console.invite', invitation(code));
      return code;
    },
    revokeDevice: (member, device, reason) =>
      submit('POST', '/v1/devices/revoke', 'device.revoke', { member, device, reason, nonce: nonce() }),
    switchVendor: (vendor, open) =>
      submit('POST', '/v1/vendors/switch', 'vendor.switch', { vendor, open, nonce: nonce() }),
    signBundle: (bundle) => signJws(BUNDLE_TYPE, bundle, operator),
    async applyBundle(bundle) {
      return submit('PUT', '/v1/bundle', 'bundle.apply', { bundle: await signJws(BUNDLE_TYPE, bundle, operator) });
    },
    token: () => requestToken(control, approver, approver.keyId, 'operator', surroundings),
  };
}

/** Proves a registered key (RFC 7523 section 2.2) and answers the access token. */
export async function requestToken(
  control: ControlClient,
  key: Signer,
  subject: string,
  scope: string,
  surroundings: Surroundings,
): Promise<string> {
  const seconds = Math.floor(surroundings.now() / 1000);
  const claims = {
    iss: subject,
    sub: subject,
    aud: 'control',
    iat: seconds,
    exp: seconds + ASSERTION_LIFETIME / 1000,
    jti: surroundings.uuid(),
  };
  const assertion = await signJws('JWT', claims, key);
  const body = {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    scope,
  };
  return (await control.call('POST', '/v1/token', controlApi.tokenAnswerSchema, { body })).access_token;
}

/** Twelve letters of Crockford's base 32 in groups of four: 60 random bits, easily read aloud. */
function singleUseCode(): string {
  const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  const picked = Array.from(randomBytes(12), (byte) => letters.charAt(byte & 31)).join('');
  return `${picked.slice(0, 4)}-${picked.slice(4, 8)}-${picked.slice(8)}`;
}
