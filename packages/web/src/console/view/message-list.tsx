/** The newest messages. The newest is shown and followed until one is chosen. */
import type { ConsoleMessage, MessageId } from '@sealpost/protocol';
import { useState } from 'react';
import { Action } from '../../design/action.tsx';
import { Row } from '../../design/column.tsx';
import { TimeText } from '../../design/time-text.tsx';
import { STATE_WORDS } from '../timeline/states.ts';
import styles from './console.module.css';

const FEW = 3;

export interface MessageListProps {
  readonly messages: readonly ConsoleMessage[];
  readonly shown: MessageId;
  readonly following: boolean;
  /** `undefined`: the newest, whichever it is. */
  readonly onChoose: (message: MessageId | undefined) => void;
}

export function MessageList({ messages, shown, following, onChoose }: MessageListProps) {
  const [all, setAll] = useState(false);
  const listed = messages.filter(({ message }, index) => all || index < FEW || message === shown);
  return (
    <>
      <ul className={styles.list}>
        {listed.map(({ message, to, flow, at, state }) => (
          <li key={message}>
            <button
              type="button"
              className={styles.row}
              aria-current={message === shown ? 'true' : undefined}
              onClick={() => onChoose(message)}
            >
              <span className={styles.rowTop}>
                <span className={styles.rowTo}>To {to}</span>
                <TimeText at={at} />
              </span>
              <span className={styles.rowBelow}>
                <span>{flow}</span>
                <span>{STATE_WORDS[state]}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {messages.length > FEW || !following ? (
        <Row>
          {messages.length > FEW ? (
            <Action strength="quiet" onPress={() => setAll(!all)}>
              {all ? 'Show fewer' : `Show all ${messages.length}`}
            </Action>
          ) : null}
          {following ? null : (
            <Action strength="quiet" onPress={() => onChoose(undefined)}>
              Follow the newest
            </Action>
          )}
        </Row>
      ) : null}
    </>
  );
}
