/** One line of the list, and under it the message while it is open. What failed a check shows only why. */
import type { InboxMessage } from '@sealpost/client';
import { Mono } from '../design/text.tsx';
import { TimeText } from '../design/time-text.tsx';
import type { Inbox } from './inbox.ts';
import { MessageView } from './message-view.tsx';
import styles from './messages.module.css';
import type { OpenedMessage } from './state.ts';
import { wordsOfCode } from './words.ts';

const STATES = { received: 'Unread', read: 'Read', acknowledged: 'Acknowledged' } as const;

export function MessageItem(props: { message: InboxMessage; opened: OpenedMessage | undefined; inbox: Inbox }) {
  const { message, opened, inbox } = props;
  if (message.state === 'unreadable') return <Unreadable at={message.sentAt} code={message.code} />;
  const unread = message.state === 'received';
  return (
    <li className={styles.item}>
      <h3 className={styles.heading}>
        <button
          type="button"
          className={styles.line}
          aria-expanded={opened !== undefined}
          onClick={() => void inbox.toggle(message.message)}
        >
          <span className={unread ? styles.unread : styles.subject}>{message.subject}</span>
          <span className={styles.meta}>
            <span className={unread ? styles.unreadWord : undefined}>{STATES[message.state]}</span>
            <span>{message.sender.agent}</span>
            <TimeText at={message.sentAt} />
          </span>
        </button>
      </h3>
      {opened === undefined ? null : <MessageView message={message} opened={opened} inbox={inbox} />}
    </li>
  );
}

function Unreadable({ at, code }: { at: InboxMessage['sentAt']; code: string }) {
  const { sentence, hint } = wordsOfCode(code);
  return (
    <li className={styles.item}>
      <div className={styles.line}>
        <h3 className={styles.heading}>Cannot be shown</h3>
        <p className={styles.plain}>{sentence}</p>
        <p className={styles.meta}>{hint}</p>
        <p className={styles.meta}>
          <Mono>{code}</Mono>
          <TimeText at={at} />
        </p>
      </div>
    </li>
  );
}
