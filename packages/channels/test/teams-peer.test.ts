/** `teams` against Microsoft's own stand-in for Teams, with a token service of ours beside it: the playground has none. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAdapter } from '../src/index.ts';
import { attemptTo } from './contract.ts';
import { PAYLOAD_NAMES, PAYLOADS } from './payloads.ts';
import { CHATS, PEOPLE, PLAYGROUND_ABSENT, startPlayground } from './peers/agents-playground.ts';
import { contextOf, json } from './recorded-provider.ts';

const LOGIN = 'https://login.example';
const SETTINGS = {
  mode: 'bot',
  app_id: '1a0a1b2c-0000-4000-8000-00000000000a',
  tenant_id: '72f988bf-86f1-41af-91ab-2d7cd011db47',
  client_secret_file: 'secret',
  login_url: LOGIN,
};
const withLogin: typeof fetch = async (input, init) =>
  String(input).startsWith(LOGIN) ? json(200, { access_token: 'token-1', expires_in: 3599 }) : fetch(input, init);

describe.skipIf(PLAYGROUND_ABSENT !== undefined)(`the Agents Playground (${PLAYGROUND_ABSENT ?? 'present'})`, () => {
  let playground: Awaited<ReturnType<typeof startPlayground>>;
  beforeAll(async () => {
    playground = await startPlayground(SETTINGS.app_id, SETTINGS.tenant_id);
  });
  afterAll(() => playground.stop());
  const adapter = () =>
    createAdapter(
      'teams',
      { ...SETTINGS, base_url: playground.baseUrl },
      contextOf({ secret: 's' }, { fetch: withLogin }),
    );

  it.each(PAYLOAD_NAMES)('takes a %s in a chat and in a channel it knows', async (kind) => {
    for (const chat of [CHATS.personal, CHATS.channel])
      expect(await adapter().send(attemptTo(chat, { payload: PAYLOADS[kind] }))).toEqual({
        kind: 'accepted',
        providerMessageId: expect.stringMatching(/^[^|]+\|\d+$/),
      });
  });

  it('names the conversation with a person and takes a message in it', async () => {
    expect(await adapter().send(attemptTo(PEOPLE.alice, { payload: PAYLOADS.card }))).toEqual({
      kind: 'accepted',
      providerMessageId: expect.stringMatching(/^[^|]+\|\d+$/),
    });
  });

  it('says of a person it does not know only that it failed, which leaves it open', async () => {
    expect(await adapter().send(attemptTo(PEOPLE.stranger))).toEqual({ kind: 'ambiguous', reason: '500 UserNotFound' });
  });

  it('does not know a conversation nobody made', async () => {
    expect(await adapter().send(attemptTo('19:nowhere@thread.tacv2'))).toEqual({
      kind: 'downgrade',
      reason: '404 ConversationNotFound',
    });
  });

  it('takes nothing back, which it has not learned yet, and is understood so', async () => {
    const teams = adapter();
    const attempt = attemptTo(CHATS.personal);
    const sent = await teams.send(attempt);
    const providerMessageId = sent.kind === 'accepted' ? sent.providerMessageId : undefined;
    expect(await teams.revoke?.({ ...attempt, providerMessageId })).toEqual({
      kind: 'unknown',
      reason: '501 DeleteActivityAPINotImplemented',
    });
  });
});
