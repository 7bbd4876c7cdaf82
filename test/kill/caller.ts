/**
 * Callers that do what their contract asks: repeat a request under its key until they are told 202, whoever is away in
 * the meantime. What else they were told is counted by code, so that a run shows how its outages looked from outside.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type ControlClient, createControlClient } from '../../packages/cli/src/operator/control-client.ts';
import { requestToken } from '../../packages/cli/src/operator/operator.ts';
import type { Signer } from '../../packages/crypto/src/signer/index.ts';
import { systemSurroundings } from '../../packages/platform/src/index.ts';
import { controlApi, type FlowName, type MemberId, SealpostError } from '../../packages/protocol/src/index.ts';

export interface Application {
  readonly id: MemberId;
  readonly signer: Signer;
}

export interface Letter {
  readonly key: string;
  readonly flow: FlowName;
  readonly to: MemberId;
}

export interface Caller {
  readonly control: ControlClient;
  /** Runs `work` until it is done; every refusal that may pass is waited out. Throws for one that cannot pass. */
  untilDone<T>(work: () => Promise<T>): Promise<T>;
  /** Answers the message this key stands for. */
  send(letter: Letter): Promise<string>;
  /** Has what people write back delivered to this address. */
  subscribe(flow: FlowName, url: string): Promise<void>;
  /** How often each refusal was met. */
  readonly refusals: ReadonlyMap<string, number>;
}

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 800;
const TOKEN_LIFETIME = 200_000;
/** Many times what a call takes while services die around it, on a machine with other work too. */
const PATIENCE = 600_000;

export function createCaller(port: number, application: () => Application): Caller {
  const control = createControlClient(`http://127.0.0.1:${port}`);
  const surroundings = systemSurroundings();
  const refusals = new Map<string, number>();
  const tokens = new Map<FlowName, { readonly token: Promise<string>; readonly until: number }>();

  const untilDone = async <T>(work: () => Promise<T>): Promise<T> => {
    const deadline = surroundings.now() + PATIENCE;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      try {
        return await work();
      } catch (cause) {
        const code = codeOf(cause);
        refusals.set(code, (refusals.get(code) ?? 0) + 1);
        if (!mayPass(cause) || surroundings.now() > deadline) throw cause;
        await delay(pause);
      }
    }
  };

  const tokenFor = (flow: FlowName): Promise<string> => {
    const known = tokens.get(flow);
    if (known !== undefined && known.until > surroundings.now()) return known.token;
    const { id, signer } = application();
    const token = untilDone(() => requestToken(control, signer, id, `flow:${flow}`, surroundings));
    tokens.set(flow, { token, until: surroundings.now() + TOKEN_LIFETIME });
    return token;
  };

  return {
    control,
    untilDone,
    refusals,
    subscribe: (flow, url) =>
      untilDone(async () => {
        const body = { url, types: ['sealpost.message.replied'] };
        const token = await tokenFor(flow);
        await control.call('POST', '/v1/subscriptions', controlApi.subscriptionMadeSchema, { body, token });
      }),
    send: ({ key, flow, to }) =>
      untilDone(async () => {
        const answer = await control.call('POST', '/v1/messages', controlApi.messageAcceptedSchema, {
          body: { flow, to, content: { subject: key, body: `Message ${key}.`, acknowledge: true } },
          token: await tokenFor(flow),
          headers: { 'idempotency-key': key },
        });
        return answer.message;
      }),
  };
}

function codeOf(cause: unknown): string {
  return cause instanceof SealpostError ? cause.code : cause instanceof Error ? cause.name : 'unknown';
}

/** Refusals the hints of which say to repeat the same request later. */
const PASSING: readonly string[] = ['unavailable', 'limited'];
/** Control and gateway run different bundles until the operator's own repetition has been taken. */
const WHILE_BUNDLES_DIFFER: readonly string[] = ['ERR_ENVELOPES_BUNDLE'];

function mayPass(cause: unknown): boolean {
  if (!(cause instanceof SealpostError)) return false;
  return PASSING.includes(cause.kind) || WHILE_BUNDLES_DIFFER.includes(cause.code);
}
