/** Rows of the delivery tables as inputs of the machine. The dispatcher is another role: what it wrote is parsed again. */
import { attemptIdSchema, type MessageId, messageIdSchema } from '@sealpost/protocol';
import { reportSchema } from '@sealpost/protocol/carriage';
import { z } from 'zod';
import type { Input, ProviderStatus, Taken } from './types.ts';

export interface TimerRow {
  readonly id: number;
  readonly due: number;
  readonly message: string;
  readonly kind: string;
  readonly step: number | null;
}
export interface OutcomeRow {
  readonly id: number;
  readonly message: string;
  readonly attempt: string;
  readonly outcome: string;
}
export interface ReceiptRow {
  readonly id: number;
  readonly status: string;
  readonly code: string;
  readonly message: string;
  readonly attempt: string;
}

export interface AsideRow {
  readonly id: number;
  readonly message: string;
  readonly input: string;
  readonly failures: number;
}

const statusSchema: z.ZodType<ProviderStatus> = z.enum(['delivered', 'read', 'expired', 'failed']);

function messageOf(text: string): MessageId {
  return messageIdSchema.parse(text);
}

export function inputOfTimer({ message, kind, step }: TimerRow): Taken {
  return {
    message: messageOf(message),
    input: inputOfTime(kind, step),
  };
}

function inputOfTime(kind: string, step: number | null): Input {
  if (kind === 'step' && step !== null) return { kind: 'step-due', step };
  return { kind: kind === 'revocation' ? 'revocation-due' : 'expiry-due' };
}

/** As it was written here when it was set aside. */
export function inputOfAside({ message, input, failures }: AsideRow): Taken {
  return { message: messageOf(message), input: JSON.parse(input) as Input, failures };
}

/**
 * An outcome that is none of the known kinds was still a try whose effect nobody knows. One of ids we never give out is
 * about nothing of ours.
 */
export function inputOfOutcome(row: OutcomeRow): Taken[] {
  const [message, attempt] = [messageIdSchema.safeParse(row.message), attemptIdSchema.safeParse(row.attempt)];
  if (!message.success || !attempt.success) return [];
  const parsed = reportSchema.safeParse(parseJson(row.outcome));
  const outcome = parsed.success ? parsed.data : ({ kind: 'ambiguous', reason: 'unreadable-outcome' } as const);
  if (outcome.kind === 'taken-back')
    return [{ message: message.data, input: { kind: 'taken-back', attempt: attempt.data, result: outcome.result } }];
  return [{ message: message.data, input: { kind: 'outcome', attempt: attempt.data, outcome } }];
}

export function inputOfReceipt({ message, attempt, status, code }: ReceiptRow): Taken {
  return {
    message: messageOf(message),
    input: {
      kind: 'provider-receipt',
      attempt: attemptIdSchema.parse(attempt),
      status: statusSchema.parse(status),
      code: code.slice(0, 120),
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
