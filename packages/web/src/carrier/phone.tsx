/** The phone as its owner sees it: which notices came, by which network, and what waits while it is away. */
import { useState } from 'react';
import { Action } from '../design/action.tsx';
import { Card, Empty, Row, Section } from '../design/column.tsx';
import { NOTICE_WORDS } from '../design/protection.ts';
import { Quiet } from '../design/text.tsx';
import { TimeText } from '../design/time-text.tsx';
import styles from './carrier.module.css';
import { readPhone } from './deeds.ts';
import type { Phone, ShownMessage } from './live-schema.ts';

const NETWORKS = { rcs: 'RCS message', sms: 'SMS' } as const;

export function PhoneView({ phone }: { phone: Phone }) {
  const { number, messages, waiting, online, rcs } = phone;
  const unread = messages.some(({ status }) => status === 'delivered');
  return (
    <Section title="The phone" aside={<Quiet>{number}</Quiet>}>
      {online ? null : <Quiet>It is off. {waiting === 0 ? 'Nothing waits for it.' : waitingWords(waiting)}</Quiet>}
      {rcs ? null : <Quiet>It is not registered for RCS, so only SMS reaches it.</Quiet>}
      {messages.length === 0 ? (
        <Empty title="No notice">A notice is sent only when no device of the recipient could be reached in time.</Empty>
      ) : (
        <Card>
          <ol className={styles.list} aria-label="Notices on the phone, newest first">
            {messages.toReversed().map((message) => (
              <Notice key={message.id} message={message} />
            ))}
          </ol>
          <Quiet>{NOTICE_WORDS}</Quiet>
          {unread ? <ReadThem number={number} /> : null}
        </Card>
      )}
    </Section>
  );
}

function Notice({ message: { channel, text, url, at, status } }: { message: ShownMessage }) {
  const words = url === undefined ? text : text.replace(url, '').trim();
  return (
    <li className={styles.entry}>
      <div className={styles.head}>
        <strong>{NETWORKS[channel]}</strong>
        <Quiet>
          {status}, <TimeText at={at} />
        </Quiet>
      </div>
      <p className={styles.text}>{words}</p>
      {url === undefined ? null : (
        <a className={styles.link} href={url} target="_blank" rel="noreferrer">
          {url}
        </a>
      )}
    </li>
  );
}

function ReadThem({ number }: { number: string }) {
  const [busy, setBusy] = useState(false);
  const press = async (): Promise<void> => {
    setBusy(true);
    await readPhone(number)();
    setBusy(false);
  };
  return (
    <Row>
      <Action busy={busy} onPress={press}>
        Read them on the phone
      </Action>
    </Row>
  );
}

function waitingWords(waiting: number): string {
  return waiting === 1 ? 'One notice waits at the carrier.' : `${waiting} notices wait at the carrier.`;
}
