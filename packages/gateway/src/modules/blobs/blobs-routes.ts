/** Blobs over HTTP: control puts them on the internal listener, devices get them on theirs. */
import type { Readable } from 'node:stream';
import type { Server } from '@sealpost/platform';
import { blobIdSchema } from '@sealpost/protocol';
import { z } from 'zod';
import type { CallerOf } from '../../http/device-auth.ts';
import { BLOB_LIMIT, type Blobs } from './blobs.ts';
import { blobsError } from './blobs-errors.ts';

const paramsSchema = z.strictObject({ blob: blobIdSchema });
const putSchema = z.strictObject({ outcome: z.enum(['stored', 'already']) }).meta({ id: 'BlobPut' });
const OCTETS = 'application/octet-stream';

/** Internal listener. The body is never held in memory as a whole. */
export async function registerBlobRoutes(server: Server, { blobs }: { readonly blobs: Blobs }): Promise<void> {
  await server.register(async (inner) => {
    const scope = inner as unknown as Server;
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(OCTETS, (_request, payload, done) => done(null, payload));
    scope.put(
      '/internal/v1/blobs/:blob',
      {
        bodyLimit: BLOB_LIMIT,
        schema: {
          summary: 'Store a sealed blob under its SHA-256',
          consumes: [OCTETS],
          params: paramsSchema,
          body: z.unknown().describe('The sealed bytes'),
          response: { 200: putSchema },
        },
      },
      async (request) => {
        if (Number(request.headers['content-length'] ?? 0) > BLOB_LIMIT) throw blobsError('ERR_BLOBS_TOO_LARGE');
        const { body } = request;
        if (!isStream(body)) throw blobsError('ERR_BLOBS_INCOMPLETE');
        return { outcome: await blobs.put(request.params.blob, arriving(body)) };
      },
    );
  });
}

/** Device listener, inside a device scope. */
export function registerBlobDeviceRoutes(
  scope: Server,
  { blobs, callerOf }: { readonly blobs: Blobs; readonly callerOf: CallerOf },
): void {
  scope.get(
    '/v1/blobs/:blob',
    {
      schema: {
        summary: 'A sealed blob an envelope of this device names',
        produces: [OCTETS],
        params: paramsSchema,
        response: { 200: z.unknown().describe('The sealed bytes') },
      },
    },
    async (request, reply) => {
      const blob = await blobs.get(callerOf(request).device, request.params.blob);
      if (blob === undefined) throw blobsError('ERR_BLOBS_MISSING');
      return reply.type(OCTETS).header('content-length', blob.size).send(blob.bytes);
    },
  );
}

function isStream(body: unknown): body is Readable {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

/**
 * A connection that breaks off is the sender's to repeat, not a fault of ours. A body we stop reading is left open, or the
 * answer could not be sent.
 */
async function* arriving(body: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false })) yield chunk;
  } catch (cause) {
    throw blobsError('ERR_BLOBS_INCOMPLETE', { cause });
  }
}
