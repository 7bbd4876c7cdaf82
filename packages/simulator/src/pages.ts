/**
 * The demo's pages on the simulator's origin: `/` frames the three columns, `/carrier/` is the first of them. The other
 * two have origins of their own, served by control; the frame is told where and may show nothing else.
 */
import { join } from 'node:path';
import { registerPage } from '@sealpost/platform';
import type { FastifyInstance } from 'fastify';

export interface PagesOptions {
  /** Holds `frame` and `carrier`, each a built page. */
  readonly folder: string;
  /** Origins beside this one. */
  readonly inbox: string;
  readonly console: string;
}

export async function pageRoutes(app: FastifyInstance, { folder, ...pages }: PagesOptions): Promise<void> {
  const origins = { inbox: new URL(pages.inbox).origin, console: new URL(pages.console).origin };
  app.addHook('onSend', async (_request, reply) => void reply.header('x-content-type-options', 'nosniff'));
  registerPage(app, { folder: join(folder, 'frame'), frames: ["'self'", origins.inbox, origins.console] });
  registerPage(app, { folder: join(folder, 'carrier'), at: '/carrier/', framedBy: ["'self'"] });
  app.get('/origins', async () => origins);
}
