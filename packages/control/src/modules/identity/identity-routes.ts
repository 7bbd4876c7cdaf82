/**
 * Identity's endpoints: tokens, and the registrations an approver signs. Registering a name again with a newer approval
 * replaces what was there, which is how keys, secrets and addresses are changed.
 */
import type { Database, Server, Sql } from '@sealpost/platform';
import {
  type ApprovalAction,
  type ApprovedObject,
  approvedSchema,
  controlApi,
  problemSchema,
} from '@sealpost/protocol';
import type { Identity } from './identity.ts';
import { identityError } from './identity-errors.ts';

/** An assertion has at most 4096 letters. */
const TOKEN_BODY = 8192;
const ADMIN_BODY = 32_768;

export interface IdentityRoutesDeps {
  readonly identity: Identity;
  readonly database: Database;
}

export async function registerIdentityRoutes(
  server: Server,
  { identity, database }: IdentityRoutesDeps,
): Promise<void> {
  /** Verify, spend and carry out: the last two in one transaction, so neither happens without the other. */
  const carryOut = async <A extends ApprovalAction>(
    action: A,
    { object, approval }: { object: ApprovedObject<A>; approval: string },
    work: (tx: Sql, object: ApprovedObject<A>) => Promise<void>,
  ) => {
    const verified = await identity.approve(action, object, approval);
    const outcome = await database.transaction(async (tx) => {
      const spent = await identity.spend(tx, verified);
      if (spent === 'done') await work(tx, object);
      return spent;
    });
    return { outcome };
  };

  await server.register(async (scope) => {
    // RFC 6749 section 4.4.2 sends a form; JSON is taken as well.
    const options = { parseAs: 'string' as const };
    scope.addContentTypeParser('application/x-www-form-urlencoded', options, async (_request: unknown, body: string) =>
      formOf(body),
    );
    scope.post(
      '/v1/token',
      {
        bodyLimit: TOKEN_BODY,
        schema: {
          body: controlApi.tokenRequestSchema,
          response: { 200: controlApi.tokenAnswerSchema, '4xx': problemSchema },
        },
      },
      async ({ body }) => identity.token(controlApi.tokenRequestSchema.parse(body)),
    );
  });
  const answers = { 200: controlApi.adminAnswerSchema, '4xx': problemSchema };
  server.post(
    '/v1/members',
    { bodyLimit: ADMIN_BODY, schema: { body: approvedSchema('member.register'), response: answers } },
    async ({ body }) => carryOut('member.register', body, identity.registerMember),
  );
  server.post(
    '/v1/applications',
    { bodyLimit: ADMIN_BODY, schema: { body: approvedSchema('application.register'), response: answers } },
    async ({ body }) => carryOut('application.register', body, identity.registerApplication),
  );
  server.post(
    '/v1/alert-senders',
    { bodyLimit: ADMIN_BODY, schema: { body: approvedSchema('alert-sender.register'), response: answers } },
    async ({ body }) =>
      carryOut('alert-sender.register', body, async (tx, object) => {
        if (!(await identity.hasMember(object.to))) {
          throw identityError('ERR_IDENTITY_MEMBER', {
            details: [{ pointer: '/object/to', detail: 'is not registered' }],
          });
        }
        await identity.registerAlertSender(tx, object);
      }),
  );
}

/** A member that comes twice is handed on as a list, which the schema refuses (RFC 6749 section 3.2). */
function formOf(body: string): Record<string, unknown> {
  const form = new URLSearchParams(body);
  return Object.fromEntries([...form.keys()].map((name) => [name, formValue(form.getAll(name))]));
}

function formValue(values: readonly string[]): unknown {
  return values.length === 1 ? values[0] : values;
}
