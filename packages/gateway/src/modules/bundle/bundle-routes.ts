/** The bundle over HTTP, internal listener: control passes on what operator and approver signed. */
import type { Server } from '@sealpost/platform';
import { gatewayApi } from '@sealpost/protocol';
import type { Bundles } from './bundles.ts';

const response = { 200: gatewayApi.bundleStateSchema };
const BODY_LIMIT = 2_100_000;

export function registerBundleRoutes(server: Server, { bundles }: { bundles: Bundles }): void {
  server.put(
    '/internal/v1/bundle',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        tags: ['bundle'],
        summary: 'Run a bundle that operator and approver signed',
        body: gatewayApi.bundlePutSchema,
        response,
      },
    },
    async ({ body }) => {
      const { version, expires } = await bundles.apply(body.bundle, body.approval);
      return { version, expires };
    },
  );

  server.get(
    '/internal/v1/bundle',
    { schema: { tags: ['bundle'], summary: 'Which bundle runs', response } },
    async () => {
      const running = await bundles.fresh();
      return { version: running?.bundle.version ?? 0, expires: running?.bundle.expires ?? null };
    },
  );
}
