/**
 * Forms several adapters' settings share. Secrets are named by file and read through the context, never written here.
 */
import { z } from 'zod';

export const secretFileSchema = z.string().min(1).max(4096);

/** The root of a provider's API, without the slash at its end. */
export const endpointSchema = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .transform((url) => url.replace(/\/+$/, ''));

/** The label of the button that opens a link (RCS: at most 25 characters). */
export const buttonTextSchema = z.string().min(1).max(25).default('Open');
