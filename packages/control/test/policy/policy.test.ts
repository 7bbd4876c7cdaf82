/** Policy: what the demo permits and forbids, and the traps of Cedar that must stay shut. */
import { readFileSync } from 'node:fs';
import type { CompiledFlow, Principal } from '@sealpost/protocol';
import { describe, expect, it } from 'vitest';
import { compileBundle } from '../../src/modules/flows/compile.ts';
import { createPolicy, type PolicyRequest } from '../../src/modules/policy/index.ts';
import { MANIFESTS } from '../support/control.ts';

const demo = (file: string) =>
  readFileSync(new URL(`../../../../manifests/demo/policies/${file}`, import.meta.url), 'utf8');
const DEMO = `${demo('senders.cedar')}\n${demo('limits.cedar')}`;

function bundleWith(text: string) {
  const result = compileBundle(
    [{ file: 'a.yaml', text: MANIFESTS }],
    [{ file: 'p.cedar', text: 'permit (principal, action, resource) when { false || true };' }],
    { organisation: 'acme.example', version: 1, issued: 1, lifetime: 1000 },
  );
  if (result.kind === 'failed') throw new Error(JSON.stringify(result.problems));
  return { ...result.bundle, policies: [{ name: 'p.cedar', text }] };
}

const [flow] = bundleWith(DEMO).flows as [CompiledFlow];
const application: Principal = { kind: 'application', id: 'pager', flows: ['incident-alerts'] };
const sender: Principal = { kind: 'alert-sender', id: 'watchtower', flow: 'incident-alerts', to: 'alice' };
const context = { bytes: 100, facts: 1, attachments: 0, acknowledge: false };
const request: PolicyRequest = { principal: application, action: 'send', flow, to: 'alice', context };

function decideBy(text: string, change: Partial<PolicyRequest> = {}) {
  const policy = createPolicy();
  policy.load(bundleWith(text));
  return policy.decide({ ...request, ...change });
}

describe('the demo’s policies', () => {
  it('let an application send on a flow its token names', () => {
    expect(decideBy(DEMO)).toEqual({ kind: 'allow', policies: ['p.cedar#applications-on-their-flows'] });
  });

  it('let an alert sender alert its own recipient on its own flow', () => {
    expect(decideBy(DEMO, { principal: sender, action: 'send-alert' })).toMatchObject({ kind: 'allow' });
  });

  it.each<[string, Partial<PolicyRequest>]>([
    ['an application on another flow', { principal: { ...application, flows: ['other'] } as Principal }],
    ['an application without flows', { principal: { ...application, flows: [] } as Principal }],
    ['an alert sender to somebody else', { principal: sender, action: 'send-alert', to: 'bob' }],
    ['an alert sender on another flow', { principal: { ...sender, flow: 'other' } as Principal, action: 'send-alert' }],
    ['an approver', { principal: { kind: 'approver', key: 'k' } }],
  ])('do not permit %s', (_who, change) => {
    expect(decideBy(DEMO, change)).toEqual({ kind: 'deny', reason: 'not-permitted', policies: [] });
  });

  it.each<[string, Partial<PolicyRequest>, string]>([
    ['content that is too long', { context: { ...context, bytes: 131_073 } }, 'p.cedar#not-too-long'],
    ['too many attachments', { context: { ...context, attachments: 9 } }, 'p.cedar#not-too-many-attachments'],
  ])('forbid %s and name the policy', (_what, change, policy) => {
    expect(decideBy(DEMO, change)).toEqual({ kind: 'deny', reason: 'forbidden', policies: [policy] });
  });
});

describe('Cedar’s traps', () => {
  const permit = 'permit (principal, action, resource);';

  it('a forbid that fails while it is evaluated denies, although Cedar would skip it and allow', () => {
    const failing = `${permit}\nforbid (principal, action, resource) when { context.bytes * 9223372036854775807 > 5 };`;
    expect(decideBy(failing)).toMatchObject({ kind: 'deny', reason: 'policy-error' });
  });

  it('a set that does not validate is refused and the one before it stays', () => {
    const policy = createPolicy();
    policy.load(bundleWith(DEMO));
    const misspelt = `${permit}\nforbid (principal, action, resource) when { context.byte > 5 };`;
    expect(() => policy.load(bundleWith(misspelt))).toThrow(expect.objectContaining({ code: 'ERR_POLICY_INVALID' }));
    expect(policy.decide({ ...request, principal: { ...application, flows: [] } as Principal })).toMatchObject({
      kind: 'deny',
    });
  });

  it('a request that does not fit the schema denies', () => {
    expect(decideBy(permit, { principal: sender, action: 'send' })).toMatchObject({
      kind: 'deny',
      reason: 'policy-error',
    });
    expect(decideBy(permit, { context: { ...context, bytes: 1.5 } })).toMatchObject({ kind: 'deny' });
  });

  it('without a bundle nothing is allowed', () => {
    expect(createPolicy().decide(request)).toEqual({ kind: 'deny', reason: 'no-bundle', policies: [] });
  });

  it('without any policy nothing is permitted', () => {
    expect(decideBy('')).toMatchObject({ kind: 'deny', reason: 'not-permitted' });
  });

  it('two policies of one process do not see each other’s sets', () => {
    const [open, closed] = [createPolicy(), createPolicy()];
    open.load(bundleWith(permit));
    closed.load(bundleWith(`forbid (principal, action, resource);`));
    expect([open.decide(request).kind, closed.decide(request).kind]).toEqual(['allow', 'deny']);
  });
});
