/** The console's sign-in, on its own listener: a code for a session, a session's key for a token, and out again. */
import type { Server } from '@sealpost/platform';
import { controlApi, problemSchema } from '@sealpost/protocol';
import type { Identity } from './identity.ts';
import { registerTokenRoute } from './identity-routes.ts';

const BODY = 4096;

export async function registerConsoleSessionRoutes(
  server: Server,
  { identity: { console } }: { identity: Pick<Identity, 'console'> },
): Promise<void> {
  await registerTokenRoute(server, console.token);
  server.post(
    '/v1/console/sessions',
    {
      bodyLimit: BODY,
      schema: {
        summary: 'Sign a browser in with a single-use code and the public half of its key',
        body: controlApi.consoleSignInSchema,
        response: { 200: controlApi.consoleSessionSchema, '4xx': problemSchema },
      },
    },
    async ({ body, ip }) => console.signIn(body, ip),
  );
  server.delete(
    '/v1/console/sessions/current',
    {
      schema: {
        summary: 'End the session whose token this is',
        response: { 200: controlApi.adminAnswerSchema, '4xx': problemSchema },
      },
    },
    async ({ headers }) => {
      const { session } = await console.authenticated(headers);
      await console.signOut(session);
      return { outcome: 'done' } as const;
    },
  );
}
