/**
 * One mail (RFC 5322): plain text, a file as an attachment, and headers that hold nothing a person wrote but the subject and
 * the file's name. MailComposer folds and encodes those; neither can start a header of its own. No HTML: it would be read by
 * scanners that fetch what it names.
 */
import MailComposer from 'nodemailer/lib/mail-composer';
import type { Attempt, ContentLimits } from '../adapter.ts';
import type { Fitted } from '../fit.ts';
import { domainOf } from './address.ts';
import type { EmailSettings } from './config.ts';

export const EMAIL_LIMITS: ContentLimits = {
  text: 100_000,
  textUnit: 'characters',
  title: 300,
  suggestions: 0,
  suggestionText: 0,
  openLinks: false,
  file: 'bytes',
  fileBytes: 10 * 1024 * 1024,
  /** Not `multipart` and not `message`: a part of these types would have parts of its own. */
  fileTypes: ['application/*', 'audio/*', 'font/*', 'image/*', 'model/*', 'text/*', 'video/*'],
};

/** Stable over retries of one attempt, so that mailboxes that know a Message-ID show a repeat once. */
export function messageIdOf({ id }: Pick<Attempt, 'id'>, { from }: EmailSettings): string {
  return `${id}@${domainOf(from)}`;
}

export function compose(attempt: Attempt, message: Fitted, settings: EmailSettings, now: number): Promise<Uint8Array> {
  const { title, text, file } = message;
  const composer = new MailComposer({
    from: { name: settings.from_name ?? '', address: settings.from },
    to: { name: '', address: attempt.address },
    replyTo: { name: '', address: settings.reply_to ?? settings.from },
    subject: title ?? settings.subject,
    text,
    textEncoding: 'quoted-printable',
    date: new Date(now),
    messageId: `<${messageIdOf(attempt, settings)}>`,
    // RFC 3834: nobody's absence note is wanted in answer.
    headers: { 'Auto-Submitted': 'auto-generated', ...unsubscribeHeaders(attempt, settings) },
    attachments:
      file?.source.kind === 'bytes'
        ? [
            {
              filename: file.name,
              content: Buffer.from(file.source.data, 'base64url'),
              contentType: file.mediaType,
              contentTransferEncoding: 'base64',
            },
          ]
        : [],
    disableFileAccess: true,
    disableUrlAccess: true,
    newline: 'windows',
  });
  return composer.compile().build();
}

/** RFC 2369 and RFC 8058: by mail to the address that reads STOP, and at one POST where the sender has a page for it. */
function unsubscribeHeaders(attempt: Attempt, settings: EmailSettings): Record<string, string> {
  const byMail = `<mailto:${encodeURIComponent(settings.reply_to ?? settings.from)}?subject=unsubscribe>`;
  if (settings.unsubscribe_url === undefined) return { 'List-Unsubscribe': byMail };
  const page = settings.unsubscribe_url.replaceAll('{attempt}', attempt.id);
  return { 'List-Unsubscribe': `<${page}>, ${byMail}`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' };
}
