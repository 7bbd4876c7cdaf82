/** A signed-in console: the messages, the one looked at, and the log they rest on, followed live. */
import type { MessageId } from '@sealpost/protocol';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Empty, Section } from '../../design/column.tsx';
import { Problem } from '../../design/problem.tsx';
import { Quiet } from '../../design/text.tsx';
import { follow } from '../live/follow.ts';
import { verifiedHead } from '../proof/log-head.ts';
import type { SignedInState } from '../session/session.ts';
import { LogHeadView } from './log-head-view.tsx';
import { MessageList } from './message-list.tsx';
import { MessageView } from './message-view.tsx';

export function SignedIn({ session, onSignOut }: { session: SignedInState; onSignOut: () => void }) {
  const problem = useLive(session);
  const messages = useQuery({ queryKey: ['messages'], queryFn: session.reads.messages });
  const [chosen, choose] = useState<MessageId>();
  const newest = messages.data?.[0];
  const shown = messages.data?.find(({ message }) => message === chosen) ?? newest;
  return (
    <>
      {problem === undefined ? null : (
        <Problem
          sentence={problem.message}
          hint="What is shown is as of the last answer. The page asks again by itself."
          code={problem.code}
        />
      )}
      <Section title="Messages">
        {messages.data === undefined ? (
          <Quiet>Reading the messages …</Quiet>
        ) : shown === undefined ? (
          <Empty title="No message yet">The first one appears here as soon as control has sealed it.</Empty>
        ) : (
          <MessageList
            messages={messages.data}
            shown={shown.message}
            following={chosen === undefined}
            onChoose={choose}
          />
        )}
      </Section>
      {shown === undefined ? null : <MessageView key={shown.message} row={shown} session={session} />}
      <LogHeadView session={session} onSignOut={onSignOut} />
    </>
  );
}

/** Asks again for whatever is on the page when the log grew; answers what keeps it from following. */
function useLive({ reads, trusted }: SignedInState) {
  const client = useQueryClient();
  const [problem, setProblem] = useState<Parameters<Parameters<typeof follow>[0]['onProblem']>[0]>();
  useEffect(() => {
    const leaving = new AbortController();
    void follow({
      reads,
      newest: async () => (await verifiedHead(await reads.checkpoint(), trusted)).size - 1,
      signal: leaving.signal,
      pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      onChange: () => void client.invalidateQueries(),
      onProblem: setProblem,
    });
    return () => leaving.abort();
  }, [reads, trusted, client]);
  return problem;
}
