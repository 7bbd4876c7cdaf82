/** One HTTP request as it goes over the wire, and its answer with the problem's code; TLS with whatever certificate. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Client certificate (PEM); the server's is not what these tests are about. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  /** `code` of the problem document; `undefined` when it is none. */
  readonly code: string | undefined;
}

export function call({ method, url, headers = {}, body, certificate }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const secure = url.startsWith('https:');
    const options = { method, headers, agent: false as const, timeout: 20_000 };
    const tls = { ...certificate, rejectUnauthorized: false, minVersion: 'TLSv1.3' as const };
    const outgoing = secure ? httpsRequest(url, { ...options, ...tls }) : httpRequest(url, options);
    outgoing.on('response', (answer) => read(answer).then(resolve, reject));
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer to ${method} ${url}`)));
    outgoing.on('error', reject);
    // A body that is only announced is refused before it is sent.
    if (Number(headers['content-length'] ?? 0) > (body ?? '').length) outgoing.flushHeaders();
    else outgoing.end(body);
  });
}

/** As `call`, with a JSON body. */
export function callJson(request: Omit<Call, 'body'> & { readonly json: unknown }): Promise<Answer> {
  const { json, headers, ...rest } = request;
  return call({ ...rest, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(json) });
}

export const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` });

async function read(answer: IncomingMessage): Promise<Answer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer) {
    chunks.push(chunk);
    // What streams without end has said enough.
    if (chunks.length > 10_000) break;
  }
  answer.destroy();
  const text = Buffer.concat(chunks).toString('utf8');
  const type = answer.headers['content-type'] ?? '';
  return { status: answer.statusCode ?? 0, type, text, code: codeIn(type, text) };
}

function codeIn(type: string, text: string): string | undefined {
  if (!type.startsWith('application/problem+json')) return undefined;
  const { code } = JSON.parse(text) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
