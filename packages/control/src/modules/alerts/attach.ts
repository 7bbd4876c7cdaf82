/**
 * From a link to an attachment: fetched under the policy, sealed under a key of its own, and at the gateway before the
 * envelope that names it. A link that is refused costs the alert nothing: its code is written where the file would be.
 */
import { sealBlob } from '@sealpost/crypto/seal';
import { sha256 } from '@sealpost/crypto/verify';
import type { Logger, Surroundings } from '@sealpost/platform';
import { blobIdSchema, toBase64url } from '@sealpost/protocol';
import type { Attachment } from '@sealpost/protocol/content';
import type { GatewayClient } from '../../gateway/gateway-client.ts';
import { reached } from '../../points.ts';
import type { Preparation } from '../messages/index.ts';
import { fetchLink, type Links } from './fetch-link.ts';

export interface AttachDeps {
  readonly gateway: Pick<GatewayClient, 'putBlob'>;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
}

/** RFC 8188 section 2.1: sixteen bytes each. */
const KEY_LENGTH = 16;

export async function attachLinks(
  links: readonly { readonly annotation: string; readonly link: string }[],
  policy: Links,
  deps: AttachDeps,
): Promise<Preparation> {
  const outcomes = await Promise.all(links.map((each) => attach(each, policy, deps)));
  return {
    attachments: outcomes.flatMap((outcome) => (typeof outcome === 'string' ? [] : [outcome])),
    lines: outcomes.filter((outcome) => typeof outcome === 'string'),
  };
}

/** The attachment, or the line that stands in its place. */
async function attach(
  { annotation, link }: { readonly annotation: string; readonly link: string },
  policy: Links,
  { gateway, surroundings, logger }: AttachDeps,
): Promise<Attachment | string> {
  const fetched = await fetchLink(link, policy);
  if (fetched.kind === 'refused') {
    logger.warn('link not attached', { code: fetched.code });
    return `${annotation}: link not attached: ${fetched.code}`;
  }
  const { bytes, type, extension } = fetched;
  const [key, salt] = [surroundings.random(KEY_LENGTH), surroundings.random(KEY_LENGTH)];
  const sealed = await sealBlob(bytes, { key, salt });
  const blob = blobIdSchema.parse(toBase64url(sha256(sealed)));
  reached('blobs.sealed');
  await gateway.putBlob(blob, sealed);
  reached('blobs.put');
  return {
    name: `${annotation}.${extension}`,
    mediaType: type,
    size: bytes.length,
    digest: toBase64url(sha256(bytes)),
    blob,
    key: toBase64url(key),
  };
}
