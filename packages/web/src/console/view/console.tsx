/** The console: what an operator sees of each message, and why. One page, whatever the session's standing. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useState, useSyncExternalStore } from 'react';
import { Action } from '../../design/action.tsx';
import { Column } from '../../design/column.tsx';
import { Problem } from '../../design/problem.tsx';
import { Facts, Mono, Quiet } from '../../design/text.tsx';
import type { Session, SessionState, SignedInState } from '../session/session.ts';
import { SignIn } from './sign-in.tsx';
import { SignedIn } from './signed-in.tsx';

const LEDE =
  'Where each message went and why, and the log that proves it. What a message says is not here: it was sealed before it left control.';

export function Console({ session }: { session: Session }) {
  const state = useSyncExternalStore(session.subscribe, session.snapshot);
  return (
    <Column title="What the operator sees" lede={LEDE}>
      <Standing session={session} state={state} />
    </Column>
  );
}

function Standing({ session, state }: { session: Session; state: SessionState }) {
  switch (state.kind) {
    case 'starting':
      return <Quiet>Looking for this browser’s session …</Quiet>;
    case 'waiting':
      return <Problem sentence={state.problem.message} hint={state.problem.hint} code={state.problem.code} />;
    case 'other-root':
      return <OtherRoot {...state} onAccept={session.acceptRoot} />;
    case 'signed-out':
      return <SignIn problem={state.problem} busy={state.busy} onCode={session.signIn} />;
    case 'signed-in':
      return <WithReads key={state.expires} state={state} onSignOut={session.signOut} />;
  }
}

/** Answers are kept no longer than the session they were read under, and asked for again when the log says so. */
function WithReads({ state, onSignOut }: { state: SignedInState; onSignOut: () => void }) {
  const [client] = useState(() => new QueryClient({ defaultOptions: { queries: QUERIES } }));
  return (
    <QueryClientProvider client={client}>
      <SignedIn session={state} onSignOut={onSignOut} />
    </QueryClientProvider>
  );
}

const QUERIES = {
  retry: false,
  refetchOnWindowFocus: false,
  refetchOnReconnect: false,
  staleTime: Number.POSITIVE_INFINITY,
  networkMode: 'always',
} as const;

function OtherRoot({ pinned, shown, onAccept }: { pinned: string; shown: string; onAccept: () => void }) {
  return (
    <Problem
      sentence="This is not the organisation this browser knows."
      hint="Its root certificate is another than the one pinned at the first sign-in. Go on only if an operator told you so over another way, and the fingerprint is the one they named."
    >
      <Facts
        facts={[
          { name: 'Pinned', value: <Mono>{pinned}</Mono> },
          { name: 'Shown now', value: <Mono>{shown}</Mono> },
        ]}
      />
      <Action onPress={onAccept}>Forget the old root and go on</Action>
    </Problem>
  );
}
