/**
 * The proof both sides give (Apple, "Authorizing Messages"): a JWT, HS256 under the MSP's secret. Ours names us as issuer and
 * never as audience, Apple's names us as audience: one of ours sent back to us proves nothing. Neither covers the body, and
 * Apple's need not expire, so a copied one could be used again until the secret is changed; TLS keeps it from being seen.
 */
import { errors, jwtVerify, SignJWT } from 'jose';
import type { AdapterContext } from '../adapter.ts';
import { secretText } from '../secret-text.ts';
import { decodeBase64 } from '../signature.ts';
import type { ImessageBusinessSettings } from './config.ts';

const CLOCK_TOLERANCE_SECONDS = 60;

/** `undefined` when the secret cannot be read or used. */
export async function signToken(
  settings: ImessageBusinessSettings,
  context: AdapterContext,
): Promise<string | undefined> {
  const key = await keyOf(settings, context);
  if (key === undefined) return undefined;
  return await new SignJWT()
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(settings.msp_id)
    .setIssuedAt(Math.floor(context.now() / 1000))
    .sign(key);
}

export async function isFromApple(
  authorization: string | undefined,
  settings: ImessageBusinessSettings,
  context: AdapterContext,
): Promise<boolean> {
  const [, token] = /^Bearer ([A-Za-z0-9._-]{1,8192})$/i.exec(authorization ?? '') ?? [];
  const key = await keyOf(settings, context);
  if (token === undefined || key === undefined) return false;
  try {
    await jwtVerify(token, key, {
      algorithms: ['HS256'],
      audience: settings.msp_id,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(context.now()),
    });
    return true;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return false;
    throw error;
  }
}

async function keyOf(settings: ImessageBusinessSettings, context: AdapterContext): Promise<Uint8Array | undefined> {
  const key = decodeBase64((await secretText(context, settings.secret_file)) ?? '');
  return key !== undefined && key.byteLength > 0 ? key : undefined;
}
