/**
 * Teams by Power Automate workflows ("Post to a channel when a webhook request is received"): each address is the name of one
 * workflow's URL. Nothing comes back but 202, so there is nothing to ask about and nothing to take back. URLs of the Office 365
 * connectors (`webhook.office.com`), which Microsoft has retired, are refused.
 */
import type { Outcome } from '@sealpost/protocol/carriage';
import type { Adapter, AdapterContext, Attempt, Capabilities } from '../adapter.ts';
import { httpCall } from '../http-call.ts';
import { secretText } from '../secret-text.ts';
import { fitTeams, TEAMS_LIMITS, workflowBodyOf } from './card.ts';
import { classifyWorkflow } from './classify.ts';
import type { TeamsWorkflowSettings } from './config.ts';

/** "Create incoming webhooks with Workflows": 28 KB a message. */
const MAX_BYTES = 28_000;
/** Logic Apps of the world's and the governments' clouds, and Power Platform environments. */
const WORKFLOW_HOST = /^[a-z0-9.-]+\.(?:logic\.azure\.(?:com|us)|environment\.api\.powerplatform\.(?:com|us))$/;

const CAPABILITIES: Capabilities = {
  protection: 'transport',
  readers: ['Microsoft', 'the tenant’s administrators', 'everybody in the channel'],
  address: 'handle',
  content: TEAMS_LIMITS,
  delivered: false,
  read: false,
  idempotent: false,
  maxTtl: 0,
  lookup: false,
  query: false,
  revoke: 'no',
  inbound: false,
  webhook: 'none',
};

export function createTeamsWorkflows(settings: TeamsWorkflowSettings, context: AdapterContext): Adapter {
  const http = { fetch: context.fetch, now: context.now, timeoutMs: settings.timeout };

  async function send({ id, address, payload, expires }: Attempt): Promise<Outcome> {
    if (expires <= context.now()) return { kind: 'permanent', reason: 'expired' };
    const path = Object.hasOwn(settings.url_files, address) ? settings.url_files[address] : undefined;
    if (path === undefined) return { kind: 'downgrade', reason: 'no workflow of that name' };
    const fitted = fitTeams(payload, settings.button_text, MAX_BYTES, workflowBodyOf);
    if (fitted.kind === 'refused') return { kind: 'permanent', reason: fitted.reason };
    const url = await secretText(context, path);
    if (url === undefined) return { kind: 'auth-broken', reason: 'workflow URL file unreadable' };
    if (!isWorkflowUrl(url)) return { kind: 'auth-broken', reason: 'not the URL of a workflow' };
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(workflowBodyOf(fitted.message));
    return classifyWorkflow(await httpCall(http, url, { method: 'POST', headers, body }), id);
  }

  return { capabilities: CAPABILITIES, async start() {}, send, async stop() {} };
}

export function isWorkflowUrl(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'https:' && url.port === '' && url.username === '' && WORKFLOW_HOST.test(url.hostname);
}
