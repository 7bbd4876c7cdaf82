/** What is said of a provider's knowledge is what stands in the requests, neither more nor less. */
import { expect, it } from 'vitest';
import { knowledgeOf } from '../../src/carrier/knowledge.ts';
import { parseLiveState, type Sent } from '../../src/carrier/live-schema.ts';

const NOTICE = 'An alert is waiting for you. http://127.0.0.1:4406/';
let id = 0;
const sent = (change: Partial<Sent> = {}): Sent => {
  id += 1;
  const common = {
    carrier: 'rbm',
    at: 0,
    operation: 'agentMessages.create',
    sender: 'acme',
    address: '+491',
    raw: '{}',
  };
  return { id, text: NOTICE, ...common, ...change } as Sent;
};

it('of nothing is nothing: the provider does not even know that there was an alert', () => {
  const { messages, learned, notLearned } = knowledgeOf([sent()], 'smsc');
  expect({ messages, learned }).toEqual({ messages: 0, learned: [] });
  expect(notLearned).toContain('does not know that there was an alert');
});

it('names whom, who, how often and where, each once', () => {
  const { learned, notLearned } = knowledgeOf([sent(), sent(), sent()], 'rbm');
  expect(learned).toEqual([
    'That something waits for +491.',
    'Who sends: acme.',
    'When, and how often: 3 times.',
    'Where it can be opened: http://127.0.0.1:4406/',
    'When the phone received it, and whether it was read there.',
  ]);
  expect(notLearned).toContain('all 3 messages say the same words');
});

it('does not claim that the words were the same when they were not', () => {
  const { notLearned } = knowledgeOf([sent(), sent({ text: 'The disk of db1 is full.' })], 'rbm');
  expect(notLearned).not.toContain('same words');
  expect(notLearned).toContain('2 wordings');
});

it('of a provider that turned everything away has the words, and no word of the phone', () => {
  const { learned } = knowledgeOf([sent({ refused: 503 })], 'rbm');
  expect(learned).toContain('That something waits for +491.');
  expect(learned.join(' ')).not.toContain('received');
});

it('counts an SMS in several parts once', () => {
  const part = { carrier: 'smsc', operation: 'submit_sm' } as const;
  const traffic = [
    sent({ ...part, text: 'An alert is ' }),
    sent({ ...part, text: 'waiting.' }),
    sent({ ...part, operation: 'message', text: 'An alert is waiting.' }),
  ];
  expect(knowledgeOf(traffic, 'smsc')).toMatchObject({ messages: 1 });
});

it('knows a state by its form and shows nothing that is none', () => {
  const state = { phones: [], traffic: [], faults: { rbm: [{ kind: 'ok' }], smsc: [{ kind: 'ok' }] } };
  expect(parseLiveState(JSON.stringify(state))).toEqual(state);
  for (const text of ['', '{}', '[]', JSON.stringify({ ...state, phones: [{ number: 1 }] })])
    expect(parseLiveState(text)).toBeUndefined();
});
