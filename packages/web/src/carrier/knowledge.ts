/**
 * What a provider knows from what it was sent, in words. Only what stands in the requests counts: nothing is said here
 * that the list beside it does not show.
 */
import type { Carrier, Sent } from './live-schema.ts';

export const PROVIDERS: Readonly<Record<Carrier, { readonly name: string; readonly short: string }>> = {
  rbm: { name: 'RCS provider', short: 'RCS' },
  smsc: { name: 'SMS provider', short: 'SMS' },
};

export interface Knowledge {
  readonly carrier: Carrier;
  /** How many messages it was sent. */
  readonly messages: number;
  readonly learned: readonly string[];
  readonly notLearned: string;
}

/** A message in several parts is several requests and then one whole; the parts alone are not counted. */
export function messagesOf(traffic: readonly Sent[], carrier: Carrier): readonly Sent[] {
  const own = traffic.filter((sent) => sent.carrier === carrier);
  return own.some(({ operation }) => operation === 'message')
    ? own.filter(({ operation }) => operation === 'message')
    : own;
}

export function knowledgeOf(traffic: readonly Sent[], carrier: Carrier): Knowledge {
  const sent = messagesOf(traffic, carrier);
  const distinct = (values: readonly (string | undefined)[]) => [
    ...new Set(values.filter((value) => value !== undefined)),
  ];
  const texts = distinct(sent.map(({ text }) => text));
  const addresses = distinct(sent.map(({ address }) => address));
  const senders = distinct(sent.map(({ sender }) => sender));
  const links = distinct(texts.map((text) => /https?:\/\/\S+/.exec(text)?.[0]));
  return {
    carrier,
    messages: sent.length,
    learned: [
      ...addresses.map((address) => `That something waits for ${address}.`),
      ...(senders.length === 0 ? [] : [`Who sends: ${senders.join(', ')}.`]),
      ...(sent.length === 0 ? [] : [`When, and how often: ${times(sent.length)}.`]),
      ...links.map((link) => `Where it can be opened: ${link}`),
      ...(carrier === 'rbm' && sent.some(({ refused }) => refused === undefined)
        ? ['When the phone received it, and whether it was read there.']
        : []),
    ],
    notLearned: notLearned(sent.length, texts.length),
  };
}

function notLearned(messages: number, texts: number): string {
  if (messages === 0) return 'It was sent nothing. It does not know that there was an alert.';
  if (messages === 1) return 'What it is about: the request holds the words you see and nothing else.';
  return texts === 1
    ? `What it is about: ${messages === 2 ? 'both' : `all ${messages}`} messages say the same words, whatever the alert was.`
    : `What it is about: ${messages} messages in ${texts} wordings, all of them below.`;
}

function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`;
}
