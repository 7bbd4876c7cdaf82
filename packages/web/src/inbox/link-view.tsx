/** Whether this device is online, in words, and the one button that changes it. */
import { Action } from '../design/action.tsx';
import { Card, Row } from '../design/column.tsx';
import { Quiet, StatusWord, type Tone } from '../design/text.tsx';
import { EraseDevice } from './erase-device.tsx';
import type { Inbox } from './inbox.ts';
import styles from './messages.module.css';
import type { EnrolledState, Link } from './state.ts';

const WORDS: Readonly<Record<Link, { readonly tone: Tone; readonly word: string; readonly meaning: string }>> = {
  connecting: { tone: 'plain', word: 'Connecting', meaning: 'Asking the gateway for what came meanwhile.' },
  online: { tone: 'good', word: 'Online', meaning: 'Messages arrive as they are sent.' },
  offline: { tone: 'plain', word: 'Offline, by your choice', meaning: 'Messages wait, sealed, at the gateway.' },
  away: { tone: 'warn', word: 'Offline', meaning: 'Trying again by itself, with growing pauses.' },
  refused: { tone: 'bad', word: 'Refused', meaning: 'The device has stopped trying.' },
};

export function LinkView({ state, inbox }: { state: EnrolledState; inbox: Inbox }) {
  const { link, trouble, waiting } = state;
  const { tone, word, meaning } = WORDS[link];
  const stays = link === 'offline' || link === 'refused';
  return (
    <Card>
      <div className={styles.link}>
        <div aria-live="polite">
          <StatusWord tone={tone}>{word}</StatusWord>
          {trouble === undefined ? null : <p className={styles.plain}>{trouble.sentence}</p>}
          {link === 'refused' && trouble !== undefined ? <Quiet>{trouble.hint}</Quiet> : <Quiet>{meaning}</Quiet>}
          {waiting === 0 ? null : <p className={styles.plain}>{waitingWords(waiting)}</p>}
        </div>
        <Row>
          {stays ? (
            <Action onPress={inbox.goOnline}>{link === 'offline' ? 'Come back online' : 'Try again'}</Action>
          ) : (
            <Action onPress={() => void inbox.goOffline()}>Go offline</Action>
          )}
        </Row>
      </div>
      {link === 'refused' ? <EraseDevice erase={inbox.erase} /> : null}
    </Card>
  );
}

function waitingWords(waiting: number): string {
  return waiting === 1 ? '1 receipt waits to be sent.' : `${waiting} receipts wait to be sent.`;
}
