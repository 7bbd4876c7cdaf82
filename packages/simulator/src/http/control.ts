/**
 * The control API, for tests, demos and drills: what phones show, how they behave, which faults strike, and what the
 * carriers were sent. It is not part of any carrier and asks for no credentials: bind it to a loopback address only.
 */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { CARRIERS, type Carrier, type Faults, NO_FAULT } from '../faults.ts';
import { drawGraph } from '../image.ts';
import type { PhoneState, Phones } from '../phones.ts';
import type { Traffic } from '../traffic.ts';
import type { Written } from '../written.ts';
import { faultSchema, faultSharesSchema, numberSchema, phoneChangeSchema, writtenSchema } from './control-schema.ts';
import { problem } from './problem.ts';

export interface ControlOptions {
  readonly phones: Phones;
  readonly traffic: Traffic;
  readonly faults: Readonly<Record<Carrier, Faults>>;
  /** A person writes, and their carrier takes it to us. */
  readonly write: (number: string, written: Written) => void;
  readonly status: () => Readonly<Record<string, string | number>>;
}

interface NumberParams {
  Params: { number: string };
}

export async function controlRoutes(app: FastifyInstance, options: ControlOptions): Promise<void> {
  const { phones, traffic, faults, write, status } = options;

  app.setErrorHandler((error, _request, reply) =>
    error instanceof z.ZodError ? problem(reply, 400, z.prettifyError(error)) : problem(reply, 500, 'internal error'),
  );

  app.get('/livez', async () => ({ status: 'ok', ...status() }));

  app.get('/phones', async () => phones.list());
  app.get<NumberParams>('/phones/:number', async ({ params }) => phones.view(numberSchema.parse(params.number)));
  app.put<NumberParams>('/phones/:number', async ({ params, body }) =>
    phones.set(numberSchema.parse(params.number), present(phoneChangeSchema.parse(body))),
  );
  app.post<NumberParams>('/phones/:number/read', async ({ params }) => phones.read(numberSchema.parse(params.number)));

  app.post<NumberParams>('/phones/:number/writes', async ({ params, body }, reply) => {
    write(numberSchema.parse(params.number), writtenSchema.parse(body));
    return reply.code(202).send();
  });

  /** One fault as itself, several as a list: as they were set. */
  const shown = (carrier: Carrier) => {
    const [fault, ...more] = faults[carrier].current();
    return more.length === 0 ? fault : [fault, ...more];
  };
  app.get('/faults', async () => Object.fromEntries(CARRIERS.map((carrier) => [carrier, shown(carrier)])));
  app.put<{ Params: { carrier: string } }>('/faults/:carrier', async ({ params, body }, reply) => {
    const carrier = CARRIERS.find((name) => name === params.carrier);
    if (carrier === undefined) return problem(reply, 404, `carriers are ${CARRIERS.join(' and ')}`);
    const [fault, ...more] = Array.isArray(body) ? faultSharesSchema.parse(body) : [faultSchema.parse(body)];
    const forged = [fault, ...more].some(({ kind }) => kind === 'forged-signature');
    if (carrier === 'smsc' && forged) return problem(reply, 400, 'an SMSC signs nothing');
    faults[carrier].set(fault, ...more);
    await faults[carrier].settled();
    return shown(carrier);
  });
  app.delete('/faults', async (_request, reply) => {
    for (const carrier of CARRIERS) faults[carrier].set(NO_FAULT);
    for (const carrier of CARRIERS) await faults[carrier].settled();
    return reply.code(204).send();
  });

  app.get('/traffic', async () => traffic.list());

  app.get<{ Params: { name: string } }>('/images/:name', async ({ params }, reply) => {
    const [, name] = /^([A-Za-z0-9._-]{1,100})\.png$/.exec(params.name) ?? [];
    if (name === undefined) return problem(reply, 404, 'images end in .png');
    return reply
      .type('image/png')
      .header('cache-control', 'no-store')
      .send(Buffer.from(drawGraph(name)));
  });
}

/** Leaves out what was not said, so that it does not overwrite what is. */
function present({ rcs, online, readReceipts }: z.infer<typeof phoneChangeSchema>): Partial<PhoneState> {
  return {
    ...(rcs === undefined ? {} : { rcs }),
    ...(online === undefined ? {} : { online }),
    ...(readReceipts === undefined ? {} : { readReceipts }),
  };
}
