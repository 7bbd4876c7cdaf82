/** Attachments: handed out only when blob, seal, size and digest all agree. */
import { sealBlob } from '@sealpost/crypto/seal';
import { sha256 } from '@sealpost/crypto/verify';
import { blobIdSchema, toBase64url } from '@sealpost/protocol';
import type { Attachment } from '@sealpost/protocol/content';
import { afterEach, describe, expect, it } from 'vitest';
import { blobIdOf } from './gateway.ts';
import { random } from './organisation.ts';
import { type Stage, setStage, until } from './story.ts';

let stage: Stage;
afterEach(() => stage.phone.close());

const picture = new Uint8Array(150_000).map((_, at) => at * 7);

async function sealed() {
  const key = random(16);
  const bytes = await sealBlob(picture, { key, salt: random(16) });
  const attachment: Attachment = {
    name: 'dashboard.png',
    mediaType: 'image/png',
    size: picture.length,
    digest: toBase64url(sha256(picture)),
    blob: blobIdSchema.parse(blobIdOf(bytes)),
    key: toBase64url(key),
  };
  return { attachment, bytes };
}

async function received(attachment: Attachment) {
  const { phone, agent } = stage;
  const message = await agent.sends([phone.identity.device], 'see picture', { content: { attachments: [attachment] } });
  await until('message', async () => (await phone.inbox()).find((one) => one.message === message));
  return message;
}

describe('an attachment', () => {
  it('opens to the bytes that were sealed; its key is not in the inbox', async () => {
    stage = await setStage();
    const { attachment, bytes } = await sealed();
    stage.gateway.blobs.set(attachment.blob, bytes);
    const message = await received(attachment);
    expect(await stage.phone.attachment(message, 0)).toEqual(picture);
    const inbox = await stage.phone.inbox();
    expect(inbox[0]?.attachments).toEqual([{ name: 'dashboard.png', mediaType: 'image/png', size: picture.length }]);
    expect(JSON.stringify(inbox)).not.toContain(attachment.key);
    await expect(stage.phone.attachment(message, 1)).rejects.toMatchObject({ code: 'ERR_CLIENT_ATTACHMENT_MISSING' });
  });

  it('that is cut, changed or too long is refused', async () => {
    stage = await setStage();
    const { attachment, bytes } = await sealed();
    const message = await received(attachment);
    const serves = async (blob: Uint8Array, code: string) => {
      stage.gateway.blobs.set(attachment.blob, blob);
      await expect(stage.phone.attachment(message, 0)).rejects.toMatchObject({ code });
    };
    await serves(bytes.slice(0, -1), 'ERR_CLIENT_ATTACHMENT');
    await serves(bytes.slice(0, 21 + 65_536), 'ERR_CLIENT_ATTACHMENT');
    const changed = bytes.slice();
    changed[70_000] = (changed[70_000] ?? 0) ^ 1;
    await serves(changed, 'ERR_CLIENT_ATTACHMENT');
    await serves(new Uint8Array(bytes.length + 1), 'ERR_CLIENT_ANSWER');
    stage.gateway.blobs.clear();
    await expect(stage.phone.attachment(message, 0)).rejects.toMatchObject({ code: 'ERR_BLOBS_MISSING' });
  });

  it('that is truncated at a record, under the id of the truncated blob, is refused', async () => {
    stage = await setStage();
    const { attachment, bytes } = await sealed();
    const cut = bytes.slice(0, 21 + 65_536);
    const blob = blobIdSchema.parse(blobIdOf(cut));
    stage.gateway.blobs.set(blob, cut);
    const message = await received({ ...attachment, blob });
    await expect(stage.phone.attachment(message, 0)).rejects.toMatchObject({
      code: 'ERR_CLIENT_ATTACHMENT',
      details: [{ pointer: 'seal', detail: 'truncated' }],
    });
  });

  it('whose size or digest is another than the content says is refused', async () => {
    stage = await setStage();
    const { attachment, bytes } = await sealed();
    stage.gateway.blobs.set(attachment.blob, bytes);
    const wrong = [
      { ...attachment, size: picture.length + 1 },
      { ...attachment, digest: toBase64url(random(32)) },
      { ...attachment, key: toBase64url(random(16)) },
    ];
    for (const [at, pointer] of ['size', 'digest', 'seal'].entries()) {
      const message = await received(wrong[at] ?? attachment);
      await expect(stage.phone.attachment(message, 0)).rejects.toMatchObject({
        code: 'ERR_CLIENT_ATTACHMENT',
        details: [{ pointer }],
      });
    }
  });
});
