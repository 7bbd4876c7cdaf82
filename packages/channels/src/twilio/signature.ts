/**
 * The signature of a Twilio webhook: `X-Twilio-Signature` is base64 of HMAC-SHA1 under the auth token over the URL as
 * Twilio called it and every form parameter, name and value, sorted by name; values of a repeated name are taken once
 * each, sorted (Twilio, "Webhooks security"). Whether a standard port is part of the URL differs between Twilio's own
 * systems, so both spellings are tried, as Twilio's SDKs do.
 */
import { createHmac } from 'node:crypto';
import { sameMac } from '../signature.ts';

export function verifyTwilioSignature(
  signature: string | undefined,
  url: string,
  form: URLSearchParams,
  authToken: Uint8Array,
): boolean {
  const parameters = signedParameters(form);
  const accepted = spellingsOf(url).map((spelling) =>
    sameMac(
      signature,
      createHmac('sha1', authToken)
        .update(spelling + parameters)
        .digest(),
    ),
  );
  return accepted.includes(true);
}

function signedParameters(form: URLSearchParams): string {
  const names = [...new Set(form.keys())].sort();
  return names.flatMap((name) => [...new Set(form.getAll(name))].sort().map((value) => name + value)).join('');
}

const URL_PARTS = /^(https?:\/\/)((?:\[[^\]]*\]|[^:/?#])+)(?::(\d+))?(.*)$/s;

/** The URL without its port, and with its own or the standard one. Other parts keep the characters that were signed. */
function spellingsOf(url: string): readonly string[] {
  const [, scheme, host, port, rest] = URL_PARTS.exec(url) ?? [];
  if (scheme === undefined || host === undefined || rest === undefined) return [url];
  const standard = scheme === 'https://' ? '443' : '80';
  return [`${scheme}${host}${rest}`, `${scheme}${host}:${port ?? standard}${rest}`];
}
