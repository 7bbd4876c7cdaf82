/** Asks every case and judges every answer, a few at a time. */
import type { Answer } from '../support/call.ts';
import { type Case, type Request, titleOf } from './cases.ts';
import { type Codes, faultsElsewhere, faultsOf } from './judge.ts';

export type Send = (request: Request, role: string, api: string) => Promise<Answer>;

export interface Verdict {
  readonly asked: number;
  /** One line a fault, with the case that brought it. */
  readonly faults: readonly string[];
  /** How often each status was answered. */
  readonly statuses: Readonly<Record<number, number>>;
}

const AT_ONCE = 8;

export async function check(cases: readonly Case[], send: Send, codes: Codes): Promise<Verdict> {
  const faults: string[] = [];
  const statuses: Record<number, number> = {};
  const waiting = cases.values();
  const ask = async () => {
    for (const one of waiting) {
      const answer = await send(one.request, one.role, one.operation.api);
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      const judge = one.lost === true ? faultsElsewhere : faultsOf;
      if (one.names !== undefined && !answer.text.includes(one.names))
        faults.push(`${titleOf(one)}: does not name ${one.names}${shown(one, answer)}`);
      for (const fault of judge(one.operation, one.wanted, answer, codes))
        faults.push(`${titleOf(one)}: ${fault}${shown(one, answer)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return { asked: cases.length, faults, statuses };
}

function shown({ request }: Case, { text }: Answer): string {
  const { method, path, body = '' } = request;
  return `\n    ${method} ${path.slice(0, 200)} ${body.slice(0, 300)}\n    ${text.slice(0, 300)}`;
}
