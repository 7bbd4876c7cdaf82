/** The page: one view a state, under one heading. */
import { type ReactNode, useSyncExternalStore } from 'react';
import { Action } from '../design/action.tsx';
import { Column } from '../design/column.tsx';
import { Problem } from '../design/problem.tsx';
import { Quiet } from '../design/text.tsx';
import { EnrolledView } from './enrolled-view.tsx';
import { EnrollmentView } from './enrollment-view.tsx';
import { EraseDevice } from './erase-device.tsx';
import type { Inbox } from './inbox.ts';
import type { InboxState } from './state.ts';

export function InboxPage({ inbox }: { inbox: Inbox }) {
  const state = useSyncExternalStore(inbox.subscribe, inbox.state);
  return (
    <Column title="Inbox" lede={ledeOf(state)}>
      {viewOf(state, inbox)}
    </Column>
  );
}

function ledeOf(state: InboxState): string {
  if (state.kind !== 'enrolled') return 'What the recipient sees, once this browser is one of their devices.';
  return `What the recipient sees. This browser is a device of ${state.identity.member}: messages are opened here, with keys that do not leave it.`;
}

function viewOf(state: InboxState, inbox: Inbox): ReactNode {
  const again = <Action onPress={() => void inbox.start()}>Try again</Action>;
  switch (state.kind) {
    case 'starting':
      return <Quiet>Looking whether this browser is a device already.</Quiet>;
    case 'insecure':
      return (
        <Problem
          sentence="This page came over a connection that is not secure."
          hint="A browser makes device keys only for pages over https, or from this machine. Open the inbox by its https address."
        />
      );
    case 'busy':
      return (
        <Problem
          sentence="Another tab or window of this browser has the inbox open."
          hint="A device is in one place at a time. Close the other one, then use it here."
        >
          <Action strength="main" onPress={() => void inbox.start()}>
            Use it here
          </Action>
        </Problem>
      );
    case 'broken':
      return (
        <>
          <Problem {...state.problem}>{again}</Problem>
          {state.problem.code === 'ERR_CLIENT_STATE_DAMAGED' ? <EraseDevice erase={inbox.erase} /> : null}
        </>
      );
    case 'stranger':
    case 'enrolling':
      return <EnrollmentView state={state} enroll={inbox.enroll} />;
    case 'enrolled':
      return <EnrolledView state={state} inbox={inbox} />;
  }
}
