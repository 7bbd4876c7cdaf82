/** What the page's buttons do, each one request to the simulator, and what became of it in words. */
import { z } from 'zod';

export interface Outcome {
  readonly sentence: string;
  /** Set where it did not work. */
  readonly failed?: { readonly code?: string | undefined; readonly hint: string };
}

export type Deed = () => Promise<Outcome>;

const sentSchema = z.object({ alert: z.string(), status: z.enum(['firing', 'resolved']), message: z.string() });
const problemSchema = z.object({ detail: z.string(), code: z.string().optional() });

const AWAY = { sentence: 'The simulator does not answer.', failed: { hint: 'Check that `npm start` still runs.' } };

async function ask(method: string, path: string, body?: unknown): Promise<Response | undefined> {
  const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return fetch(path, { method, ...(body === undefined ? {} : json) }).catch(() => undefined);
}

async function done(answer: Response | undefined, sentence: string): Promise<Outcome> {
  if (answer === undefined) return AWAY;
  return answer.ok
    ? { sentence }
    : { sentence: 'The simulator refused.', failed: { hint: `It answered ${answer.status}.` } };
}

export function setPhone(number: string, online: boolean): Deed {
  return async () =>
    done(
      await ask('PUT', `/phones/${encodeURIComponent(number)}`, { online }),
      online ? 'The phone is on, and back on the network.' : 'The phone is off, and away from the network.',
    );
}

export function readPhone(number: string): Deed {
  return async () =>
    done(await ask('POST', `/phones/${encodeURIComponent(number)}/read`), 'Everything on the phone is read.');
}

export const breakRcs: Deed = async () =>
  done(
    await ask('PUT', '/faults/rbm', { kind: '503' }),
    'The RCS provider is broken: it answers 503 to every message.',
  );

export const repairRcs: Deed = async () =>
  done(await ask('PUT', '/faults/rbm', { kind: 'ok' }), 'The RCS provider works again.');

export function sendAlert(status: 'firing' | 'resolved'): Deed {
  return async () => {
    const answer = await ask('POST', '/monitoring/alerts', { status });
    const body: unknown = await answer?.json().catch(() => undefined);
    const sent = sentSchema.safeParse(body);
    if (answer?.status === 202 && sent.success) {
      const { alert, message } = sent.data;
      return { sentence: `${alert}, ${status}: control took it and sealed it as message ${message.slice(0, 8)}…` };
    }
    const problem = problemSchema.safeParse(body);
    if (!problem.success) return AWAY;
    const { detail, code } = problem.data;
    return {
      sentence: `No alert was sent: ${detail.charAt(0).toLowerCase()}${detail.slice(1).replace(/\.$/, '')}.`,
      failed: { code, hint: hintOf(answer?.status) },
    };
  };
}

function hintOf(status: number | undefined): string {
  if (status === 409) return 'Send an alert first; the secret is made by `npm start` where the operator’s folder is.';
  return 'Try again in a moment; control’s log says more.';
}
