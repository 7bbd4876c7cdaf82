/** Rows of the delivery tables as inputs of the machine. The dispatcher is another role: what it wrote is parsed again. */
import { attemptIdSchema, type MessageId, messageIdSchema } from '@sealpost/protocol';
import { outcomeSchema } from '@sealpost/protocol/carriage';
import { z } from 'zod';
import type { ProviderStatus, Taken } from './types.ts';

export interface TimerRow {
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

const statusSchema: z.ZodType<ProviderStatus> = z.enum(['delivered', 'read', 'expired', 'failed']);

export function messageOf(text: string): MessageId {
  return messageIdSchema.parse(text);
}

export function inputOfTimer({ message, kind, step }: TimerRow): Taken {
  return {
    message: messageOf(message),
    input: kind === 'step' && step !== null ? { kind: 'step-due', step } : { kind: 'expiry-due' },
  };
}

/** An outcome that is none of the known kinds was still a try whose effect nobody knows. */
export function inputOfOutcome({ message, attempt, outcome }: OutcomeRow): Taken {
  const parsed = outcomeSchema.safeParse(parseJson(outcome));
  const known = parsed.success ? parsed.data : ({ kind: 'ambiguous', reason: 'unreadable-outcome' } as const);
  return {
    message: messageOf(message),
    input: { kind: 'outcome', attempt: attemptIdSchema.parse(attempt), outcome: known },
  };
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
