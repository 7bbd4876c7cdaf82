/** An opened message: what it says, who sent it, who can read it, and what was checked, in that order. */
import type { ReadableMessage } from '@sealpost/client';
import { Action } from '../design/action.tsx';
import { NOTICE_WORDS, PROTECTION_WORDS } from '../design/protection.ts';
import { Digest, Facts, Mono, More, Quiet } from '../design/text.tsx';
import { TimeText } from '../design/time-text.tsx';
import { AttachmentView } from './attachment-view.tsx';
import type { Inbox } from './inbox.ts';
import styles from './messages.module.css';
import type { OpenedMessage } from './state.ts';

interface Props {
  readonly message: ReadableMessage;
  readonly opened: OpenedMessage;
  readonly inbox: Inbox;
}

export function MessageView({ message, opened, inbox }: Props) {
  const { body, facts, attachments, openedAt } = message;
  return (
    <div className={styles.message}>
      {body === '' ? null : <p className={styles.body}>{body}</p>}
      {facts.length === 0 ? null : <Facts facts={facts} />}
      {attachments.map((attachment, index) => (
        <AttachmentView
          // biome-ignore lint/suspicious/noArrayIndexKey: an attachment is its place in a message, and two may share a name
          key={index}
          attachment={attachment}
          state={opened.attachments.get(index)}
          load={() => void inbox.loadAttachment(message.message, index)}
        />
      ))}
      <Acknowledgement message={message} inbox={inbox} />
      <WhoCanRead readers={opened.readers} />
      <Facts
        facts={[
          { name: 'Sender', value: message.sender.agent },
          { name: 'Sent', value: <TimeText at={message.sentAt} /> },
          { name: 'Received', value: <TimeText at={message.receivedAt} /> },
          ...(openedAt === undefined ? [] : [{ name: 'Opened', value: <TimeText at={openedAt} /> }]),
        ]}
      />
      <Checks message={message} />
    </div>
  );
}

function Acknowledgement({ message, inbox }: Omit<Props, 'opened'>) {
  if (message.state === 'acknowledged') return <Quiet>You acknowledged this message.</Quiet>;
  if (!message.acknowledge) return null;
  return (
    <div className={styles.group}>
      <p className={styles.plain}>The sender asks you to acknowledge it.</p>
      <div>
        <Action strength="main" onPress={() => void inbox.acknowledge(message.message)}>
          Acknowledge
        </Action>
      </div>
    </div>
  );
}

/** Taken from the certificates of the conversation’s members when the message came, so it names who could, not who might. */
function WhoCanRead({ readers }: { readers: readonly string[] | undefined }) {
  return (
    <div className={styles.group}>
      <h4 className={styles.subheading}>Who can read it</h4>
      <p className={styles.plain}>
        <strong>{PROTECTION_WORDS.e2ee.words}.</strong> {PROTECTION_WORDS.e2ee.readers}
      </p>
      {readers === undefined ? null : (
        <ul className={styles.readers}>
          {readers.map((reader) => (
            <li key={reader}>{reader}</li>
          ))}
        </ul>
      )}
      <Quiet>
        No carrier carried this copy. Where one told your phone that something waits, it saw only a notice.{' '}
        {NOTICE_WORDS}
      </Quiet>
    </div>
  );
}

function Checks({ message }: { message: ReadableMessage }) {
  return (
    <More summary="What this device checked">
      <ul className={styles.readers}>
        <li>The sender is the agent whose signature MLS authenticated, not a name somebody wrote.</li>
        <li>The content is exactly what the envelope committed to.</li>
        <li>The sender’s signed data names this message and this commitment.</li>
      </ul>
      <Facts
        facts={[
          { name: 'Sender', value: <Mono>{message.sender.uri}</Mono> },
          { name: 'Flow', value: <Mono>{message.flow}</Mono> },
          { name: 'Commitment', value: <Digest label="Commitment" value={message.commitment} /> },
          { name: 'Message', value: <Digest label="Message" value={message.message} /> },
          { name: 'Conversation', value: <Digest label="Conversation" value={message.conversation} /> },
        ]}
      />
    </More>
  );
}
