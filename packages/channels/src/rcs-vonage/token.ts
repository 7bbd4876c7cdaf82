/**
 * The token of a Vonage application: a JWT the application signs itself with RS256 (Vonage, "Authentication", "JSON Web
 * Tokens"). One is made for each call and lives for minutes, so that none has to be kept.
 */
import { importPKCS8, SignJWT } from 'jose';
import type { AdapterContext } from '../adapter.ts';
import { secretText } from '../secret-text.ts';
import type { RcsVonageSettings } from './config.ts';

const LIFETIME_SECONDS = 300;

/** `undefined` when the key cannot be read or used. */
export async function signToken(settings: RcsVonageSettings, context: AdapterContext): Promise<string | undefined> {
  const pem = await secretText(context, settings.private_key_file);
  if (pem === undefined) return undefined;
  const issued = Math.floor(context.now() / 1000);
  try {
    return await new SignJWT({ application_id: settings.application_id })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuedAt(issued)
      .setExpirationTime(issued + LIFETIME_SECONDS)
      .setJti(Buffer.from(context.random(16)).toString('hex'))
      .sign(await importPKCS8(pem, 'RS256'));
  } catch {
    return undefined;
  }
}
