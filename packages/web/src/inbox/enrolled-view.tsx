/** A browser that is a device: whether it is online, its messages, and who it is. */
import { Card, Empty, Section } from '../design/column.tsx';
import { Problem } from '../design/problem.tsx';
import { Facts, Mono, More, Quiet } from '../design/text.tsx';
import { EraseDevice } from './erase-device.tsx';
import type { Inbox } from './inbox.ts';
import { LinkView } from './link-view.tsx';
import { MessageItem } from './message-item.tsx';
import styles from './messages.module.css';
import type { EnrolledState } from './state.ts';

export function EnrolledView({ state, inbox }: { state: EnrolledState; inbox: Inbox }) {
  return (
    <>
      <LinkView state={state} inbox={inbox} />
      {state.problem === undefined ? null : <Problem {...state.problem} />}
      <Messages state={state} inbox={inbox} />
      <AboutDevice state={state} inbox={inbox} />
    </>
  );
}

function Messages({ state, inbox }: { state: EnrolledState; inbox: Inbox }) {
  const { messages, opened, link } = state;
  const unread = messages.filter(({ state: read }) => read === 'received').length;
  return (
    <Section
      title="Messages"
      aside={
        <span className={styles.meta} aria-live="polite">
          {countOf(messages.length, unread)}
        </span>
      }
    >
      {unread > 0 ? <Quiet>Opening a message tells its sender that you read it.</Quiet> : null}
      {messages.length === 0 ? (
        <Empty title="No messages yet.">
          {link === 'refused' ? undefined : `What is sent to ${state.identity.member} from now on appears here.`}
        </Empty>
      ) : (
        <ul className={styles.list}>
          {messages.map((message) => (
            <MessageItem
              key={message.message}
              message={message}
              opened={opened?.message === message.message ? opened : undefined}
              inbox={inbox}
            />
          ))}
        </ul>
      )}
    </Section>
  );
}

function countOf(all: number, unread: number): string {
  if (all === 0) return '';
  return unread === 0 ? 'all read' : `${unread} unread of ${all}`;
}

function AboutDevice({ state, inbox }: { state: EnrolledState; inbox: Inbox }) {
  const { organisation, member, device } = state.identity;
  return (
    <Section title="This device">
      <Card>
        <Facts
          facts={[
            { name: 'You', value: member },
            { name: 'Organisation', value: organisation },
            { name: 'Device', value: <Mono>{device}</Mono> },
            { name: 'Root certificate', value: <Mono>{state.rootFingerprint}</Mono> },
          ]}
        />
        <Quiet>
          Everything it trusts chains to this one root, remembered when it was enrolled. Compare the fingerprint with
          your administrator’s, over another way than this page.
        </Quiet>
        <More summary="How far to trust it, and how to end it">
          <Quiet>
            The page came from the server and is trusted as loaded. No script can take the device’s key out of this
            browser; whoever holds this machine’s disk may.
          </Quiet>
          <Quiet>
            <Mono>sealpost start</Mono> prints the same fingerprint as <Mono>root</Mono>, and{' '}
            <Mono>openssl x509 -noout -fingerprint -sha256 -in root.pem</Mono> does in the operator’s folder.
          </Quiet>
          <EraseDevice erase={inbox.erase} />
        </More>
      </Card>
    </Section>
  );
}
