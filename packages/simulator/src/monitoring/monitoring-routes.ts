/** `POST /monitoring/alerts`: the monitoring system sends an alert, or says that the last one is over. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { problem } from '../http/problem.ts';
import type { AlertAnswer, Monitoring } from './monitoring.ts';

const alertRequestSchema = z.strictObject({ status: z.enum(['firing', 'resolved']) });

/** What is said of an alert that was not taken, and its status; a refusal is said in control's own words. */
const SAID = {
  'no-answer': [504, 'control does not answer'],
  'no-secret': [409, 'the monitoring system holds no secret of an alert sender'],
  'nothing-firing': [409, 'no alert is firing'],
} as const satisfies Partial<Record<AlertAnswer['kind'], readonly [number, string]>>;

export async function monitoringRoutes(
  app: FastifyInstance,
  { monitoring }: { monitoring: Monitoring },
): Promise<void> {
  app.post('/monitoring/alerts', async (request, reply) => {
    const parsed = alertRequestSchema.safeParse(request.body);
    if (!parsed.success) return problem(reply, 400, z.prettifyError(parsed.error));
    const answer = await monitoring.send(parsed.data.status);
    switch (answer.kind) {
      case 'taken': {
        const { alert, status, message } = answer;
        return reply.code(202).send({ alert, status, message });
      }
      case 'refused':
        return problem(reply, 502, answer.sentence, answer.code);
      default: {
        const [status, detail] = SAID[answer.kind];
        return problem(reply, status, detail);
      }
    }
  });
}
