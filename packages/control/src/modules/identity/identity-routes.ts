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
import type { VerifiedApproval } from './approvals.ts';
import type { Identity } from './identity.ts';
import { identityError } from './identity-errors.ts';

/** An assertion has at most 4096 letters. */
const TOKEN_BODY = 8192;
const ADMIN_BODY = 32_768;
const FORM = 'application/x-www-form-urlencoded';

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
    work: (tx: Sql, object: ApprovedObject<A>, approval: VerifiedApproval) => Promise<void>,
  ) => {
    const verified = await identity.approve(action, object, approval);
    const outcome = await database.transaction(async (tx) => {
      const spent = await identity.spend(tx, verified);
      if (spent === 'done') await work(tx, object, verified);
      return spent;
    });
    return { outcome };
  };

  await registerTokenRoute(server, identity.token);
  const answers = { 200: controlApi.adminAnswerSchema, '4xx': problemSchema };
  server.post(
    '/v1/members',
    {
      bodyLimit: ADMIN_BODY,
      schema: { summary: 'Register a person, by approval', body: approvedSchema('member.register'), response: answers },
    },
    async ({ body }) => carryOut('member.register', body, identity.registerMember),
  );
  server.post(
    '/v1/applications',
    {
      bodyLimit: ADMIN_BODY,
      schema: {
        summary: 'Register an application’s key, by approval',
        body: approvedSchema('application.register'),
        response: answers,
      },
    },
    async ({ body }) => carryOut('application.register', body, identity.registerApplication),
  );
  server.post(
    '/v1/console/invites',
    {
      bodyLimit: ADMIN_BODY,
      schema: {
        summary: 'Let one browser sign in at the console, by a code of ten minutes',
        body: approvedSchema('console.invite'),
        response: answers,
      },
    },
    async ({ body }) => {
      identity.console.checkInvitation(body.object);
      return carryOut('console.invite', body, identity.console.addInvitation);
    },
  );
  server.post(
    '/v1/alert-senders',
    {
      bodyLimit: ADMIN_BODY,
      schema: {
        summary: 'Register an alert sender’s secret, by approval',
        body: approvedSchema('alert-sender.register'),
        response: answers,
      },
    },
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

/** `POST /v1/token`, on each listener for the keys that may ask there. */
export async function registerTokenRoute(server: Server, token: Identity['token']): Promise<void> {
  await server.register(async (scope) => {
    // RFC 6749 section 4.4.2 sends a form; JSON is taken as well.
    const options = { parseAs: 'string' as const };
    scope.addContentTypeParser(FORM, options, async (_request: unknown, body: string) => formOf(body));
    scope.post(
      '/v1/token',
      {
        bodyLimit: TOKEN_BODY,
        schema: {
          summary: 'A token of minutes, by proof of a registered key',
          consumes: ['application/json', FORM],
          body: controlApi.tokenRequestSchema,
          response: { 200: controlApi.tokenAnswerSchema, '4xx': problemSchema },
        },
      },
      async ({ body }) => token(controlApi.tokenRequestSchema.parse(body)),
    );
  });
}

/** A member that comes twice is handed on as a list, which the schema refuses (RFC 6749 section 3.2). */
function formOf(body: string): Record<string, unknown> {
  const form = new URLSearchParams(body);
  return Object.fromEntries([...form.keys()].map((name) => [name, formValue(form.getAll(name))]));
}

function formValue(values: readonly string[]): unknown {
  return values.length === 1 ? values[0] : values;
}
