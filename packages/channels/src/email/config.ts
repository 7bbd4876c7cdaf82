/**
 * Settings of the `email` adapter: one relay that takes our mail (RFC 6409), whom the mail is from, and what proves that a
 * bounce or reply was handed in by our own mail server.
 */
import { z } from 'zod';
import { durationSchema } from '../duration-schema.ts';
import { secretFileSchema } from '../setting-schema.ts';
import { isMailAddress } from './address.ts';

const mailAddressSchema = z
  .string()
  .refine(isMailAddress, 'use a mail address in ASCII, for example alerts@example.org');
/** Becomes part of a header: no control characters. */
const lineSchema = z
  .string()
  .min(1)
  .max(150)
  .regex(/^[^\p{Cc}\p{Cf}\u2028\u2029]+$/u, 'use one line of visible characters');

export const emailSettingsSchema = z
  .strictObject({
    host: z.string().min(1).max(253),
    port: z.int().min(1).max(65_535).default(587),
    /** `starttls` before anything is said (port 587), or TLS from the first byte (`implicit`, port 465; RFC 8314). */
    tls: z.enum(['starttls', 'implicit']).default('starttls'),
    /** Authorities the relay's certificate may come from, as PEM; the system's where absent. */
    ca_file: secretFileSchema.optional(),
    /** Everybody between us and the relay reads and can change the mail. For a relay on the same host. */
    unsafe_plaintext: z.boolean().default(false),
    username: z.string().min(1).max(256).optional(),
    password_file: secretFileSchema.optional(),
    from: mailAddressSchema,
    from_name: lineSchema.optional(),
    /** Where replies and STOP go; `from` where absent. */
    reply_to: mailAddressSchema.optional(),
    /** The envelope's sender, where bounces go; `from` where absent. */
    return_path: mailAddressSchema.optional(),
    /** The subject of a notice, a link, and content without a title. Every mail server on the way reads it. */
    subject: lineSchema.default('A message for you'),
    /**
     * The sender's own page that ends the mail at one POST (RFC 8058). `{attempt}` becomes the attempt's id, by which that
     * page knows whom it is about. The relay must sign the header with DKIM or mailbox providers ignore it.
     */
    unsubscribe_url: z
      .url({ protocol: /^https$/ })
      .max(1024)
      .refine((url) => url.includes('{attempt}'), 'say where the attempt’s id goes: {attempt}')
      .optional(),
    /** Bounces and replies are handed in with `Authorization: Bearer` and this secret. */
    webhook_token_file: secretFileSchema,
    /**
     * The name under which our mail server writes `Authentication-Results` (RFC 8601). Where set, a reply counts only if
     * that server says `dmarc=pass`; where absent, whoever can write to the mailbox can write as anybody.
     */
    authserv_id: z
      .string()
      .regex(/^[A-Za-z0-9.-]{1,253}$/)
      .optional(),
    /** For each answer of the relay; RFC 5321 section 4.5.3.2 lets it take minutes after the last byte. */
    timeout: durationSchema(100, 120_000).default(60_000),
  })
  .refine(({ username, password_file }) => (username === undefined) === (password_file === undefined), {
    error: 'username and password_file go together',
    path: ['password_file'],
  })
  .refine(({ unsafe_plaintext, password_file }) => !unsafe_plaintext || password_file === undefined, {
    error: 'a password is never sent in plaintext',
    path: ['unsafe_plaintext'],
  });

export type EmailSettings = z.infer<typeof emailSettingsSchema>;
