/** The directory on the internal listener: control posts entries and reads a member's chain with its evidence. */
import type { Server } from '@sealpost/platform';
import { gatewayApi } from '@sealpost/protocol';
import { z } from 'zod';
import type { Directory } from './directory.ts';
import { directoryError } from './directory-errors.ts';

const postedSchema = z
  .strictObject({ entry: z.string().describe('SHA-256 of the entry JWS'), outcome: z.enum(['recorded', 'already']) })
  .meta({ id: 'DirectoryPosted' });

export function registerDirectoryRoutes(server: Server, { directory }: { readonly directory: Directory }): void {
  server.post(
    '/internal/v1/directory',
    {
      bodyLimit: 100_000,
      schema: {
        summary: 'Record one change to a member’s devices',
        body: gatewayApi.directoryPostSchema,
        response: { 200: postedSchema },
      },
    },
    (request) => directory.post(request.body.entry),
  );

  server.get(
    '/internal/v1/directory/:member',
    {
      schema: {
        summary: 'A member’s chain of entries, oldest first, with evidence',
        params: gatewayApi.memberParamsSchema,
        response: { 200: gatewayApi.directoryAnswerSchema },
      },
    },
    async (request) => {
      const entries = await directory.member(request.params.member);
      if (entries === undefined) throw directoryError('ERR_DIRECTORY_MEMBER_UNKNOWN');
      return { entries };
    },
  );
}
