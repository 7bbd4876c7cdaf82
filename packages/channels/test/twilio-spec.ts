/**
 * Twilio's published API (`twilio_api_v2010.json` in `$SEALPOST_SPECS`, by default `../shared/specs` beside the
 * repository), as a check of what is sent to the Messages resource and what is answered. The description lets unknown
 * fields pass; here they do not.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';

const FOLDER = process.env.SEALPOST_SPECS ?? resolve(import.meta.dirname, '../../../../shared/specs');
const FILE = join(FOLDER, 'twilio_api_v2010.json');
export const TWILIO_SPEC_ABSENT = existsSync(FILE) ? undefined : `needs ${FILE}: set SEALPOST_SPECS`;

const REQUEST =
  '/paths/~12010-04-01~1Accounts~1%7BAccountSid%7D~1Messages.json/post/requestBody/content/application~1x-www-form-urlencoded/schema';
const ANSWER = '/components/schemas/api.v2010.account.message';

export function createTwilioSpecCheck() {
  const violations: string[] = [];
  let checked = 0;
  const spec = JSON.parse(readFileSync(FILE, 'utf8'));
  const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: 'array' });
  formats.default(ajv);
  for (const format of ['phone-number', 'uri-map', 'currency', 'date-time-rfc-2822']) ajv.addFormat(format, true);
  ajv.addSchema({ ...spec, $id: 'twilio' });
  const request = ajv.compile({ $ref: `twilio#${REQUEST}` });
  const answer = ajv.compile({ $ref: `twilio#${ANSWER}` });
  const published = new Set(
    Object.keys(
      spec.paths['/2010-04-01/Accounts/{AccountSid}/Messages.json'].post.requestBody.content[
        'application/x-www-form-urlencoded'
      ].schema.properties,
    ),
  );
  return {
    violations,
    get checked() {
      return checked;
    },
    request(form: string): void {
      const fields = Object.fromEntries(new URLSearchParams(form));
      checked += 1;
      if (!request(fields)) violations.push(`request: ${ajv.errorsText(request.errors)}`);
      for (const name of Object.keys(fields)) if (!published.has(name)) violations.push(`request: ${name} unknown`);
    },
    answer(body: unknown): void {
      if (!answer(body)) violations.push(`answer: ${ajv.errorsText(answer.errors)}`);
    },
  };
}
