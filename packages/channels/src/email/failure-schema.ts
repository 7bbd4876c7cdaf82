/** What went wrong with the relay, taken from an error of nodemailer: codes alone, never the text of a reply. */
import { z } from 'zod';

const code = z.string().regex(/^[A-Z0-9_]{1,64}$/);
const failureSchema = z.object({
  code,
  /** The system's own code where nodemailer's covers it. */
  originalCode: code.optional(),
  command: z.string().max(64).optional(),
  response: z.string().optional(),
  responseCode: z.int().min(400).max(599).optional(),
});

/** What the relay was answering; `end` is the end of the data. */
type Asked = 'session' | 'sender' | 'recipient' | 'data' | 'end' | 'auth';

export interface RelayFailure {
  readonly code: string;
  /** The relay's own reply, where it gave one. */
  readonly reply: { readonly asked: Asked; readonly status: number; readonly enhanced: string | undefined } | undefined;
}

export function parseFailure(error: unknown): RelayFailure {
  const failure = failureSchema.safeParse(error).data;
  if (failure === undefined) return { code: 'UNKNOWN', reply: undefined };
  const { code, originalCode = code, command = '', response = '', responseCode: status } = failure;
  if (status === undefined) return { code: originalCode, reply: undefined };
  return { code: originalCode, reply: { asked: askedOf(command, code), status, enhanced: enhancedOf(response) } };
}

function askedOf(command: string, code: string): Asked {
  if (code === 'EAUTH') return 'auth';
  if (command === 'MAIL FROM') return 'sender';
  if (command === 'RCPT TO') return 'recipient';
  if (command === 'DATA') return code === 'EMESSAGE' ? 'end' : 'data';
  return 'session';
}

/** RFC 3463: class, subject, detail. */
function enhancedOf(response: string): string | undefined {
  return /^\d{3}[ -]([45]\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1];
}
