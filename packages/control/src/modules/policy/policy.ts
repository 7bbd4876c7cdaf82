/**
 * Policy: Cedar decides who may send what over which flow. Three rules keep its traps shut:
 * a set that does not validate strictly is never loaded, every request is validated against the schema, and any
 * diagnostic error denies, because Cedar skips a policy that fails and a skipped `forbid` allows.
 */
import {
  type EntityUidJson,
  preparsePolicySet,
  preparseSchema,
  statefulIsAuthorized,
} from '@cedar-policy/cedar-wasm/nodejs';
import { type Bundle, CLASSIFICATIONS, type CompiledFlow, type Principal } from '@sealpost/protocol';
import { CEDAR_SCHEMA, checkPolicies } from '../flows/index.ts';
import { policyError } from './policy-errors.ts';
import { annotatedPolicies } from './policy-ids.ts';

export interface PolicyContext {
  /** Of subject, body and facts together, UTF-8. */
  readonly bytes: number;
  readonly facts: number;
  readonly attachments: number;
  readonly acknowledge: boolean;
}

export interface PolicyRequest {
  readonly principal: Principal;
  readonly action: 'send' | 'send-alert';
  readonly flow: CompiledFlow;
  /** The member it is for. */
  readonly to: string;
  readonly context: PolicyContext;
}

/** `policies` are the ids of those that determined the decision; `reason` is one short code for the log. */
export type PolicyDecision =
  | { readonly kind: 'allow'; readonly policies: readonly string[] }
  | {
      readonly kind: 'deny';
      readonly reason: 'no-bundle' | 'forbidden' | 'not-permitted' | 'policy-error';
      readonly policies: readonly string[];
    };

export interface Policy {
  decide(request: PolicyRequest): PolicyDecision;
  /** From now on decisions are made by this bundle's policies. Throws ERR_POLICY_INVALID for a set that does not validate strictly. */
  load(bundle: Bundle): void;
}

let instances = 0;

export function createPolicy(): Policy {
  // The cache is global inside the wasm: names are numbered so that two policies of one process never meet.
  const instance = instances++;
  const [schema, policies] = [`sealpost-schema-${instance}`, `sealpost-policies-${instance}`];
  if (preparseSchema(schema, CEDAR_SCHEMA).type === 'failure') throw new TypeError('the Cedar schema does not parse');
  let loaded = false;

  const load = (bundle: Bundle) => {
    if (checkPolicies(bundle.policies).length > 0) throw policyError('ERR_POLICY_INVALID');
    const answer = preparsePolicySet(policies, { staticPolicies: annotatedPolicies(bundle.policies) });
    if (answer.type === 'failure') throw policyError('ERR_POLICY_INVALID');
    loaded = true;
  };
  return {
    load,
    decide(request) {
      if (!loaded) return deny('no-bundle');
      return answerOf(schema, policies, request, principalOf(request.principal));
    },
  };
}

function answerOf(schema: string, policies: string, request: PolicyRequest, principal: CedarEntity): PolicyDecision {
  const { action, flow, to, context } = request;
  const answer = statefulIsAuthorized({
    principal: principal.uid,
    action: { type: 'Action', id: action },
    resource: uid('Flow', flow.name),
    context: { ...context, to: entity('Member', to) },
    preparsedSchemaName: schema,
    validateRequest: true,
    preparsedPolicySetId: policies,
    entities: [principal, flowEntity(flow), { uid: uid('Member', to), attrs: {}, parents: [] }],
  });
  if (answer.type === 'failure') return deny('policy-error');
  const { decision, diagnostics } = answer.response;
  const named = [...diagnostics.reason].sort();
  if (diagnostics.errors.length > 0)
    return deny('policy-error', diagnostics.errors.map((error) => error.policyId).sort());
  if (decision === 'allow') return { kind: 'allow', policies: named };
  return deny(named.length > 0 ? 'forbidden' : 'not-permitted', named);
}

interface CedarEntity {
  readonly uid: { type: string; id: string };
  readonly attrs: Record<
    string,
    { __entity: { type: string; id: string } } | { __entity: { type: string; id: string } }[]
  >;
  readonly parents: EntityUidJson[];
}

function principalOf(principal: Principal): CedarEntity {
  switch (principal.kind) {
    case 'application': {
      const flows = principal.flows.map((name) => entity('Flow', name));
      return { uid: uid('Application', principal.id), attrs: { flows }, parents: [] };
    }
    case 'alert-sender': {
      const attrs = { flow: entity('Flow', principal.flow), to: entity('Member', principal.to) };
      return { uid: uid('AlertSender', principal.id), attrs, parents: [] };
    }
    case 'approver':
      return { uid: uid('Approver', principal.key), attrs: {}, parents: [] };
  }
}

function flowEntity(flow: CompiledFlow) {
  const { agent, classification, floor } = flow;
  const classificationRank = CLASSIFICATIONS.indexOf(classification);
  return { uid: uid('Flow', flow.name), attrs: { agent, classification, classificationRank, floor }, parents: [] };
}

const uid = (type: string, id: string) => ({ type, id });
const entity = (type: string, id: string) => ({ __entity: { type, id } });

function deny(
  reason: Extract<PolicyDecision, { kind: 'deny' }>['reason'],
  policies: readonly string[] = [],
): PolicyDecision {
  return { kind: 'deny', reason, policies };
}
