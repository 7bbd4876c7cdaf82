/** One message: who can read it, how it may travel, and what happened. */
import type { ConsoleFlow, ConsoleMessage, EventOf, MessageStatus } from '@sealpost/protocol';
import { useQuery } from '@tanstack/react-query';
import { Card, Section } from '../../design/column.tsx';
import { Announcement, Problem } from '../../design/problem.tsx';
import { PROTECTION_WORDS } from '../../design/protection.ts';
import { Digest, type Fact, Facts, More, Quiet, StatusWord } from '../../design/text.tsx';
import { TimeText } from '../../design/time-text.tsx';
import type { SignedInState } from '../session/session.ts';
import { duration, STATE_WORDS } from '../timeline/states.ts';
import { Ladder } from './ladder.tsx';
import { Timeline } from './timeline.tsx';

export function MessageView({ row, session }: { row: ConsoleMessage; session: SignedInState }) {
  const { reads } = session;
  const { message, state } = row;
  // What the gateway has not taken has no timeline to ask for.
  const status = useQuery({
    queryKey: ['status', message],
    queryFn: () => reads.status(message),
    enabled: state !== 'stored',
  });
  const flows = useQuery({ queryKey: ['flows'], queryFn: reads.flows });
  const accepted = acceptedIn(status.data);
  const flow =
    accepted?.bundle === flows.data?.version ? flows.data?.flows.find(({ name }) => name === row.flow) : undefined;
  return (
    <>
      <Section title={`Message to ${row.to}`}>
        <Card>
          <Facts facts={[...standing(row), ...(accepted === undefined ? [] : protection(accepted))]} />
          {accepted === undefined ? null : (
            <>
              <Ladder flow={flow} />
              <More summary="Flow, sender and ids">
                <Facts facts={names(accepted, flow)} />
              </More>
            </>
          )}
        </Card>
      </Section>
      <Section title="What happened, and why">
        {state === 'stored' ? <Quiet>Nothing yet: the gateway has not taken it.</Quiet> : null}
        {status.data === undefined && status.error !== null ? <Problem sentence={status.error.message} /> : null}
        {status.data !== undefined && accepted !== undefined ? (
          <Timeline status={status.data} acceptedAt={accepted.at} session={session} />
        ) : null}
        <Announcement>{`${row.to}: ${STATE_WORDS[state]}`}</Announcement>
      </Section>
    </>
  );
}

function acceptedIn(status: MessageStatus | undefined): EventOf<'message.accepted'> | undefined {
  return status?.timeline.map(({ event }) => event).find((event) => event.kind === 'message.accepted');
}

function standing({ state, at }: ConsoleMessage): Fact[] {
  const tone = state === 'expired' || state === 'undeliverable' ? 'warn' : 'plain';
  return [
    { name: 'State', value: <StatusWord tone={tone}>{STATE_WORDS[state]}</StatusWord> },
    { name: 'Sealed', value: <TimeText at={at} /> },
  ];
}

function protection({ floor }: EventOf<'message.accepted'>): Fact[] {
  const { words, readers } = PROTECTION_WORDS[floor];
  const sealed = floor === 'e2ee';
  return [
    { name: 'Content', value: sealed ? CONTENT_SEALED : 'It is not shown to operators.' },
    { name: 'Protection', value: `${words}: the floor of its flow. No route may protect the content less.` },
    { name: 'Who can read', value: sealed ? readers : `At worst: ${readers}` },
  ];
}

const CONTENT_SEALED = 'You cannot see it. Nothing on this page, in the gateway or at a carrier could open it.';

function names(accepted: EventOf<'message.accepted'>, flow: ConsoleFlow | undefined): Fact[] {
  const { message, conversation, envelope, bundle } = accepted;
  return [
    { name: 'Flow', value: flow === undefined ? accepted.flow : `${accepted.flow}: ${flow.purpose}` },
    ...(flow === undefined
      ? []
      : [
          { name: 'Sender', value: flow.agent },
          { name: 'Expires after', value: duration(flow.expires) },
        ]),
    { name: 'Message', value: <Digest label="Message" value={message} /> },
    { name: 'Conversation', value: <Digest label="Conversation" value={conversation} /> },
    { name: 'Envelope', value: <Digest label="Envelope" value={envelope} /> },
    { name: 'Bundle', value: <Digest label="Bundle" value={String(bundle)} /> },
  ];
}
