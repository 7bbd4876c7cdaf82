/**
 * One attachment: fetched by a signed request, compared with the id the content names, opened (RFC 8188), and compared
 * with the content's size and digest. Nothing is answered unless all of it agrees.
 */
import { openBlob } from '@sealpost/crypto/open';
import { sha256 } from '@sealpost/crypto/verify';
import { fromBase64url, toBase64url } from '@sealpost/protocol';
import type { Attachment } from '@sealpost/protocol/content';
import { clientError } from '../client-errors.ts';
import type { Http } from '../http.ts';

/** Header, and for each record of 64 KiB its tag and delimiter. */
const sealedLimit = (size: number) => 21 + (Math.floor(size / 65_519) + 1) * 17 + size;

export async function fetchAttachment(http: Http, attachment: Attachment): Promise<Uint8Array> {
  const sealed = await http.get(`/v1/blobs/${attachment.blob}`, sealedLimit(attachment.size));
  if (toBase64url(sha256(sealed)) !== attachment.blob) throw refused('blob', 'is another');
  const key = fromBase64url(attachment.key);
  const verdict = key === undefined ? undefined : await openBlob(sealed, key);
  if (verdict?.kind !== 'ok') throw refused('seal', verdict?.reason ?? 'malformed');
  if (verdict.plaintext.length !== attachment.size) throw refused('size', 'does not agree');
  if (toBase64url(sha256(verdict.plaintext)) !== attachment.digest) throw refused('digest', 'does not agree');
  return verdict.plaintext;
}

function refused(pointer: string, detail: string) {
  return clientError('ERR_CLIENT_ATTACHMENT', { details: [{ pointer, detail }] });
}
